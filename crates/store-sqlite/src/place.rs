//! Whether the database that is open is still the one that stands at its path.
//!
//! A folder that was moved away, or whose mount is gone, leaves SQLite with open files that nobody finds again: what is
//! written there is acknowledged and lost. So nothing is written while the path leads elsewhere.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use thirdboot_store::StoreError;

/// Where the database is, and which file that was when it was opened.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    file: (u64, u64),
}

impl Place {
    /// The file that is there now.
    pub(crate) async fn of(path: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            path: path.to_owned(),
            file: identity(path).await?,
        })
    }

    /// Refuses when the file is gone, or another one.
    pub(crate) async fn check(&self) -> Result<(), StoreError> {
        if identity(&self.path).await? == self.file {
            return Ok(());
        }
        Err(StoreError::Unavailable(format!(
            "{} is another file than the one that is open: bring the first one back, or start the server anew",
            self.path.display()
        )))
    }
}

/// File system and number of a file. A mount that hangs may take long to answer.
async fn identity(path: &Path) -> Result<(u64, u64), StoreError> {
    let found = tokio::fs::metadata(path).await;
    let found = found.map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))?;
    Ok((found.dev(), found.ino()))
}
