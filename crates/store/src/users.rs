//! People who sign in to the pages, and their sessions.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{AccessRole, StoreError};

/// The field of `Taken` when somebody was to be the first user and is not.
pub const FIRST_USER: &str = "first-user";

/// Verbs for people and their sessions.
#[async_trait]
pub trait Users: Send + Sync {
    /// Adds a user.
    ///
    /// # Errors
    /// `Taken` (field `name`) when there is one of that name.
    async fn add_user(&self, user: User) -> Result<(), StoreError>;

    /// Adds a user if nobody has a password yet.
    ///
    /// # Errors
    /// `Taken` (field [`FIRST_USER`]) when somebody has one, or (field `name`) when there is one of that name.
    async fn add_first_user(&self, user: User) -> Result<(), StoreError>;

    /// Every user, by name.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn users(&self) -> Result<Vec<User>, StoreError>;

    /// The user of that name.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn user(&self, name: &str) -> Result<Option<User>, StoreError>;

    /// Replaces what a user may do, from now on in their sessions, too. Whether there is such a user.
    ///
    /// # Errors
    /// `LastAdmin` when nobody else with a password would be one.
    async fn set_role(&self, name: &str, role: AccessRole) -> Result<bool, StoreError>;

    /// Replaces the link with which a user chooses their password. Whether there is such a user.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn set_link(&self, name: &str, sha256: &str, expires_at: Timestamp) -> Result<bool, StoreError>;

    /// The user whose link has that hash, if it is not over.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn user_of_link(&self, sha256: &str) -> Result<Option<User>, StoreError>;

    /// Uses a link up: sets its user's password, and ends their sessions. Whether there was one that is not over.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn follow_link(&self, sha256: &str, password_hash: String) -> Result<bool, StoreError>;

    /// Replaces a user's password, and ends their sessions and their link. Whether there is such a user.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn set_password(&self, name: &str, password_hash: String) -> Result<bool, StoreError>;

    /// Takes a user away, and ends their sessions. Whether there was one.
    ///
    /// # Errors
    /// `LastAdmin` when nobody else with a password is one.
    async fn remove_user(&self, name: &str) -> Result<bool, StoreError>;

    /// Opens a session of a user whose password is still that of `password_hash`, and forgets those that are over.
    /// Whether it was opened.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn open_session(&self, session: Session, password_hash: &str) -> Result<bool, StoreError>;

    /// The session with that hash and what its user may do, if it is not over.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn session(&self, sha256: &str) -> Result<Option<(Session, AccessRole)>, StoreError>;

    /// Ends a session.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn close_session(&self, sha256: &str) -> Result<(), StoreError>;
}

/// Somebody who may sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Unique among users.
    pub name: String,
    /// What they may do.
    pub role: AccessRole,
    /// Argon2id, in the PHC string format; none for whoever did not choose a password yet.
    pub password_hash: Option<String>,
    /// When they were added.
    pub created_at: Timestamp,
    /// Who added them; none for the one who followed the set-up link.
    pub created_by: Option<String>,
    /// When the password was last set, if there is one.
    pub password_set_at: Option<Timestamp>,
    /// Until when there is a link with which they choose a password.
    pub link_expires_at: Option<Timestamp>,
}

impl std::fmt::Debug for User {
    /// Without the hash.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Hex SHA-256 of what their browser keeps.
    pub sha256: String,
    /// Whose.
    pub user: String,
    /// Since when.
    pub opened_at: Timestamp,
    /// From then on it is over.
    pub expires_at: Timestamp,
}
