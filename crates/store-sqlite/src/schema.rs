//! Which schema a database has, and which one this version writes. Migrations go forward only.

use std::collections::BTreeSet;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use thirdboot_store::StoreError;

use crate::error::unavailable;

/// Every migration that this version knows.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// What was applied to a database, and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// Migrations in the database, in order.
    pub applied: Vec<i64>,
    /// Migrations of this version that the database lacks.
    pub missing: Vec<i64>,
    /// Migrations in the database that this version does not know: a newer one wrote it.
    pub unknown: Vec<i64>,
}

impl Schema {
    /// Reads it. A database without any migration is an empty one.
    pub(crate) async fn of(connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        let has_table: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')")
                .fetch_one(&mut *connection)
                .await
                .map_err(|error| unavailable(&error))?;
        let applied: Vec<i64> = if has_table {
            sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
                .fetch_all(connection)
                .await
                .map_err(|error| unavailable(&error))?
        } else {
            Vec::new()
        };
        let known: BTreeSet<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        let there: BTreeSet<i64> = applied.iter().copied().collect();
        Ok(Self {
            missing: known.difference(&there).copied().collect(),
            unknown: there.difference(&known).copied().collect(),
            applied,
        })
    }

    /// Refuses a database that a newer version wrote.
    pub(crate) fn refuse_newer(&self) -> Result<(), StoreError> {
        match self.unknown.last() {
            Some(unknown) => Err(newer(*unknown)),
            None => Ok(()),
        }
    }
}

/// Applies what is missing, each migration in a transaction of its own.
pub(crate) async fn migrate(pool: &SqlitePool) -> Result<(), StoreError> {
    MIGRATIONS.run(pool).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => newer(version),
        error => StoreError::Unavailable(format!("migrations: {error}")),
    })
}

fn newer(unknown: i64) -> StoreError {
    let latest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    StoreError::Unavailable(format!(
        "the database was written by a newer version of thirdboot: it has migration {unknown:04}, this version knows none \
         after {latest:04}. Start the newer version, or restore a backup from before the upgrade"
    ))
}
