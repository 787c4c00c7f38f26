//! Package repositories, and what every host of a role has.

use async_trait::async_trait;
use sqlx::sqlite::SqlitePool;
use thirdboot_lifecycle::{Repository, RepositoryName, Role, RoleDefaults};
use thirdboot_store::{Packages, StoreError, Versioned};

use crate::SqliteStore;
use crate::batch::Batch;
use crate::error::unavailable;
use crate::job::Job;
use crate::read::json;
use crate::rows::{parse, unsigned};

/// What is to be written.
pub(crate) enum Change {
    Put(Repository),
    Remove(RepositoryName),
    Defaults(Role, RoleDefaults),
}

/// Writes it. The version that came out; 0 where nothing was there to be removed.
pub(crate) async fn write(batch: &mut Batch<'_>, change: &Change) -> Result<u64, StoreError> {
    let query = match change {
        Change::Put(repository) => sqlx::query_scalar(
            "INSERT INTO repositories (name, version, repository) VALUES (?, 1, ?) ON CONFLICT (name) \
             DO UPDATE SET version = version + 1, repository = excluded.repository RETURNING version",
        )
        .bind(repository.name.as_str())
        .bind(json(repository)),
        Change::Remove(name) => {
            sqlx::query_scalar("DELETE FROM repositories WHERE name = ? RETURNING version").bind(name.as_str())
        }
        Change::Defaults(role, defaults) => sqlx::query_scalar(
            "INSERT INTO role_defaults (role, version, defaults) VALUES (?, 1, ?) ON CONFLICT (role) \
             DO UPDATE SET version = version + 1, defaults = excluded.defaults RETURNING version",
        )
        .bind(role.as_str())
        .bind(json(defaults)),
    };
    let version: Option<i64> = query
        .fetch_optional(&mut *batch.connection)
        .await
        .map_err(|error| unavailable(&error))?;
    unsigned("repositories", &"version", version.unwrap_or_default())
}

#[async_trait]
impl Packages for SqliteStore {
    async fn repositories(&self) -> Result<Vec<Versioned<Repository>>, StoreError> {
        let rows: Vec<(String, i64, String)> =
            sqlx::query_as("SELECT name, version, repository FROM repositories ORDER BY name")
                .fetch_all(&self.readers)
                .await
                .map_err(|error| unavailable(&error))?;
        rows.into_iter()
            .map(|(name, version, text)| {
                Ok(Versioned {
                    version: unsigned("repositories", &name, version)?,
                    value: parse("repositories", &name, &text)?,
                })
            })
            .collect()
    }

    async fn put_repository(&self, repository: Repository) -> Result<u64, StoreError> {
        self.ask(|reply| Job::Packages(Change::Put(repository), reply)).await
    }

    async fn remove_repository(&self, name: &RepositoryName) -> Result<bool, StoreError> {
        let change = Change::Remove(name.clone());
        let version = self.ask(|reply| Job::Packages(change, reply)).await?;
        Ok(version > 0)
    }

    async fn role_defaults(&self, role: Role) -> Result<Versioned<RoleDefaults>, StoreError> {
        role_defaults(&self.readers, role).await
    }

    async fn put_role_defaults(&self, role: Role, defaults: RoleDefaults) -> Result<u64, StoreError> {
        self.ask(|reply| Job::Packages(Change::Defaults(role, defaults), reply))
            .await
    }
}

async fn role_defaults(on: &SqlitePool, role: Role) -> Result<Versioned<RoleDefaults>, StoreError> {
    let row: Option<(i64, String)> = sqlx::query_as("SELECT version, defaults FROM role_defaults WHERE role = ?")
        .bind(role.as_str())
        .fetch_optional(on)
        .await
        .map_err(|error| unavailable(&error))?;
    Ok(match row {
        Some((version, text)) => Versioned {
            version: unsigned("role_defaults", &role.as_str(), version)?,
            value: parse("role_defaults", &role.as_str(), &text)?,
        },
        None => Versioned {
            version: 0,
            value: RoleDefaults::built_in(role),
        },
    })
}
