//! A store that remembers the hosts it read a moment ago: a machine that asks again and again costs no query.
//!
//! Reads still see everything that was acknowledged before they began. Every change passes through here: what it may
//! touch is forgotten before it is handed on, and nothing is remembered of a read that a change may have overtaken.
//! That holds for one process that owns its database, so that only the embedded store is wrapped.

mod access;
mod entries;
mod locks;
mod templates;
mod users;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ipnet::IpNet;
use jiff::Timestamp;
use thirdboot_lifecycle::{
    ClusterName, Host, HostName, Identity, Repository, RepositoryName, Role, RoleDefaults, Run, RunNumber, Said,
};

use thirdboot_store::{
    Actor, Addresses, Answer, Census, ClusterError, ClusterState, Clusters, Counts, Document, DocumentKind,
    EventFilter, EventPage, EventSearch, HostFilter, HostId, HostState, Limits, LoggedEvent, Packages, Page, Pruned,
    PutError, PutHost, Store, StoreError, Submission, SubmitError, Timing, TimingChange, Token, UnknownMachine,
    Versioned, Watching,
};

use entries::Entries;

/// A store that remembers what it read a moment ago.
pub(crate) struct Recent {
    inner: Arc<dyn Store>,
    entries: Arc<Entries>,
}

impl Recent {
    /// Remembers for this store, which nobody else changes.
    pub(crate) fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            entries: Arc::default(),
        }
    }
}

impl Recent {
    /// Adds hosts.
    async fn adding<F, T>(&self, add: impl FnOnce(Arc<dyn Store>) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
        T: Send + 'static,
    {
        self.guarded(Entries::begin(&self.entries, None, true), add).await
    }

    /// Hands a change on under its guard. In a task of its own: a caller who goes away must not end the guard before the
    /// change.
    async fn guarded<G, F, T, E>(&self, guard: G, change: impl FnOnce(Arc<dyn Store>) -> F) -> Result<T, E>
    where
        G: Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let changing = change(Arc::clone(&self.inner));
        let task = tokio::spawn(async move {
            let answer = changing.await;
            drop(guard);
            answer
        });
        let broken_off = || StoreError::Unavailable("the change was broken off".to_owned());
        task.await.unwrap_or_else(|_| Err(broken_off().into()))
    }
}

/// Whether it may change whose identifiers they are: claims and live reports pin serial and UUID.
fn touches_identifiers(submission: &Submission) -> bool {
    match submission {
        Submission::Update { .. } | Submission::Remove | Submission::Claim(_) => true,
        Submission::Report { report, .. } => matches!(report.said, Said::Live { .. }),
        Submission::Arm { .. }
        | Submission::Cancel { .. }
        | Submission::Hold { .. }
        | Submission::Release { .. }
        | Submission::Retire { .. }
        | Submission::Unretire { .. }
        | Submission::RotateKey { .. }
        | Submission::Script { .. }
        | Submission::Fetched { .. }
        | Submission::JoinHandedOut { .. }
        | Submission::JoinWaits { .. }
        | Submission::ClaimWaits { .. }
        | Submission::NodeSeen { .. }
        | Submission::Conflict { .. }
        | Submission::AtProvider { .. }
        | Submission::Due
        | Submission::VoidPermit { .. } => false,
    }
}

#[async_trait]
impl Addresses for Recent {
    async fn ready_addresses(&self, network: IpNet, but: HostId, limit: u32) -> Result<Vec<IpAddr>, StoreError> {
        self.inner.ready_addresses(network, but, limit).await
    }
}

#[async_trait]
impl Packages for Recent {
    async fn repositories(&self) -> Result<Vec<Versioned<Repository>>, StoreError> {
        self.inner.repositories().await
    }

    async fn put_repository(&self, repository: Repository) -> Result<u64, StoreError> {
        self.inner.put_repository(repository).await
    }

    async fn remove_repository(&self, name: &RepositoryName) -> Result<bool, StoreError> {
        self.inner.remove_repository(name).await
    }

    async fn role_defaults(&self, role: Role) -> Result<Versioned<RoleDefaults>, StoreError> {
        self.inner.role_defaults(role).await
    }

    async fn put_role_defaults(&self, role: Role, defaults: RoleDefaults) -> Result<u64, StoreError> {
        self.inner.put_role_defaults(role, defaults).await
    }
}

#[async_trait]
impl Counts for Recent {
    async fn census(&self) -> Result<Census, StoreError> {
        self.inner.census().await
    }
}

#[async_trait]
impl Store for Recent {
    async fn add_hosts(&self, hosts: Vec<Host>, by: Actor) -> Result<Vec<HostState>, StoreError> {
        self.adding(|inner| async move { inner.add_hosts(hosts, by).await })
            .await
    }

    async fn host(&self, name: &HostName) -> Result<Option<HostState>, StoreError> {
        self.inner.host(name).await
    }

    async fn host_by_id(&self, id: HostId) -> Result<Option<HostState>, StoreError> {
        if let Some(state) = self.entries.host(id) {
            return Ok(Some(HostState::clone(&state)));
        }
        let seen = self.entries.moment();
        let state = self.inner.host_by_id(id).await?;
        self.entries.keep_hosts(seen, state.as_slice());
        Ok(state)
    }

    async fn hosts_with(&self, identity: &Identity) -> Result<Vec<HostState>, StoreError> {
        if let Some(states) = self.entries.owners(identity) {
            return Ok(states.iter().map(|state| HostState::clone(state)).collect());
        }
        let seen = self.entries.moment();
        let states = self.inner.hosts_with(identity).await?;
        self.entries.keep_hosts(seen, &states);
        self.entries.keep_owners(seen, identity, &states);
        Ok(states)
    }

    async fn hosts(&self, filter: &HostFilter) -> Result<Page<HostState>, StoreError> {
        self.inner.hosts(filter).await
    }

    async fn submit(&self, host: HostId, submission: Submission) -> Result<Answer, SubmitError> {
        let change = Entries::begin(&self.entries, Some(host), touches_identifiers(&submission));
        self.guarded(change, |inner| async move { inner.submit(host, submission).await })
            .await
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<HostId>, StoreError> {
        self.inner.due(now, limit).await
    }

    async fn events(&self, filter: &EventFilter) -> Result<Page<LoggedEvent>, StoreError> {
        self.inner.events(filter).await
    }

    async fn runs(&self, host: HostId) -> Result<Vec<Run>, StoreError> {
        self.inner.runs(host).await
    }

    async fn document(&self, host: HostId, run: RunNumber, kind: DocumentKind) -> Result<Option<Document>, StoreError> {
        self.inner.document(host, run, kind).await
    }

    async fn note_unknown(&self, machine: UnknownMachine) -> Result<(), StoreError> {
        self.inner.note_unknown(machine).await
    }

    async fn unknown_machines(&self) -> Result<Vec<UnknownMachine>, StoreError> {
        self.inner.unknown_machines().await
    }

    async fn add_token(&self, token: Token) -> Result<(), StoreError> {
        self.inner.add_token(token).await
    }

    async fn token(&self, sha256: &str) -> Result<Option<Token>, StoreError> {
        self.inner.token(sha256).await
    }

    async fn has_tokens(&self) -> Result<bool, StoreError> {
        self.inner.has_tokens().await
    }

    async fn prune(&self, limits: &Limits) -> Result<Pruned, StoreError> {
        self.inner.prune(limits).await
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    async fn changed(&self, after: u64, timeout: Duration) -> u64 {
        self.inner.changed(after, timeout).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }

    async fn close(&self) {
        self.inner.close().await;
        self.entries.close();
    }
}

/// Clusters are few and asked for seldom: nothing of them is remembered.
#[async_trait]
impl Clusters for Recent {
    async fn add_cluster(&self, cluster: ClusterState) -> Result<ClusterState, StoreError> {
        self.inner.add_cluster(cluster).await
    }

    async fn cluster(&self, name: &ClusterName) -> Result<Option<ClusterState>, StoreError> {
        self.inner.cluster(name).await
    }

    async fn clusters(&self) -> Result<Vec<ClusterState>, StoreError> {
        self.inner.clusters().await
    }

    async fn save_cluster(&self, state: ClusterState, begins: bool) -> Result<ClusterState, ClusterError> {
        self.inner.save_cluster(state, begins).await
    }

    async fn remove_cluster(&self, name: &ClusterName, expected_version: u64) -> Result<(), ClusterError> {
        self.inner.remove_cluster(name, expected_version).await
    }

    async fn hosts_of(&self, name: &ClusterName) -> Result<Vec<HostState>, StoreError> {
        self.inner.hosts_of(name).await
    }
}

#[async_trait]
impl Watching for Recent {
    async fn search_events(&self, search: &EventSearch) -> Result<EventPage, StoreError> {
        self.inner.search_events(search).await
    }

    async fn hosts_changed(&self, after: u64, to: u64) -> Result<Vec<HostId>, StoreError> {
        self.inner.hosts_changed(after, to).await
    }

    async fn put_hosts(&self, hosts: Vec<PutHost>, by: Actor) -> Result<(), PutError> {
        // Each host that is described anew is one that changes.
        let changes: Vec<_> = hosts
            .iter()
            .map(|put| match put {
                PutHost::Add(_) => None,
                PutHost::Update { id, .. } => Some(*id),
            })
            .map(|id| Entries::begin(&self.entries, id, true))
            .collect();
        self.guarded(changes, |inner| async move { inner.put_hosts(hosts, by).await })
            .await
    }

    async fn adopt(&self, machine: u64, host: Host, by: Actor) -> Result<Option<HostState>, StoreError> {
        self.adding(|inner| async move { inner.adopt(machine, host, by).await })
            .await
    }

    async fn dismiss(&self, machine: u64) -> Result<bool, StoreError> {
        self.inner.dismiss(machine).await
    }

    fn timing(&self) -> Arc<Timing> {
        self.inner.timing()
    }

    async fn change_timing(&self, change: TimingChange, by: Actor) -> Result<Arc<Timing>, StoreError> {
        self.inner.change_timing(change, by).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use serde_json::json;

    use super::*;
    use crate::testing::TestApp;

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_was_answered_sees_it_however_many_ask_meanwhile() {
        let site = TestApp::new().await;
        let host = site.host("a1", 1).await;
        let (store, identity) = (
            Arc::clone(&site.app.store),
            Identity {
                macs: host.host.macs.clone(),
                ..Identity::default()
            },
        );
        let is_over = Arc::new(AtomicBool::new(false));
        let askers: Vec<_> = (0..4)
            .map(|_| {
                let (store, identity, is_over) = (Arc::clone(&store), identity.clone(), Arc::clone(&is_over));
                tokio::spawn(async move {
                    while !is_over.load(Ordering::Relaxed) {
                        store.hosts_with(&identity).await.unwrap();
                        store.host_by_id(host.id).await.unwrap();
                        // What is remembered is answered without waiting: the others want a turn.
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for turn in 0..300 {
            let reason = turn.to_string();
            let hold = Submission::Hold {
                reason: reason.clone(),
                by: Actor::Server,
            };
            store.submit(host.id, hold).await.unwrap();
            let by_id = store.host_by_id(host.id).await.unwrap().unwrap();
            let by_mac = store.hosts_with(&identity).await.unwrap();
            for seen in [&by_id, &by_mac[0]] {
                assert_eq!(seen.host.hold.as_ref().unwrap().reason, reason);
            }
        }
        is_over.store(true, Ordering::Relaxed);
        for asker in askers {
            asker.await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_machine_that_was_unknown_is_known_as_soon_as_it_was_added() {
        let site = TestApp::new().await;
        assert_eq!(site.script(1).await.verdict(), "# thirdboot: hold reason=unknown");
        site.host("a1", 1).await;
        assert_eq!(site.script(1).await.verdict(), "# thirdboot: local host=a1");
    }

    #[tokio::test]
    async fn a_serial_that_a_claim_pinned_counts_at_once() {
        use crate::secrets::Purpose;
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        assert_eq!(
            site.get("/ipxe?serial=S1").await.verdict(),
            "# thirdboot: hold reason=unknown"
        );
        let claim = site
            .post("/v1/claim", &site.secret(Purpose::Live, host, 1), &TestApp::claim(1, 1))
            .await;
        assert_eq!(claim.json()["granted"], json!(true));
        assert_eq!(
            site.get("/ipxe?serial=S1").await.verdict(),
            "# thirdboot: install host=a1 run=1"
        );
    }
}
