//! Package repositories, and what every host of a role has.

use async_trait::async_trait;
use thirdboot_lifecycle::{Repository, RepositoryName, Role, RoleDefaults};

use crate::StoreError;

/// A setting with the number of its changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// Counts the changes, from 1; 0 is what counts where nobody said anything.
    pub version: u64,
    /// The setting.
    pub value: T,
}

/// Where packages come from.
#[async_trait]
pub trait Packages: Send + Sync {
    /// Every repository, in the order of their names.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn repositories(&self) -> Result<Vec<Versioned<Repository>>, StoreError>;

    /// Adds a repository, or replaces the one of its name. Returns its version.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn put_repository(&self, repository: Repository) -> Result<u64, StoreError>;

    /// Forgets a repository. Whether there was one. Hosts that were armed before keep what they were rendered with.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn remove_repository(&self, name: &RepositoryName) -> Result<bool, StoreError>;

    /// What every host of a role has; the built-in defaults where nobody said anything else.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn role_defaults(&self, role: Role) -> Result<Versioned<RoleDefaults>, StoreError>;

    /// Replaces what every host of a role has. Returns its version.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn put_role_defaults(&self, role: Role, defaults: RoleDefaults) -> Result<u64, StoreError>;
}
