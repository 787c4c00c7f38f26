//! Opening: migrations, the clock's floor, the epoch, and only then writer and readers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use thirdboot_lifecycle::Deadlines;
use thirdboot_store::{Clock, Limits, StoreError, Timing, Watch};
use tokio::sync::{mpsc, watch};

use crate::error::unavailable;
use crate::lock::{self, Lock};
use crate::meta::{self, Meta};
use crate::place::Place;
use crate::script::Script;
use crate::writer::Writer;
use crate::{SqliteStore, addresses, deadlines, epoch, restore, schema, search};

/// How long a lock that somebody else holds is waited for.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// Connections that read. More would wait for the same processors.
const READERS: u32 = 3;
/// How long a free reader is waited for.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Page cache of each connection.
const CACHE_KIB: &str = "-8192";
/// Pages of the write-ahead log after which it is copied into the database (32 MiB).
const CHECKPOINT_PAGES: &str = "8000";
/// Changes that may wait for the writer before their callers wait, too.
const QUEUE: usize = 1024;

/// Where a store is, and by which rules it keeps.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The database.
    pub db_path: PathBuf,
    /// The epoch file, beside the master key: never part of a backup of the database.
    pub epoch_path: PathBuf,
    /// The only clock.
    pub clock: Arc<Clock>,
    /// When a stage is late.
    pub deadlines: Deadlines,
    /// Caps on what is kept.
    pub limits: Limits,
}

/// What was found at opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Open permits that were taken back, since the database is an older copy or a foreign one.
    pub voided_permits: u64,
    /// There was no database before.
    pub created: bool,
}

pub(crate) async fn open(options: OpenOptions, watch: Arc<dyn Watch>) -> Result<(SqliteStore, Opened), StoreError> {
    let lock = lock::take(&options.db_path).await?;
    open_locked(options, lock, watch).await
}

/// The same for who holds the lock.
pub(crate) async fn open_locked(
    options: OpenOptions,
    lock: Lock,
    watch: Arc<dyn Watch>,
) -> Result<(SqliteStore, Opened), StoreError> {
    make_private(&options.db_path)?;
    let place = Place::of(&options.db_path).await?;
    let writing = writing(&options.db_path);
    let mut connection = migrated(&writing).await?;
    let timing = Arc::new(deadlines::in_force(&mut connection, &options.deadlines).await?);
    let (meta, opened) = settle(&mut connection, &options, &timing).await?;
    deadlines::renew(&mut connection, &timing.stages).await?;
    addresses::read_once(&mut connection).await?;
    search::fill(&mut connection).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .connect_with(reading(&options.db_path))
        .await
        .map_err(|error| unavailable(&error))?;
    let begun = Begun {
        place,
        writing,
        lock,
        connection,
        readers,
        watch,
        timing,
    };
    Ok((start(options, begun, &meta), opened))
}

/// The writing connection, with the schema of this version.
pub(crate) async fn migrated(options: &SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
    // A pool of one: the migrator takes no plain connection in a future that moves between threads.
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options.clone())
        .await
        .map_err(|error| unavailable(&error))?;
    schema::migrate(&pool).await?;
    let connection = pool.acquire().await.map_err(|error| unavailable(&error))?;
    Ok(connection.detach())
}

/// What is open.
struct Begun {
    place: Place,
    writing: SqliteConnectOptions,
    lock: Lock,
    connection: SqliteConnection,
    readers: SqlitePool,
    watch: Arc<dyn Watch>,
    timing: Arc<Timing>,
}

fn start(options: OpenOptions, begun: Begun, meta: &Meta) -> SqliteStore {
    let (writer, messages) = mpsc::channel(QUEUE);
    let (timing, in_force) = watch::channel(begun.timing);
    let (last_event, changes) = watch::channel(meta.last_event);
    let tally = Arc::default();
    let worker = Writer {
        _lock: begun.lock,
        place: begun.place,
        options: begun.writing,
        hosts: HashMap::new(),
        connection: Some(begun.connection),
        epoch_path: options.epoch_path,
        file_behind: false,
        clock: Arc::clone(&options.clock),
        defaults: options.deadlines,
        timing,
        limits: options.limits,
        last_event,
        tally: Arc::clone(&tally),
        watch: begun.watch,
    };
    tokio::spawn(worker.run(messages));
    SqliteStore {
        clock: options.clock,
        writer,
        readers: begun.readers,
        changes,
        timing: in_force,
        tally,
    }
}

/// Compares database and epoch file, and takes back what must not be open.
async fn settle(
    connection: &mut SqliteConnection,
    options: &OpenOptions,
    timing: &Arc<Timing>,
) -> Result<(Meta, Opened), StoreError> {
    let file = epoch::read(&options.epoch_path)?;
    let found = meta::load(connection).await.map_err(|error| unavailable(&error))?;
    let created = found.is_none();
    let mut meta = match found {
        Some(row) => row.try_into()?,
        None => Meta {
            mark: epoch::Mark::blank(),
            last_time: options.clock.now(),
            last_event: 0,
        },
    };
    options.clock.not_before(meta.last_time);
    let mut voided_permits = 0;
    if !meta.mark.continues(file.as_ref()) {
        meta.mark = meta.mark.renewed(file.as_ref())?;
        if created {
            let mut script = Script::new();
            meta::store(&mut script, &meta);
            script.run(connection).await.map_err(|error| unavailable(&error))?;
        } else {
            (meta, voided_permits) = Box::pin(restore::void_permits(connection, options, timing, meta.mark)).await?;
        }
    }
    if file.as_ref() != Some(&meta.mark) {
        epoch::write(&options.epoch_path, &meta.mark).await?;
    }
    Ok((
        meta,
        Opened {
            voided_permits,
            created,
        },
    ))
}

/// The database holds password hashes and sealed secrets: nobody else reads it. SQLite gives its other files the same mode.
fn make_private(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map(|_| ())
        .map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))
}

pub(crate) fn writing(path: &Path) -> SqliteConnectOptions {
    common(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .thread_name(|_| "store-writer".to_owned())
}

pub(crate) fn reading(path: &Path) -> SqliteConnectOptions {
    common(path)
        .read_only(true)
        .thread_name(|number| format!("store-reader-{number}"))
}

fn common(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("cache_size", CACHE_KIB)
        .disable_statement_logging()
}
