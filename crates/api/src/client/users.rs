//! People who sign in to the pages.

use reqwest::Method;

use super::{Client, ClientError};
use crate::control::{AccessRole, Empty, Page, PasswordBody, RoleBody, UserLink, UserSpec, UserView};

impl Client {
    /// Every user, by name.
    ///
    /// # Errors
    /// When the token may not, or nothing answers.
    pub async fn users(&self) -> Result<Page<UserView>, ClientError> {
        self.get(&["users"], &[]).await
    }

    /// Adds a user.
    ///
    /// # Errors
    /// When there is one of that name, the password is too short, the token may not, or nothing answers.
    pub async fn add_user(&self, spec: &UserSpec) -> Result<UserView, ClientError> {
        self.post(&["users"], spec).await
    }

    /// Takes a user away, and ends their sessions. The answer is who it was.
    ///
    /// # Errors
    /// When there is none of that name, the token may not, or nothing answers.
    pub async fn remove_user(&self, name: &str) -> Result<UserView, ClientError> {
        self.delete(&["users", name]).await
    }

    /// Sets what a user may do, also in their sessions.
    ///
    /// # Errors
    /// When there is none of that name, the token may not, or nothing answers.
    pub async fn set_role(&self, name: &str, role: AccessRole) -> Result<UserView, ClientError> {
        let url = self.url(&["users", name, "role"], &[])?;
        self.ask(Method::PUT, &url, Some(&RoleBody { role })).await
    }

    /// Makes the link with which a user chooses their password. An earlier one leads nowhere then.
    ///
    /// # Errors
    /// When there is none of that name, the token may not, or nothing answers.
    pub async fn user_link(&self, name: &str) -> Result<UserLink, ClientError> {
        self.post(&["users", name, "link"], &Empty {}).await
    }

    /// Sets another password, and ends the user's sessions.
    ///
    /// # Errors
    /// When there is no such user, the password is too short, the token may not, or nothing answers.
    pub async fn set_password(&self, name: &str, password: &PasswordBody) -> Result<UserView, ClientError> {
        let url = self.url(&["users", name, "password"], &[])?;
        self.ask(Method::PUT, &url, Some(password)).await
    }
}
