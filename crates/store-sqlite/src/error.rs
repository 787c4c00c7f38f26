//! What SQLite says, in the store's words.

use std::fmt::Display;

use sqlx::error::ErrorKind;
use thirdboot_store::StoreError;

/// Any failure of the database is "ask again". SQLite's messages name tables and columns, never values.
pub(crate) fn unavailable(error: &sqlx::Error) -> StoreError {
    let why = match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::PoolTimedOut => "every reader is busy".to_owned(),
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => "it is closed".to_owned(),
        other => other.to_string(),
    };
    StoreError::Unavailable(why)
}

/// The answer to everything after `close`.
pub(crate) fn closed() -> StoreError {
    StoreError::Unavailable("it is closed".to_owned())
}

/// A row is not as it was read: the version that guards it is another one.
pub(crate) fn moved() -> StoreError {
    StoreError::Unavailable("a host's row has changed since it was read: somebody else writes to this database".into())
}

/// Whether the version that guards a row was another one.
pub(crate) fn is_moved(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if matches!(error.kind(), ErrorKind::NotNullViolation))
}

/// Whether two rows claim the same name or identifier.
pub(crate) fn is_unique_violation(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.is_unique_violation())
}

/// JSON that does not read as what this version writes. The parser's own words may quote a value: they are not passed on.
pub(crate) fn corrupt(table: &'static str, row: &dyn Display, why: &serde_json::Error) -> StoreError {
    StoreError::Corrupt {
        table,
        row: row.to_string(),
        why: format!(
            "{:?} error in line {} column {}",
            why.classify(),
            why.line(),
            why.column()
        ),
    }
}

/// A value that cannot be.
pub(crate) fn impossible(table: &'static str, row: &dyn Display, why: impl Into<String>) -> StoreError {
    StoreError::Corrupt {
        table,
        row: row.to_string(),
        why: why.into(),
    }
}
