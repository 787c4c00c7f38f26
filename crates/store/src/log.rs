//! The event log: what happened, for people and programs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thirdboot_lifecycle::{RunNumber, Stage};

use crate::HostId;

/// A log tail from a host is cut to this many bytes (PROTOCOL.md: 64 KiB).
pub const MAX_LOG_BYTES: usize = 64 * 1024;

/// Who made something happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The host itself.
    Host,
    /// The server: deadlines, expiry, a restored database.
    Server,
    /// A person or program, by the name of its token.
    Token(String),
    /// A person at the pages, by their name.
    User(String),
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Host => f.write_str("the host"),
            Self::Server => f.write_str("the server"),
            Self::Token(name) => f.write_str(name),
            // No token has a colon in its name: the audit can tell them apart.
            Self::User(name) => write!(f, "user:{name}"),
        }
    }
}

/// One line of a host's log, before it has a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The event's name (`live`, `claimed`, `armed`, `hold` …).
    pub event: String,
    /// Who made it happen.
    pub by: Actor,
    /// The run it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunNumber>,
    /// The stage after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// Set when it was refused: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The boot that spoke and its sequence number, for reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<(String, u64)>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// A log tail, already cut and redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

/// One line of a host's log.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedEvent {
    /// Rises over the whole fleet.
    pub number: u64,
    /// Whose.
    pub host: HostId,
    /// When it was stored.
    pub at: Timestamp,
    /// What.
    pub entry: LogEntry,
}
