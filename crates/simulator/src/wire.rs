//! The machines' shared way to the server.

use std::sync::Arc;

use thirdboot_api::boot::{ClaimBody, ClusterBody, GrantAnswer, JoinAnswer, JoinBody, ReportBody, StageAnswer};
use thirdboot_api::{BootClient, ClientError, Fetched, Token};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::updates::Lock;

/// What keeps a machine from going on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// No answer, or a refusal.
    #[error(transparent)]
    Wire(#[from] ClientError),
    /// What came cannot be used.
    #[error("the {what} cannot be used: {why}")]
    Unreadable { what: &'static str, why: String },
}

impl Trouble {
    pub(crate) fn unreadable(what: &'static str, why: impl Into<String>) -> Self {
        Self::Unreadable { what, why: why.into() }
    }

    /// Whether the same may go well later.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Wire(error) if error.is_passing())
    }
}

/// One HTTP client for a whole fleet, with a cap on the requests under way: ten thousand machines shall not need ten
/// thousand sockets.
#[derive(Debug, Clone)]
pub struct Wire {
    boot: BootClient,
    slots: Arc<Semaphore>,
}

impl Wire {
    /// At most `requests` are under way at any moment.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(requests: usize) -> Result<Self, ClientError> {
        Ok(Self {
            boot: BootClient::new()?,
            slots: Arc::new(Semaphore::new(requests.max(1))),
        })
    }

    /// The semaphore is never closed: without a slot there would be nothing to wait for.
    async fn slot(&self) -> Option<SemaphorePermit<'_>> {
        self.slots.acquire().await.ok()
    }

    pub(crate) async fn get(&self, url: &str) -> Result<Fetched, Trouble> {
        let _slot = self.slot().await;
        Ok(self.boot.get(url).await?)
    }

    pub(crate) async fn head(&self, url: &str) -> Result<Fetched, Trouble> {
        let _slot = self.slot().await;
        Ok(self.boot.head(url).await?)
    }

    pub(crate) async fn claim(&self, to: &Address, body: &ClaimBody) -> Result<GrantAnswer, ClientError> {
        let _slot = self.slot().await;
        self.boot.claim(&to.url, &to.secret, body).await
    }

    pub(crate) async fn report(&self, to: &Address, body: &ReportBody) -> Result<StageAnswer, ClientError> {
        let _slot = self.slot().await;
        self.boot.report(&to.url, &to.secret, body).await
    }

    pub(crate) async fn reboot_lock(&self, lock: &Lock, question: &str) -> Result<(), ClientError> {
        let _slot = self.slot().await;
        let who = (lock.id.as_str(), lock.group.as_str());
        self.boot.reboot_lock(&lock.url, &lock.secret, question, who).await
    }

    pub(crate) async fn join(&self, to: &Address, body: &JoinBody) -> Result<JoinAnswer, ClientError> {
        let _slot = self.slot().await;
        self.boot.join(&to.url, &to.secret, body).await
    }

    pub(crate) async fn cluster(&self, to: &Address, body: &ClusterBody) -> Result<(), ClientError> {
        let _slot = self.slot().await;
        self.boot.cluster(&to.url, &to.secret, body).await
    }
}

/// Where a host reports, and as whom.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// The URL in front of `/v1/…`.
    pub(crate) url: String,
    /// The bearer secret.
    pub(crate) secret: Token,
    /// The run, counted per host.
    pub(crate) run: u32,
}
