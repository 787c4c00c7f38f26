//! One line of a host's log.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::StageName;

/// What happened to a host, oldest first in lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": 17, "at": "2026-09-01T12:00:00Z", "host": "node-1", "event": "armed", "by": "admin", "run": 1, "stage": "armed"
})))]
pub struct EventView {
    /// Rises over the whole fleet; the `after` of the next list.
    pub id: u64,
    /// When it was stored.
    pub at: Timestamp,
    /// Whose, by name.
    pub host: String,
    /// What: `live`, `claimed`, `armed`, `hold` …
    pub event: String,
    /// Who made it happen: `host`, `server`, or the name of a token.
    #[serde(default)]
    pub by: String,
    /// The run it belongs to.
    #[serde(default)]
    pub run: Option<u32>,
    /// The stage after it.
    #[serde(default)]
    pub stage: Option<StageName>,
    /// The boot that spoke, for reports.
    #[serde(default)]
    pub boot_id: Option<String>,
    /// Its number in that boot, for reports.
    #[serde(default)]
    pub seq: Option<u64>,
    /// Set when it was refused: why.
    #[serde(default)]
    pub refused: Option<String>,
    /// For people.
    #[serde(default)]
    pub message: Option<String>,
    /// A log tail, cut and redacted.
    #[serde(default)]
    pub log: Option<String>,
}

/// A part of the log. Looks at a bounded number of lines: it can be empty and have more after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventsPage {
    /// The lines, oldest first.
    pub items: Vec<EventView>,
    /// Give it as `after` to get the next part; none means that this is the last for now.
    pub next_cursor: Option<String>,
    /// Every line up to this was looked at: the `after` of whoever goes on waiting.
    #[serde(default)]
    pub searched_to: u64,
}
