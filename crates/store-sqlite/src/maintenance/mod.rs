//! What an operator does to a database as a file: back it up, look whether it is sound, bring it to this version's schema,
//! put a backup in its place, seal anew what is sealed in it.

mod backup;
mod check;
mod migrate;
mod reseal;
mod restore;

use std::path::Path;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnection;
use thirdboot_store::StoreError;

pub use backup::{BackedUp, backup};
pub use check::{Checked, check};
pub use migrate::{Migrated, migrate};
pub use reseal::{Sealed, reseal};
pub use restore::{Restored, restore};

use crate::error::unavailable;
use crate::open;

/// SQLite's code for a file of another kind.
const NOT_A_DATABASE: &str = "26";

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// The database refuses.
    #[error("{}", plain(.0))]
    Store(#[from] StoreError),
    /// A file refuses.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// Nothing is overwritten.
    #[error("{0} is there already: expected a new file")]
    Exists(String),
    /// No database is there.
    #[error("{0} is no database of thirdboot: {1}")]
    NoDatabase(String, String),
}

/// Without the words that are for those who ask a running store.
fn plain(error: &StoreError) -> String {
    match error {
        StoreError::Unavailable(why) => why.clone(),
        other => other.to_string(),
    }
}

fn file(path: &Path, error: std::io::Error) -> MaintenanceError {
    MaintenanceError::File {
        path: path.display().to_string(),
        error,
    }
}

fn failed(error: &sqlx::Error) -> MaintenanceError {
    unavailable(error).into()
}

/// A connection that reads only, beside whoever writes.
async fn reader(path: &Path) -> Result<SqliteConnection, MaintenanceError> {
    if !path.is_file() {
        return Err(MaintenanceError::NoDatabase(
            path.display().to_string(),
            "no such file".into(),
        ));
    }
    open::reading(path).connect().await.map_err(|error| match &error {
        sqlx::Error::Database(said) if said.code().as_deref() == Some(NOT_A_DATABASE) => {
            MaintenanceError::NoDatabase(path.display().to_string(), said.message().to_owned())
        }
        _ => failed(&error),
    })
}
