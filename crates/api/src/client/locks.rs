//! Reboot locks, for programs and the command line.

use reqwest::Method;

use super::{ANSWER_LIMIT_S, Client, ClientError};
use crate::control::{LockGroupSpec, LockGroupView, LockPlaceView, Page, ReleaseLockBody};

impl Client {
    /// Every group that has settings, holders or hosts that wait, by name.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn locks(&self) -> Result<Page<LockGroupView>, ClientError> {
        self.get(&["locks"], &[]).await
    }

    /// A group.
    ///
    /// # Errors
    /// When that is no group's name, or nothing answers.
    pub async fn lock_group(&self, name: &str) -> Result<LockGroupView, ClientError> {
        self.get(&["locks", name], &[]).await
    }

    /// Replaces a group's settings, made from those with this etag (`*`: whatever they are).
    ///
    /// # Errors
    /// When they are malformed or were changed meanwhile, the token may not, or nothing answers.
    pub async fn put_lock_group(
        &self,
        name: &str,
        spec: &LockGroupSpec,
        etag: &str,
    ) -> Result<LockGroupView, ClientError> {
        let url = self.url(&["locks", name], &[])?;
        self.ask_on_top(Method::PUT, &url, Some(spec), Some(etag), ANSWER_LIMIT_S)
            .await
    }

    /// Goes back to a group's built-in settings, from those with this etag (`*`: whatever they are).
    ///
    /// # Errors
    /// When they were changed meanwhile, the token may not, or nothing answers.
    pub async fn reset_lock_group(&self, name: &str, etag: &str) -> Result<LockGroupView, ClientError> {
        let url = self.url(&["locks", name], &[])?;
        self.ask_on_top(Method::DELETE, &url, None::<&LockGroupSpec>, Some(etag), ANSWER_LIMIT_S)
            .await
    }

    /// Gives a host's slot back, or takes it out of those that wait.
    ///
    /// # Errors
    /// When it has no place, the token may not, or nothing answers.
    pub async fn release_lock(&self, host: &str, body: &ReleaseLockBody) -> Result<LockPlaceView, ClientError> {
        self.post(&["hosts", host, "release-lock"], body).await
    }
}
