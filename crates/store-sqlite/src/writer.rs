//! The only one who writes. It takes what is queued, does it in one transaction, and answers after the commit.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use thirdboot_lifecycle::Deadlines;
use thirdboot_store::{Clock, Commit, HostId, HostState, Limits, Move, StoreError, Timing, Watch};
use tokio::sync::{mpsc, watch};

use crate::batch::Batch;
use crate::epoch::{self, Mark};
use crate::error::unavailable;
use crate::job::{Held, Job, Message};
use crate::lock::Lock;
use crate::place::Place;
use crate::script::Script;

/// How many changes share a commit at most.
const MAX_BATCH: usize = 256;

/// How many hosts are remembered from batch to batch, a few KiB each.
const REMEMBERED: usize = 2048;

/// Owns the writing connection.
pub(crate) struct Writer {
    /// Let go of when the last change is written.
    pub(crate) _lock: Lock,
    /// Looked at before and after each commit.
    pub(crate) place: Place,
    pub(crate) options: SqliteConnectOptions,
    /// The hosts that wrote last, as they stand in the database. Their versions are checked when they are written.
    pub(crate) hosts: HashMap<HostId, HostState>,
    /// None after a failure: the next batch begins with a new connection.
    pub(crate) connection: Option<SqliteConnection>,
    pub(crate) epoch_path: PathBuf,
    /// Set when the epoch file could not be written after a commit.
    pub(crate) file_behind: bool,
    pub(crate) clock: Arc<Clock>,
    /// Deadlines that nobody set.
    pub(crate) defaults: Deadlines,
    /// What is in force.
    pub(crate) timing: watch::Sender<Arc<Timing>>,
    pub(crate) limits: Limits,
    pub(crate) last_event: watch::Sender<u64>,
    pub(crate) tally: Arc<Tally>,
    /// Told of every commit.
    pub(crate) watch: Arc<dyn Watch>,
}

/// What was stored since the start.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) commits: AtomicU64,
    pub(crate) changes: AtomicU64,
}

/// What was stored.
struct Done {
    /// The last event's number.
    last_event: u64,
    /// Runs that moved on.
    moves: Vec<Move>,
    /// Whether it will be found again: nobody is told that it is stored otherwise.
    standing: Result<(), StoreError>,
}

impl Writer {
    /// Works until the store is closed or dropped.
    pub(crate) async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        let mut heard = Vec::with_capacity(MAX_BATCH);
        let mut queue = Vec::with_capacity(MAX_BATCH);
        let mut closing = Vec::new();
        while messages.recv_many(&mut heard, MAX_BATCH).await > 0 {
            for message in heard.drain(..) {
                match message {
                    Message::Work(job) => queue.push(job),
                    Message::Close(reply) => {
                        // What is queued is still done; nothing more comes in.
                        messages.close();
                        closing.push(reply);
                    }
                }
            }
            if !queue.is_empty() {
                self.serve(&mut queue).await;
            }
        }
        self.finish().await;
        for reply in closing {
            // Whoever asked may be gone.
            let _: Result<(), ()> = reply.send(());
        }
    }

    /// Does what is queued, and answers it.
    async fn serve(&mut self, queue: &mut Vec<Job>) {
        let mut held = Vec::with_capacity(queue.len());
        let begin = Instant::now();
        match self.transact(queue, &mut held).await {
            Ok(Done {
                last_event,
                moves,
                standing,
            }) => {
                self.watch.committed(&Commit {
                    changes: held.len(),
                    took: begin.elapsed(),
                    moves: &moves,
                });
                self.tally.commits.fetch_add(1, Ordering::Relaxed);
                self.tally
                    .changes
                    .fetch_add(u64::try_from(held.len()).unwrap_or(0), Ordering::Relaxed);
                // First: whoever was answered must find their own change counted.
                self.last_event.send_if_modified(|last| {
                    let is_new = *last < last_event;
                    *last = last_event.max(*last);
                    is_new
                });
                match standing {
                    Ok(()) => held.into_iter().for_each(Held::give),
                    // It is stored: who asks again may be told that it is there already.
                    Err(error) => {
                        self.watch.failed();
                        tracing::error!(%error, changes = held.len(), "what is stored here may be lost again");
                        let why = error.to_string();
                        for answer in held {
                            answer.fail(&why);
                        }
                    }
                }
            }
            Err(error) => {
                self.watch.failed();
                tracing::error!(%error, changes = held.len() + queue.len(), "nothing of this batch was stored");
                let why = error.to_string();
                for answer in held {
                    answer.fail(&why);
                }
                for job in queue.drain(..) {
                    job.fail(&why);
                }
            }
        }
    }

    /// All of it in one transaction. An error means that nothing of it is stored.
    async fn transact(&mut self, queue: &mut Vec<Job>, held: &mut Vec<Held>) -> Result<Done, StoreError> {
        self.place.check().await?;
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await.map_err(|error| unavailable(&error))?,
        };
        let timing = Arc::clone(&self.timing.borrow());
        // On the heap: there is one of it at a time, and it is large.
        let result = Box::pin(async {
            let mut batch = Batch::begin(&mut connection, &self.clock, timing, &self.defaults, &self.limits).await?;
            batch.hosts = std::mem::take(&mut self.hosts);
            batch.look_ahead(queue).await?;
            let mut jobs = queue.drain(..);
            while let Some(job) = jobs.next() {
                match batch.work(job).await {
                    Ok(answer) => held.push(answer),
                    Err((job, error)) => {
                        let unanswered: Vec<Job> = std::iter::once(job).chain(jobs).collect();
                        *queue = unanswered;
                        return Err(error);
                    }
                }
            }
            drop(jobs);
            batch.commit().await
        })
        .await;
        match result {
            Ok(done) => {
                self.connection = Some(connection);
                if done.hosts.len() <= REMEMBERED {
                    self.hosts = done.hosts;
                }
                self.timing.send_if_modified(|known| {
                    let is_new = *known != done.timing;
                    *known = done.timing;
                    is_new
                });
                let followed = if done.follows || self.file_behind {
                    self.follow(&done.meta.mark, done.follows).await
                } else {
                    Ok(())
                };
                let standing = match followed {
                    Ok(()) => self.place.check().await,
                    behind => behind,
                };
                Ok(Done {
                    last_event: done.meta.last_event,
                    moves: done.moves,
                    standing,
                })
            }
            Err(error) => {
                self.connection = rolled_back(connection).await;
                Err(error)
            }
        }
    }

    /// The epoch file follows the database. A batch that gave or took a permit is not answered before.
    async fn follow(&mut self, mark: &Mark, is_needed: bool) -> Result<(), StoreError> {
        let written = epoch::write(&self.epoch_path, mark).await;
        self.file_behind = written.is_err();
        if is_needed { written } else { Ok(()) }
    }

    /// Everything into the main file, so that it can be copied alone.
    async fn finish(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            let mut script = Script::new();
            script.add("PRAGMA wal_checkpoint(TRUNCATE)");
            if let Err(error) = script.run(&mut connection).await {
                tracing::warn!(error = %unavailable(&error), "the write-ahead log stays: the next start reads it");
            }
            drop(connection.close().await);
        }
    }
}

/// The connection, if it is fit for another batch.
async fn rolled_back(mut connection: SqliteConnection) -> Option<SqliteConnection> {
    let mut script = Script::new();
    script.add("ROLLBACK");
    if script.run(&mut connection).await.is_ok() {
        return Some(connection);
    }
    // No transaction: it never began, or SQLite ended it already. Or worse; a new connection knows.
    drop(connection.close_hard().await);
    None
}
