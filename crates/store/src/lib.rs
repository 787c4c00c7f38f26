//! What a store of hosts must do, in three parts: the [`Store`] trait with verbs for its callers, the pure [`apply`]
//! that every backend runs inside its transactions, and the contract suite (feature `contract`) that every backend
//! passes.
//!
//! There is one door for changes of a host: [`Store::submit`]. The backend loads the host, calls [`apply`], and writes
//! state, event and evidence in one transaction guarded by the row's version; the caller is answered after the commit.

mod access;
mod addresses;
mod again;
mod apply;
mod census;
mod clock;
mod clusters;
#[cfg(feature = "contract")]
pub mod contract;
mod error;
mod locks;
mod log;
mod model;
mod packages;
mod store;
mod submission;
mod templates;
mod users;
mod watch;
mod watching;

pub use access::{
    Access, AnswerKey, AuditFilter, Audited, Deed, IDEMPOTENCY_KEY, KeptAnswer, ListedToken, RenderAnswer, Revocation,
};
pub use addresses::Addresses;
pub use apply::{Applied, Change, Context, apply};
pub use census::{Census, Counts};
pub use clock::Clock;
pub use clusters::{ClusterError, ClusterState, Clusters};
pub use error::{StoreError, SubmitError};
pub use locks::{LockChange, LockOutcome, Locks};
pub use log::{Actor, LogEntry, LoggedEvent, MAX_LOG_BYTES};
pub use model::{
    AccessRole, Document, DocumentKind, EventFilter, HostFilter, HostId, HostState, Limits, Page, Pruned, ReportAnswer,
    ReportKey, StageFilter, Token, UnknownMachine,
};
pub use packages::{Packages, Versioned};
pub use store::Store;
pub use submission::{Answer, Submission};
pub use templates::{MAX_TEMPLATE_VERSIONS, Selection, StoredTemplate, TemplateDraft, TemplateMoved, Templates};
pub use users::{FIRST_USER, Session, User, Users};
pub use watch::{Commit, Move, Unwatched, Watch};
pub use watching::{
    AlertsChange, EventPage, EventSearch, NamedEvent, PutError, PutHost, Timing, TimingChange, TimingSet, Watching,
};
