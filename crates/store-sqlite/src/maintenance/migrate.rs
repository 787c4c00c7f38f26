//! The schema of this version, without a server.

use std::path::Path;

use sqlx::Connection as _;

use super::{MaintenanceError, reader};
use crate::schema::Schema;
use crate::{lock, open};

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Migrations that were there before.
    pub before: Vec<i64>,
    /// Migrations that were applied now.
    pub applied: Vec<i64>,
}

/// Applies what the database lacks. No server may use it meanwhile.
///
/// # Errors
/// When there is no database, it is in use, or a newer version wrote it.
pub async fn migrate(db_path: &Path) -> Result<Migrated, MaintenanceError> {
    let mut found = reader(db_path).await?;
    let schema = Schema::of(&mut found).await?;
    drop(found.close().await);
    schema.refuse_newer()?;
    let _lock = lock::take(db_path).await?;
    let connection = open::migrated(&open::writing(db_path)).await?;
    drop(connection.close().await);
    Ok(Migrated {
        before: schema.applied,
        applied: schema.missing,
    })
}
