//! A backup takes the database's place. What it allows to wipe is taken back, always: nobody knows what happened since.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::Connection as _;
use thirdboot_store::{Store as _, Unwatched};

use super::backup::{beside, sync_folder};
use super::{MaintenanceError, failed, file, reader};
use crate::epoch::{self, Mark};
use crate::schema::Schema;
use crate::{OpenOptions, lock, open};

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Hosts that the backup knows.
    pub hosts: u64,
    /// Open permits that were taken back.
    pub voided_permits: u64,
    /// Where the database of before lies now, if there was one.
    pub set_aside: Option<PathBuf>,
}

/// Puts the backup `from` in the place of the database. No server may use it meanwhile; the database of before is set
/// aside, not removed.
///
/// # Errors
/// When the backup is not sound, or was written by a newer version: nothing was changed then.
pub async fn restore(options: OpenOptions, from: &Path) -> Result<Restored, MaintenanceError> {
    let lock = lock::take(&options.db_path).await?;
    let hosts = examine(from).await?;
    let draft = beside(&options.db_path, "restoring")?;
    copy_private(from, &draft)?;
    // From here on every start takes back what is open, also one after a power cut in the middle of this.
    let known = epoch::read(&options.epoch_path)?.unwrap_or_else(Mark::blank);
    let foreign = Mark {
        epoch: String::new(),
        ..known
    };
    epoch::write(&options.epoch_path, &foreign).await?;
    let set_aside = set_aside(&options.db_path)?;
    fs::rename(&draft, &options.db_path).map_err(|error| file(&draft, error))?;
    sync_folder(&options.db_path)?;
    let (store, opened) = open::open_locked(options, lock, Arc::new(Unwatched)).await?;
    store.close().await;
    Ok(Restored {
        hosts,
        voided_permits: opened.voided_permits,
        set_aside,
    })
}

/// How many hosts are in a backup that can be used.
async fn examine(from: &Path) -> Result<u64, MaintenanceError> {
    let no_database = |why: String| MaintenanceError::NoDatabase(from.display().to_string(), why);
    let mut copy = reader(from).await?;
    let verdict: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut copy)
        .await
        .map_err(|error| no_database(error.to_string()))?;
    if verdict != "ok" {
        return Err(no_database(verdict));
    }
    let schema = Schema::of(&mut copy).await?;
    schema.refuse_newer()?;
    if schema.applied.is_empty() {
        return Err(no_database("it has none of its tables".into()));
    }
    let hosts: i64 = sqlx::query_scalar("SELECT count(*) FROM hosts")
        .fetch_one(&mut copy)
        .await
        .map_err(|error| failed(&error))?;
    drop(copy.close().await);
    Ok(u64::try_from(hosts).unwrap_or(0))
}

/// With what a copy of a running database's files may have beside it.
fn copy_private(from: &Path, draft: &Path) -> Result<(), MaintenanceError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut source = fs::File::open(from).map_err(|error| file(from, error))?;
    let mut copy = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(draft)
        .map_err(|error| file(draft, error))?;
    io::copy(&mut source, &mut copy)
        .and_then(|_| copy.sync_all())
        .map_err(|error| file(draft, error))
}

/// Moves the database away, with its write-ahead log: both together are what it was.
fn set_aside(db_path: &Path) -> Result<Option<PathBuf>, MaintenanceError> {
    if !db_path.exists() {
        return Ok(None);
    }
    let mut aside = beside(db_path, "before-restore")?;
    let mut number = 1_u32;
    while aside.exists() {
        number += 1;
        aside = beside(db_path, &format!("before-restore-{number}"))?;
    }
    let rest = |path: &Path, end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    fs::rename(db_path, &aside).map_err(|error| file(db_path, error))?;
    for end in ["-wal", "-shm"] {
        match fs::rename(rest(db_path, end), rest(&aside, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(file(db_path, error)),
            _ => {}
        }
    }
    Ok(Some(aside))
}
