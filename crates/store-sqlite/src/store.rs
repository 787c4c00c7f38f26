//! The store's verbs, each handed to the writer or a reader.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use ipnet::IpNet;
use jiff::Timestamp;
use sqlx::sqlite::SqlitePool;
use thirdboot_lifecycle::{ClusterName, Host, HostName, Identity, Run, RunNumber};
use thirdboot_store::{
    Actor, Addresses, Answer, Clock, ClusterError, ClusterState, Clusters, Document, DocumentKind, EventFilter,
    EventPage, EventSearch, HostFilter, HostId, HostState, Limits, LoggedEvent, Page, Pruned, PutError, PutHost, Store,
    StoreError, Submission, SubmitError, Timing, TimingChange, Token, UnknownMachine, Unwatched, Watch, Watching,
};
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::{closed, unavailable};
use crate::job::{Job, Message, Reply};
use crate::writer::Tally;
use crate::{OpenOptions, Opened, addresses, clusters, open, prune, read, search, tokens, unknown};

/// The embedded store.
#[derive(Debug)]
pub struct SqliteStore {
    pub(crate) clock: Arc<Clock>,
    pub(crate) writer: mpsc::Sender<Message>,
    pub(crate) readers: SqlitePool,
    pub(crate) changes: watch::Receiver<u64>,
    pub(crate) timing: watch::Receiver<Arc<Timing>>,
    pub(crate) tally: Arc<Tally>,
}

impl SqliteStore {
    /// Opens the database, or makes it. Every permit of a restored or foreign one is void when this returns.
    ///
    /// # Errors
    /// When it cannot be read or written, or a row is not what this version writes.
    pub async fn open(options: OpenOptions) -> Result<(Arc<Self>, Opened), StoreError> {
        Self::open_watched(options, Arc::new(Unwatched)).await
    }

    /// The same, telling of its work.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_watched(options: OpenOptions, watch: Arc<dyn Watch>) -> Result<(Arc<Self>, Opened), StoreError> {
        let (store, opened) = Box::pin(open::open(options, watch)).await?;
        Ok((Arc::new(store), opened))
    }

    /// How much was stored since the start.
    #[must_use]
    pub fn stored(&self) -> Stored {
        Stored {
            commits: self.tally.commits.load(Ordering::Relaxed),
            changes: self.tally.changes.load(Ordering::Relaxed),
        }
    }

    /// Hands a job to the writer and waits for its answer.
    pub(crate) async fn ask<T, E: From<StoreError>>(&self, job: impl FnOnce(Reply<T, E>) -> Job) -> Result<T, E> {
        let (reply, answer) = oneshot::channel();
        self.writer
            .send(Message::Work(job(reply)))
            .await
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

/// How much was stored since the start: changes by commits is how well they share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Transactions.
    pub commits: u64,
    /// What was asked for in them.
    pub changes: u64,
}

#[async_trait]
impl Addresses for SqliteStore {
    async fn ready_addresses(&self, network: IpNet, but: HostId, limit: u32) -> Result<Vec<IpAddr>, StoreError> {
        addresses::ready(&self.readers, network, but, limit).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn add_hosts(&self, hosts: Vec<Host>, by: Actor) -> Result<Vec<HostState>, StoreError> {
        self.ask(|reply| Job::AddHosts(hosts, by, None, reply)).await
    }

    async fn host(&self, name: &HostName) -> Result<Option<HostState>, StoreError> {
        read::host(&self.readers, name).await
    }

    async fn host_by_id(&self, id: HostId) -> Result<Option<HostState>, StoreError> {
        read::host_by_id(&self.readers, id).await
    }

    async fn hosts_with(&self, identity: &Identity) -> Result<Vec<HostState>, StoreError> {
        read::hosts_with(&self.readers, identity).await
    }

    async fn hosts(&self, filter: &HostFilter) -> Result<Page<HostState>, StoreError> {
        search::hosts(&self.readers, filter).await
    }

    async fn submit(&self, host: HostId, submission: Submission) -> Result<Answer, SubmitError> {
        self.ask(|reply| Job::Submit(host, Box::new(submission), reply)).await
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<HostId>, StoreError> {
        read::due(&self.readers, now, limit).await
    }

    async fn events(&self, filter: &EventFilter) -> Result<Page<LoggedEvent>, StoreError> {
        read::events(&self.readers, filter).await
    }

    async fn runs(&self, host: HostId) -> Result<Vec<Run>, StoreError> {
        read::runs(&self.readers, host).await
    }

    async fn document(&self, host: HostId, run: RunNumber, kind: DocumentKind) -> Result<Option<Document>, StoreError> {
        read::document(&self.readers, host, run, kind).await
    }

    async fn note_unknown(&self, machine: UnknownMachine) -> Result<(), StoreError> {
        self.ask(|reply| Job::NoteUnknown(Box::new(machine), reply)).await
    }

    async fn unknown_machines(&self) -> Result<Vec<UnknownMachine>, StoreError> {
        unknown::list(&self.readers).await
    }

    async fn add_token(&self, token: Token) -> Result<(), StoreError> {
        self.ask(|reply| Job::AddToken(Box::new(token), None, None, reply))
            .await
    }

    async fn token(&self, sha256: &str) -> Result<Option<Token>, StoreError> {
        tokens::with_hash(&self.readers, sha256).await
    }

    async fn has_tokens(&self) -> Result<bool, StoreError> {
        tokens::any(&self.readers).await
    }

    async fn prune(&self, limits: &Limits) -> Result<Pruned, StoreError> {
        prune::prune(self, limits).await
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn changed(&self, after: u64, timeout: Duration) -> u64 {
        let mut changes = self.changes.clone();
        let waited = tokio::time::timeout(timeout, changes.wait_for(|last| *last > after)).await;
        match waited {
            Ok(Ok(last)) => *last,
            _ => *self.changes.borrow(),
        }
    }

    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1")
            .execute(&self.readers)
            .await
            .map_err(|error| unavailable(&error))?;
        self.ask(Job::Ping).await
    }

    async fn close(&self) {
        self.readers.close().await;
        let (reply, closed) = oneshot::channel();
        // An error means that it is closed already.
        if self.writer.send(Message::Close(reply)).await.is_ok() {
            drop(closed.await);
        }
    }
}

#[async_trait]
impl Clusters for SqliteStore {
    async fn add_cluster(&self, cluster: ClusterState) -> Result<ClusterState, StoreError> {
        self.ask(|reply| Job::AddCluster(Box::new(cluster), reply)).await
    }

    async fn cluster(&self, name: &ClusterName) -> Result<Option<ClusterState>, StoreError> {
        clusters::named(&self.readers, name).await
    }

    async fn clusters(&self) -> Result<Vec<ClusterState>, StoreError> {
        clusters::all(&self.readers).await
    }

    async fn save_cluster(&self, state: ClusterState, begins: bool) -> Result<ClusterState, ClusterError> {
        self.ask(|reply| Job::SaveCluster(Box::new(state), begins, reply)).await
    }

    async fn remove_cluster(&self, name: &ClusterName, expected_version: u64) -> Result<(), ClusterError> {
        self.ask(|reply| Job::RemoveCluster(name.clone(), expected_version, reply))
            .await
    }

    async fn hosts_of(&self, name: &ClusterName) -> Result<Vec<HostState>, StoreError> {
        clusters::hosts(&self.readers, name).await
    }
}

#[async_trait]
impl Watching for SqliteStore {
    async fn search_events(&self, search: &EventSearch) -> Result<EventPage, StoreError> {
        let tip = *self.changes.borrow();
        crate::watching::search_events(&self.readers, search, tip).await
    }

    async fn hosts_changed(&self, after: u64, to: u64) -> Result<Vec<HostId>, StoreError> {
        crate::watching::hosts_changed(&self.readers, after, to).await
    }

    async fn put_hosts(&self, hosts: Vec<PutHost>, by: Actor) -> Result<(), PutError> {
        self.ask(|reply| Job::PutHosts(hosts, by, reply)).await
    }

    async fn adopt(&self, machine: u64, host: Host, by: Actor) -> Result<Option<HostState>, StoreError> {
        self.ask(|reply| Job::Adopt(machine, Box::new(host), by, reply)).await
    }

    async fn dismiss(&self, machine: u64) -> Result<bool, StoreError> {
        self.ask(|reply| Job::Dismiss(machine, reply)).await
    }

    fn timing(&self) -> Arc<Timing> {
        Arc::clone(&self.timing.borrow())
    }

    async fn change_timing(&self, change: TimingChange, by: Actor) -> Result<Arc<Timing>, StoreError> {
        self.ask(|reply| Job::ChangeTiming(change, by, reply)).await
    }
}
