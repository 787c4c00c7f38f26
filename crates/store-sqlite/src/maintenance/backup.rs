//! A copy of a database that is in use: one read transaction, so that it is of one moment, and writers go on meanwhile.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sqlx::{Connection as _, Executor as _};

use super::{MaintenanceError, failed, file, reader};
use crate::schema::Schema;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// Size of the copy in bytes.
    pub bytes: u64,
    /// Hosts in it.
    pub hosts: u64,
}

/// Copies the database at `db_path` to `into`, which must not be there. It is whole and on the disk when this returns,
/// or not there at all.
///
/// # Errors
/// When either file refuses, or the copy is not sound.
pub async fn backup(db_path: &Path, into: &Path) -> Result<BackedUp, MaintenanceError> {
    if into.exists() {
        return Err(MaintenanceError::Exists(into.display().to_string()));
    }
    let draft = beside(into, "part")?;
    let written = write(db_path, &draft).await;
    let done = match written {
        Ok(done) => keep(&draft, into).map(|()| done),
        Err(error) => Err(error),
    };
    if done.is_err() {
        let _ = fs::remove_file(&draft);
    }
    done
}

async fn write(db_path: &Path, draft: &Path) -> Result<BackedUp, MaintenanceError> {
    let mut source = reader(db_path).await?;
    Schema::of(&mut source).await?.refuse_newer()?;
    // SQLite writes into an empty file that is there, and leaves its mode: password hashes are in it.
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(draft)
        .map_err(|error| file(draft, error))?;
    let name = draft.to_str().ok_or_else(|| {
        file(
            draft,
            io::Error::new(io::ErrorKind::InvalidInput, "the path is not UTF-8"),
        )
    })?;
    sqlx::query("VACUUM INTO ?")
        .bind(name)
        .execute(&mut source)
        .await
        .map_err(|error| failed(&error))?;
    drop(source.close().await);
    let mut copy = reader(draft).await?;
    let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(&mut copy)
        .await
        .map_err(|error| failed(&error))?;
    if verdict != "ok" {
        return Err(MaintenanceError::NoDatabase(draft.display().to_string(), verdict));
    }
    let hosts: i64 = sqlx::query_scalar("SELECT count(*) FROM hosts")
        .fetch_one(&mut copy)
        .await
        .map_err(|error| failed(&error))?;
    copy.execute("PRAGMA optimize").await.ok();
    drop(copy.close().await);
    let bytes = fs::metadata(draft).map_err(|error| file(draft, error))?.len();
    Ok(BackedUp {
        bytes,
        hosts: u64::try_from(hosts).unwrap_or(0),
    })
}

/// On the disk before it has its name.
fn keep(draft: &Path, into: &Path) -> Result<(), MaintenanceError> {
    File::open(draft)
        .and_then(|draft| draft.sync_all())
        .map_err(|error| file(draft, error))?;
    match fs::hard_link(draft, into) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(MaintenanceError::Exists(into.display().to_string()));
        }
        linked => linked.map_err(|error| file(into, error))?,
    }
    fs::remove_file(draft).map_err(|error| file(draft, error))?;
    sync_folder(into)
}

/// Makes a rename durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), MaintenanceError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| file(folder, error))
}

/// `name.suffix` in the same folder.
pub(super) fn beside(path: &Path, suffix: &str) -> Result<PathBuf, MaintenanceError> {
    let Some(name) = path.file_name() else {
        let why = io::Error::new(io::ErrorKind::InvalidInput, "expected the name of a file");
        return Err(file(path, why));
    };
    let mut name = name.to_owned();
    name.push(".");
    name.push(suffix);
    Ok(path.with_file_name(name))
}
