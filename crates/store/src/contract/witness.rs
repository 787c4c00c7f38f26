//! Looks which methods the stories call. A new method of the trait does not compile before it is named here.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ipnet::IpNet;
use jiff::Timestamp;
use thirdboot_lifecycle::{
    ClusterName, GroupName, GroupSettings, Host, HostName, Identity, LockSlot, Repository, RepositoryName, Role,
    RoleDefaults, Run, RunNumber,
};

use crate::{
    Access, AccessRole, Actor, Addresses, Answer, AnswerKey, AuditFilter, Audited, Census, ClusterError, ClusterState,
    Clusters, Counts, Deed, Document, DocumentKind, EventFilter, EventPage, EventSearch, HostFilter, HostId, HostState,
    KeptAnswer, Limits, ListedToken, LockChange, LockOutcome, Locks, LoggedEvent, Packages, Page, Pruned, PutError,
    PutHost, RenderAnswer, Revocation, Session, Store, StoreError, StoredTemplate, Submission, SubmitError,
    TemplateDraft, TemplateMoved, Templates, Timing, TimingChange, Token, UnknownMachine, User, Users, Versioned,
    Watching,
};

static CALLED: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

fn saw(method: &'static str) {
    CALLED.lock().unwrap_or_else(PoisonError::into_inner).insert(method);
}

/// The methods that no story has called so far.
#[must_use]
pub fn uncalled() -> Vec<&'static str> {
    let called = CALLED.lock().unwrap_or_else(PoisonError::into_inner);
    [
        ACCESS,
        ADDRESSES,
        CLUSTERS,
        COUNTS,
        LOCKS,
        PACKAGES,
        STORE,
        TEMPLATES,
        USERS,
        WATCHING,
        &["now", "timing"],
    ]
    .concat()
    .into_iter()
    .filter(|method| !called.contains(method))
    .collect()
}

/// Passes everything on.
pub(super) struct Witness<S>(pub(super) Arc<S>);

/// Makes [`Witness`] pass on the verbs of one trait, and lists them.
macro_rules! passed_on {
    ($trait:ident, $methods:ident, $others:tt; $(fn $method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+) => {
        const $methods: &[&str] = &[$(stringify!($method)),+];

        #[async_trait]
        impl<S: Store> $trait for Witness<S> {
            passed_on! { @others $others }

            $(
                async fn $method(&self, $($argument: $type),*) -> $answer {
                    saw(stringify!($method));
                    self.0.$method($($argument),*).await
                }
            )+
        }
    };
    (@others { $($other:item)* }) => { $($other)* };
}

passed_on! {
    Watching, WATCHING, {
        fn timing(&self) -> Arc<Timing> {
            saw("timing");
            self.0.timing()
        }
    };
    fn search_events(search: &EventSearch) -> Result<EventPage, StoreError>;
    fn hosts_changed(after: u64, to: u64) -> Result<Vec<HostId>, StoreError>;
    fn put_hosts(hosts: Vec<PutHost>, by: Actor) -> Result<(), PutError>;
    fn adopt(machine: u64, host: Host, by: Actor) -> Result<Option<HostState>, StoreError>;
    fn dismiss(machine: u64) -> Result<bool, StoreError>;
    fn change_timing(change: TimingChange, by: Actor) -> Result<Arc<Timing>, StoreError>;
}

passed_on! {
    Addresses, ADDRESSES, {};
    fn ready_addresses(network: IpNet, but: HostId, limit: u32) -> Result<Vec<IpAddr>, StoreError>;
}

passed_on! {
    Counts, COUNTS, {};
    fn census() -> Result<Census, StoreError>;
}

passed_on! {
    Locks, LOCKS, {};
    fn change_lock(change: LockChange) -> Result<LockOutcome, StoreError>;
    fn locks() -> Result<Vec<LockSlot>, StoreError>;
    fn lock_of(host: HostId) -> Result<Option<LockSlot>, StoreError>;
    fn lock_groups() -> Result<Vec<(GroupName, Versioned<GroupSettings>)>, StoreError>;
    fn lock_group(name: &GroupName) -> Result<Versioned<GroupSettings>, StoreError>;
    fn put_lock_group(name: &GroupName, settings: Option<GroupSettings>, seen: &GroupSettings) -> Result<Option<u64>, StoreError>;
}

passed_on! {
    Packages, PACKAGES, {};
    fn repositories() -> Result<Vec<Versioned<Repository>>, StoreError>;
    fn put_repository(repository: Repository) -> Result<u64, StoreError>;
    fn remove_repository(name: &RepositoryName) -> Result<bool, StoreError>;
    fn role_defaults(role: Role) -> Result<Versioned<RoleDefaults>, StoreError>;
    fn put_role_defaults(role: Role, defaults: RoleDefaults) -> Result<u64, StoreError>;
}

passed_on! {
    Access, ACCESS, {};
    fn create_token(token: Token, by: String, answer: Option<KeptAnswer>) -> Result<(), StoreError>;
    fn tokens() -> Result<Vec<ListedToken>, StoreError>;
    fn revoke_token(name: &str) -> Result<Revocation, StoreError>;
    fn note_token_use(name: &str, at: Timestamp) -> Result<(), StoreError>;
    fn add_hosts_once(hosts: Vec<Host>, by: Actor, key: AnswerKey, render: RenderAnswer) -> Result<Vec<HostState>, StoreError>;
    fn keep_answer(answer: KeptAnswer) -> Result<(), StoreError>;
    fn kept_answer(caller: &str, key: &str) -> Result<Option<KeptAnswer>, StoreError>;
    fn audit(deed: Deed) -> Result<(), StoreError>;
    fn audited(filter: &AuditFilter) -> Result<Page<Audited>, StoreError>;
}

passed_on! {
    Store, STORE, {
        fn now(&self) -> Timestamp {
            saw("now");
            self.0.now()
        }
    };
    fn add_hosts(hosts: Vec<Host>, by: Actor) -> Result<Vec<HostState>, StoreError>;
    fn host(name: &HostName) -> Result<Option<HostState>, StoreError>;
    fn host_by_id(id: HostId) -> Result<Option<HostState>, StoreError>;
    fn hosts_with(identity: &Identity) -> Result<Vec<HostState>, StoreError>;
    fn hosts(filter: &HostFilter) -> Result<Page<HostState>, StoreError>;
    fn submit(host: HostId, submission: Submission) -> Result<Answer, SubmitError>;
    fn due(now: Timestamp, limit: u32) -> Result<Vec<HostId>, StoreError>;
    fn events(filter: &EventFilter) -> Result<Page<LoggedEvent>, StoreError>;
    fn runs(host: HostId) -> Result<Vec<Run>, StoreError>;
    fn document(host: HostId, run: RunNumber, kind: DocumentKind) -> Result<Option<Document>, StoreError>;
    fn note_unknown(machine: UnknownMachine) -> Result<(), StoreError>;
    fn unknown_machines() -> Result<Vec<UnknownMachine>, StoreError>;
    fn add_token(token: Token) -> Result<(), StoreError>;
    fn token(sha256: &str) -> Result<Option<Token>, StoreError>;
    fn has_tokens() -> Result<bool, StoreError>;
    fn prune(limits: &Limits) -> Result<Pruned, StoreError>;
    fn changed(after: u64, timeout: Duration) -> u64;
    fn ping() -> Result<(), StoreError>;
    fn close() -> ();
}

passed_on! {
    Templates, TEMPLATES, {};
    fn save_template(draft: TemplateDraft, expected: Option<u64>) -> Result<Result<StoredTemplate, TemplateMoved>, StoreError>;
    fn delete_template(name: &str, expected: u64, by: &str) -> Result<Result<StoredTemplate, TemplateMoved>, StoreError>;
    fn templates() -> Result<Vec<StoredTemplate>, StoreError>;
    fn template(name: &str, version: Option<u64>) -> Result<Option<StoredTemplate>, StoreError>;
    fn template_versions(name: &str) -> Result<Vec<StoredTemplate>, StoreError>;
    fn installed_document(host: HostId, run: RunNumber) -> Result<Option<Document>, StoreError>;
}

passed_on! {
    Users, USERS, {};
    fn add_user(user: User) -> Result<(), StoreError>;
    fn add_first_user(user: User) -> Result<(), StoreError>;
    fn users() -> Result<Vec<User>, StoreError>;
    fn user(name: &str) -> Result<Option<User>, StoreError>;
    fn set_role(name: &str, role: AccessRole) -> Result<bool, StoreError>;
    fn set_link(name: &str, sha256: &str, expires_at: Timestamp) -> Result<bool, StoreError>;
    fn user_of_link(sha256: &str) -> Result<Option<User>, StoreError>;
    fn follow_link(sha256: &str, password_hash: String) -> Result<bool, StoreError>;
    fn set_password(name: &str, password_hash: String) -> Result<bool, StoreError>;
    fn remove_user(name: &str) -> Result<bool, StoreError>;
    fn open_session(session: Session, password_hash: &str) -> Result<bool, StoreError>;
    fn session(sha256: &str) -> Result<Option<(Session, AccessRole)>, StoreError>;
    fn close_session(sha256: &str) -> Result<(), StoreError>;
}

passed_on! {
    Clusters, CLUSTERS, {};
    fn add_cluster(cluster: ClusterState) -> Result<ClusterState, StoreError>;
    fn cluster(name: &ClusterName) -> Result<Option<ClusterState>, StoreError>;
    fn clusters() -> Result<Vec<ClusterState>, StoreError>;
    fn save_cluster(state: ClusterState, begins: bool) -> Result<ClusterState, ClusterError>;
    fn remove_cluster(name: &ClusterName, expected_version: u64) -> Result<(), ClusterError>;
    fn hosts_of(name: &ClusterName) -> Result<Vec<HostState>, StoreError>;
}
