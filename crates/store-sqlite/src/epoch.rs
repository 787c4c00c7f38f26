//! The epoch file beside the master key: what a copy of the database cannot bring back.
//!
//! Database and file say the same epoch, and the file never says more than the database it belongs to: it is written
//! after the commit and before the answer. A database that knows less than the file is an older copy, and one of
//! another epoch a foreign one; in both every open permit is void.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thirdboot_store::StoreError;

/// What file and database both say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// Random; new whenever the database is found to be another one than before.
    pub(crate) epoch: String,
    /// Rises whenever a permit is given away or taken back.
    pub(crate) permit_seq: u64,
    /// The highest number a host ever had: it stands in secrets.
    #[serde(default)]
    pub(crate) last_host: u64,
}

impl Mark {
    /// Whether a database with this mark is the one that the file was last written for, or that one a moment later.
    pub(crate) fn continues(&self, file: Option<&Self>) -> bool {
        file.is_some_and(|file| {
            file.epoch == self.epoch && self.permit_seq >= file.permit_seq && self.last_host >= file.last_host
        })
    }

    /// The mark of a new life after this one and what the file says.
    pub(crate) fn renewed(&self, file: Option<&Self>) -> Result<Self, StoreError> {
        Ok(Self {
            epoch: new_epoch()?,
            permit_seq: self.permit_seq.max(file.map_or(0, |file| file.permit_seq)),
            last_host: self.last_host.max(file.map_or(0, |file| file.last_host)),
        })
    }

    /// The mark of a database that nothing was ever written to.
    pub(crate) fn blank() -> Self {
        Self {
            epoch: String::new(),
            permit_seq: 0,
            last_host: 0,
        }
    }
}

fn new_epoch() -> Result<String, StoreError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|why| StoreError::Unavailable(format!("no random numbers: {why}")))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Reads the file. One that cannot be understood belongs to no database: it counts as foreign.
pub(crate) fn read(path: &Path) -> Result<Option<Mark>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).unwrap_or_else(|_| Mark::blank()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unwritable(path, &error)),
    }
}

/// Writes the file so that after a power cut it is either the old or the new one.
pub(crate) async fn write(path: &Path, mark: &Mark) -> Result<(), StoreError> {
    let (path, mark) = (path.to_owned(), mark.clone());
    tokio::task::spawn_blocking(move || write_blocking(&path, &mark).map_err(|error| unwritable(&path, &error)))
        .await
        .unwrap_or_else(|_| Err(StoreError::Unavailable("the epoch file was not written".into())))
}

fn write_blocking(path: &Path, mark: &Mark) -> io::Result<()> {
    let beside = beside(path);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(&serde_json::to_vec(mark)?)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

fn unwritable(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Unavailable(format!("the epoch file {}: {error}", path.display()))
}
