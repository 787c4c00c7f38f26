//! What a store keeps beside the domain's own types.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thirdboot_lifecycle::{
    BootId, ClusterName, Host, HostName, Identity, Observed, Platform, Role, Run, RunNumber, Stage,
};

/// A host's number in the store: stands in its secrets, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostId(pub u64);

/// A host with its current run and what was last observed.
#[derive(Debug, Clone, PartialEq)]
pub struct HostState {
    /// Its number.
    pub id: HostId,
    /// Counts the changes of the row: an update of an older version is refused.
    pub version: u64,
    /// As its admin describes it.
    pub host: Host,
    /// Its last run, ended or not.
    pub run: Option<Run>,
    /// What the machine last was.
    pub observed: Option<Observed>,
}

/// A rendered document, kept so that every fetch of a run is byte-identical, also across an upgrade. It carries
/// secrets: a backend keeps what it is given, the caller seals it first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Which one.
    pub kind: DocumentKind,
    /// Hex SHA-512 of the plain bytes, as Ignition checks it.
    pub sha512: String,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

/// Which document of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// The live Ignition config.
    Live,
    /// The names of the assets that the run is served, as JSON.
    Assets,
    /// The network of its live system, as JSON: what its initramfs is given beside the pointer.
    Network,
    /// The installed Ignition config, as it stands inside the live one: kept past the install, for comparison.
    Installed,
}

impl DocumentKind {
    /// The name in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Assets => "assets",
            Self::Network => "network",
            Self::Installed => "installed",
        }
    }
}

/// What names a report.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReportKey {
    /// Whose.
    pub host: HostId,
    /// Of which run.
    pub run: RunNumber,
    /// In which boot.
    pub boot_id: BootId,
    /// Counted by the host.
    pub seq: u64,
}

/// How a report was answered the first time; the same report again is answered alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportAnswer {
    /// Recorded.
    Recorded {
        /// The run's stage after it.
        stage: Stage,
    },
    /// Refused: drop it.
    Refused {
        /// The run's stage.
        stage: Stage,
        /// Why, for people.
        why: String,
        /// Events that were expected instead.
        expected: Vec<String>,
        /// Nothing more of this run will be taken.
        over: bool,
    },
}

/// Something that asked for a script and matches no host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownMachine {
    /// The store's number of it.
    pub id: u64,
    /// All it said of itself.
    pub identity: Identity,
    /// Manufacturer, product, architecture, firmware: as sent, cut to a sane length.
    pub said: Vec<(String, String)>,
    /// Where it asked from.
    pub source: String,
    /// Why it is unknown, where there is more to say than that no host has its identifiers.
    pub why: Option<String>,
    /// First time.
    pub first_seen: Timestamp,
    /// Last time.
    pub last_seen: Timestamp,
    /// How often, as far as recorded.
    pub count: u32,
}

/// Who may do what on the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessRole {
    /// Sees state, no secret.
    Viewer,
    /// Arms, holds, reads boot URLs.
    Operator,
    /// Writes templates, tokens, clusters.
    Admin,
}

impl AccessRole {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Viewer, Self::Operator, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == name)
    }
}

/// An API token. The token itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Unique, for people.
    pub name: String,
    /// What it may do.
    pub role: AccessRole,
    /// Hex SHA-256 of the token: it is random, so a slow hash would add nothing.
    pub sha256: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Which hosts a list shows. What is `None` or empty does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostFilter {
    /// Names after this one, in order.
    pub after: Option<HostName>,
    /// At most so many.
    pub limit: u32,
    /// Whose name, identifiers, addresses or labels have every one of these in them, whatever their case.
    pub words: Vec<String>,
    /// Where the last run stands.
    pub stage: Option<StageFilter>,
    /// Whether the last run is past its stage's deadline.
    pub stalled: Option<bool>,
    /// What they become.
    pub role: Option<Role>,
    /// Which cluster they join.
    pub cluster: Option<ClusterName>,
    /// Where they stand.
    pub platform: Option<Platform>,
    /// Labels that they have: a key, and its value if that matters.
    pub labels: Vec<(String, Option<String>)>,
    /// Whether the brake is on.
    pub held: Option<bool>,
    /// Whether they were adopted and not yet armed or released.
    pub adopted: Option<bool>,
    /// Whether they are out of service.
    pub retired: Option<bool>,
}

/// Where the last run of the hosts of a list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageFilter {
    /// There was none.
    NeverArmed,
    /// Here.
    Is(Stage),
    /// Anywhere else, or there was none.
    IsNot(Stage),
}

/// Which events a list shows, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this host only.
    pub host: Option<HostId>,
    /// With greater numbers than this.
    pub after: u64,
    /// At most so many.
    pub limit: u32,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether there are more.
    pub more: bool,
}

/// Caps on what strangers and chatty hosts can make a store keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Unknown machines kept, the longest unseen go first.
    pub unknown_machines: u32,
    /// Events kept per host, the oldest go first.
    pub events_per_host: u32,
    /// Runs kept per host beside the current one.
    pub runs_per_host: u32,
    /// Unknown machines not seen for this many seconds are forgotten.
    pub unknown_age_s: u32,
    /// Answers to requests with an Idempotency-Key are forgotten after so many seconds.
    pub answer_age_s: u32,
    /// Lines of the audit are forgotten after so many days.
    pub audit_age_days: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unknown_machines: 1000,
            events_per_host: 2000,
            runs_per_host: 20,
            unknown_age_s: 30 * 24 * 3600,
            answer_age_s: 24 * 3600,
            audit_age_days: 400,
        }
    }
}

/// What ageing removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Events.
    pub events: u64,
    /// Unknown machines.
    pub unknown_machines: u64,
    /// Old runs, with their reports.
    pub runs: u64,
    /// Answers to requests with an Idempotency-Key.
    pub answers: u64,
    /// Lines of the audit.
    pub audited: u64,
}
