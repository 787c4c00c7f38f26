//! The verbs for people and their sessions: nothing of them is remembered.

use async_trait::async_trait;
use jiff::Timestamp;
use thirdboot_store::{AccessRole, Session, StoreError, User, Users};

use super::Recent;

#[async_trait]
impl Users for Recent {
    async fn add_user(&self, user: User) -> Result<(), StoreError> {
        self.inner.add_user(user).await
    }

    async fn add_first_user(&self, user: User) -> Result<(), StoreError> {
        self.inner.add_first_user(user).await
    }

    async fn users(&self) -> Result<Vec<User>, StoreError> {
        self.inner.users().await
    }

    async fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        self.inner.user(name).await
    }

    async fn set_role(&self, name: &str, role: AccessRole) -> Result<bool, StoreError> {
        self.inner.set_role(name, role).await
    }

    async fn set_link(&self, name: &str, sha256: &str, expires_at: Timestamp) -> Result<bool, StoreError> {
        self.inner.set_link(name, sha256, expires_at).await
    }

    async fn user_of_link(&self, sha256: &str) -> Result<Option<User>, StoreError> {
        self.inner.user_of_link(sha256).await
    }

    async fn follow_link(&self, sha256: &str, password_hash: String) -> Result<bool, StoreError> {
        self.inner.follow_link(sha256, password_hash).await
    }

    async fn set_password(&self, name: &str, password_hash: String) -> Result<bool, StoreError> {
        self.inner.set_password(name, password_hash).await
    }

    async fn remove_user(&self, name: &str) -> Result<bool, StoreError> {
        self.inner.remove_user(name).await
    }

    async fn open_session(&self, session: Session, password_hash: &str) -> Result<bool, StoreError> {
        self.inner.open_session(session, password_hash).await
    }

    async fn session(&self, sha256: &str) -> Result<Option<(Session, AccessRole)>, StoreError> {
        self.inner.session(sha256).await
    }

    async fn close_session(&self, sha256: &str) -> Result<(), StoreError> {
        self.inner.close_session(sha256).await
    }
}
