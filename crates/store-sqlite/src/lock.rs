//! One process a database: two would each believe that they alone wrote the epoch file, and that they alone know what
//! changed.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thirdboot_store::StoreError;

/// How often a lock that is held is tried again: a store that was just closed, or a process that was just killed, lets
/// go a moment later.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// Holds the lock until it is dropped. The system lets go of it when the process dies, however it dies.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held, never read")] File);

/// Takes the lock of a database.
pub(crate) async fn take(db_path: &Path) -> Result<Lock, StoreError> {
    let path = beside(db_path);
    let say = |why: &dyn std::fmt::Display| StoreError::Unavailable(format!("{}: {why}", path.display()));
    let options = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path);
    let file = options.map_err(|error| say(&error))?;
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
            Err(TryLockError::Error(error)) => return Err(say(&error)),
        }
    }
    Err(say(&"another process uses this database: one server a data folder"))
}

fn beside(db_path: &Path) -> PathBuf {
    let mut name = db_path.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    db_path.with_file_name(name)
}
