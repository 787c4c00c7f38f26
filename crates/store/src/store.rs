//! The trait that every backend implements.

use async_trait::async_trait;
use jiff::Timestamp;
use thirdboot_lifecycle::{Host, HostName, Identity, Run, RunNumber};

use crate::{
    Access, Actor, Addresses, Answer, Clusters, Counts, Document, DocumentKind, EventFilter, HostFilter, HostId,
    HostState, Limits, Locks, LoggedEvent, Packages, Page, Pruned, StoreError, Submission, SubmitError, Templates,
    Token, UnknownMachine, Users, Watching,
};

/// Verbs for what the server needs. Reads see everything that was acknowledged before they began.
#[async_trait]
pub trait Store:
    Access + Addresses + Clusters + Counts + Locks + Packages + Templates + Users + Watching + Send + Sync + 'static
{
    /// Adds hosts, all or none. Names, MACs, serials and UUIDs must be new to the fleet.
    ///
    /// # Errors
    /// `Taken` names field, value and owner.
    async fn add_hosts(&self, hosts: Vec<Host>, by: Actor) -> Result<Vec<HostState>, StoreError>;

    /// The host of that name.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn host(&self, name: &HostName) -> Result<Option<HostState>, StoreError>;

    /// The host of that number.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn host_by_id(&self, id: HostId) -> Result<Option<HostState>, StoreError>;

    /// Every host that has at least one of these identifiers, in the order of their names.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn hosts_with(&self, identity: &Identity) -> Result<Vec<HostState>, StoreError>;

    /// A page of hosts in the order of their names.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn hosts(&self, filter: &HostFilter) -> Result<Page<HostState>, StoreError>;

    /// The one door: applies a change, and answers after it is durable.
    ///
    /// # Errors
    /// A refusal changes nothing but the log.
    async fn submit(&self, host: HostId, submission: Submission) -> Result<Answer, SubmitError>;

    /// Hosts whose run has something due by `now`, the longest due first.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<HostId>, StoreError>;

    /// A page of the log.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn events(&self, filter: &EventFilter) -> Result<Page<LoggedEvent>, StoreError>;

    /// A host's runs, the latest first, the current one included.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn runs(&self, host: HostId) -> Result<Vec<Run>, StoreError>;

    /// A document of a run. Kept while the run is not installed, failed or cancelled.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn document(&self, host: HostId, run: RunNumber, kind: DocumentKind) -> Result<Option<Document>, StoreError>;

    /// Notes a machine that matches no host; the same identity again only counts up.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn note_unknown(&self, machine: UnknownMachine) -> Result<(), StoreError>;

    /// The unknown machines, the last seen first.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn unknown_machines(&self) -> Result<Vec<UnknownMachine>, StoreError>;

    /// Keeps a token's hash.
    ///
    /// # Errors
    /// `Taken` when the name is in use.
    async fn add_token(&self, token: Token) -> Result<(), StoreError>;

    /// The token with that hash.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn token(&self, sha256: &str) -> Result<Option<Token>, StoreError>;

    /// Whether any token was ever made.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn has_tokens(&self) -> Result<bool, StoreError>;

    /// Removes what is over the caps or too old.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn prune(&self, limits: &Limits) -> Result<Pruned, StoreError>;

    /// Now, by the store's clock.
    fn now(&self) -> Timestamp;

    /// Waits until an event with a greater number than `after` is stored, or `timeout` passes. Returns the last number.
    async fn changed(&self, after: u64, timeout: std::time::Duration) -> u64;

    /// Answers when the store can be read and written.
    ///
    /// # Errors
    /// Says what is wrong.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Writes what is under way and closes. Later calls are `Unavailable`.
    async fn close(&self);
}
