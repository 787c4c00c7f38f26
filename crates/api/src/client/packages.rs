//! Repositories and roles, for programs and the command line.

use reqwest::Method;

use super::{Client, ClientError};
use crate::control::{Empty, Page, RepositorySpec, RepositoryView, Role, RoleSpec, RoleView};

impl Client {
    /// Every package repository, by name.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn repositories(&self) -> Result<Page<RepositoryView>, ClientError> {
        self.get(&["repositories"], &[]).await
    }

    /// A package repository.
    ///
    /// # Errors
    /// When there is none of this name, or nothing answers.
    pub async fn repository(&self, name: &str) -> Result<RepositoryView, ClientError> {
        self.get(&["repositories", name], &[]).await
    }

    /// Adds a package repository, or replaces the one of that name.
    ///
    /// # Errors
    /// When it is malformed, the token may not, or nothing answers.
    pub async fn put_repository(&self, name: &str, spec: &RepositorySpec) -> Result<RepositoryView, ClientError> {
        let url = self.url(&["repositories", name], &[])?;
        self.ask(Method::PUT, &url, Some(spec)).await
    }

    /// Forgets a package repository. The answer is what it was.
    ///
    /// # Errors
    /// When there is none of this name, the token may not, or nothing answers.
    pub async fn remove_repository(&self, name: &str) -> Result<RepositoryView, ClientError> {
        let url = self.url(&["repositories", name], &[])?;
        self.ask(Method::DELETE, &url, None::<&Empty>).await
    }

    /// What every host of each role has.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn roles(&self) -> Result<Page<RoleView>, ClientError> {
        self.get(&["roles"], &[]).await
    }

    /// What every host of a role has.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn role(&self, role: Role) -> Result<RoleView, ClientError> {
        self.get(&["roles", role.as_str()], &[]).await
    }

    /// Replaces what every host of a role has.
    ///
    /// # Errors
    /// When it is malformed, the token may not, or nothing answers.
    pub async fn put_role(&self, role: Role, spec: &RoleSpec) -> Result<RoleView, ClientError> {
        let url = self.url(&["roles", role.as_str()], &[])?;
        self.ask(Method::PUT, &url, Some(spec)).await
    }
}
