//! Who may do what on the control plane, and who did.

use async_trait::async_trait;
use jiff::Timestamp;
use thirdboot_lifecycle::Host;

use crate::{AccessRole, Actor, HostState, Page, StoreError, Token};

/// The field of `Taken` when a request with that Idempotency-Key was answered already.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Verbs for tokens, kept answers and the audit.
#[async_trait]
pub trait Access: Send + Sync {
    /// Keeps a token's hash, and the answer to whoever asked for it, both or none.
    ///
    /// # Errors
    /// `Taken` when the name is in use, or (field [`IDEMPOTENCY_KEY`]) the answer's key.
    async fn create_token(&self, token: Token, by: String, answer: Option<KeptAnswer>) -> Result<(), StoreError>;

    /// Every token, by name.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn tokens(&self) -> Result<Vec<ListedToken>, StoreError>;

    /// Takes a token away. The last admin's token stays.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn revoke_token(&self, name: &str) -> Result<Revocation, StoreError>;

    /// Notes that a token was used. A time before the noted one changes nothing.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn note_token_use(&self, name: &str, at: Timestamp) -> Result<(), StoreError>;

    /// Adds hosts as `add_hosts` does, and keeps the answer to whoever asked for it, all or none. The answer is rendered
    /// of the hosts as they will be, addresses from pools included.
    ///
    /// # Errors
    /// `Taken` names field, value and owner; field [`IDEMPOTENCY_KEY`] when the key was used already.
    async fn add_hosts_once(
        &self,
        hosts: Vec<Host>,
        by: Actor,
        key: AnswerKey,
        render: RenderAnswer,
    ) -> Result<Vec<HostState>, StoreError>;

    /// Keeps an answer by itself.
    ///
    /// # Errors
    /// `Taken` (field [`IDEMPOTENCY_KEY`]) when the key was used already.
    async fn keep_answer(&self, answer: KeptAnswer) -> Result<(), StoreError>;

    /// The answer that was kept for this key of this caller.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn kept_answer(&self, caller: &str, key: &str) -> Result<Option<KeptAnswer>, StoreError>;

    /// Writes down who did what. The store's clock gives the time.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn audit(&self, deed: Deed) -> Result<(), StoreError>;

    /// A page of the audit, the latest first.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn audited(&self, filter: &AuditFilter) -> Result<Page<Audited>, StoreError>;
}

/// A token in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedToken {
    /// Unique, for people.
    pub name: String,
    /// What it may do.
    pub role: AccessRole,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it; none for that of the first start.
    pub created_by: Option<String>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// What became of a token that was to be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// It is gone.
    Revoked,
    /// There is none of that name.
    Unknown,
    /// It is the last one of an admin: without it nobody could make another.
    LastAdmin,
}

/// Under which an answer is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerKey {
    /// Whose request it is.
    pub caller: String,
    /// The key.
    pub key: String,
}

/// Renders the answer to whoever adds these hosts.
pub type RenderAnswer = Box<dyn FnOnce(&[HostState]) -> Result<KeptAnswer, StoreError> + Send + Sync>;

/// How a request with an Idempotency-Key was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Whose request it was.
    pub caller: String,
    /// The key.
    pub key: String,
    /// Hex SHA-256 of the request: another one with the same key is refused.
    pub request_sha256: String,
    /// When it was answered.
    pub at: Timestamp,
    /// The answer, sealed by the caller of the store: it may carry a secret.
    pub sealed: Vec<u8>,
}

/// Who did what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// Who, by the name of their token.
    pub caller: String,
    /// As what.
    pub role: AccessRole,
    /// From where: an address.
    pub source: String,
    /// What, by the operation's name.
    pub action: String,
    /// To what, by its path below `/api/v1/`.
    pub target: String,
    /// How it was answered: an HTTP status.
    pub status: u16,
}

/// A line of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// Rises.
    pub number: u64,
    /// When it was written.
    pub at: Timestamp,
    /// Who did what.
    pub deed: Deed,
}

/// Which lines of the audit a list shows, the latest first. What is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this caller.
    pub caller: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// Of this target.
    pub target: Option<String>,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// Older than this.
    pub until: Option<Timestamp>,
    /// With smaller numbers than this.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: u32,
}
