//! Reboot locks: groups with slots, who holds one, who waits.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How hosts of a group update themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum UpdatePolicy {
    /// Not at all.
    Off,
    /// Whenever there is an update, under the group's lock.
    #[default]
    Locked,
    /// In the group's window, without a lock.
    Window,
}

impl UpdatePolicy {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Locked => "locked",
            Self::Window => "window",
        }
    }
}

/// A part of the week, in UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RebootWindow {
    /// The days on which it begins: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`.
    pub days: Vec<String>,
    /// When it begins, as `HH:MM` in UTC.
    pub start: String,
    /// How long it is, in minutes: 10 to 1440.
    pub length_minutes: u16,
}

/// What a group's hosts may do: `PUT /api/v1/locks/{group}`. What is left out has its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({
    "slots": 2, "policy": "locked", "window": {"days": ["sat", "sun"], "start": "03:30", "length_minutes": 120},
    "monthly": true, "drain_s": 900, "limit_s": 7200,
})))]
pub struct LockGroupSpec {
    /// Hosts that may be disrupted at once: 1 to 1000.
    pub slots: u16,
    /// How its hosts update themselves. They get it when they are armed the next time; what they ask for until then and it
    /// does not allow is refused.
    pub policy: UpdatePolicy,
    /// When, for the policy `window` and the monthly reboot.
    pub window: Option<RebootWindow>,
    /// Whether its hosts reboot once a month, in the window and under the lock. They get it when they are armed the next
    /// time; where it is not wanted any more it is refused until then.
    pub monthly: bool,
    /// How long a drain may take, in seconds.
    pub drain_s: u32,
    /// After how long a held slot is an alert, in seconds; null means the fleet's limit.
    pub limit_s: Option<u32>,
}

impl Default for LockGroupSpec {
    fn default() -> Self {
        Self {
            slots: 1,
            policy: UpdatePolicy::Locked,
            window: None,
            monthly: false,
            drain_s: 900,
            limit_s: None,
        }
    }
}

/// A group: its settings, who holds a slot, and who waits, in the order of their turns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "name": "prod.agent", "version": 0, "etag": "\"2c1f0f5bd8b1a7c4\"",
    "settings": {"slots": 1, "policy": "locked", "window": null, "monthly": false, "drain_s": 900, "limit_s": null},
    "holders": [{"host": "node-1", "state": "granted", "since": "2026-11-25T12:00:00Z", "asked_at": "2026-11-25T12:05:00Z",
        "reason": "an update", "note": null}],
    "waiting": [],
})))]
pub struct LockGroupView {
    /// Its name: `<cluster>.<role>`, or the role of hosts that are in no cluster.
    pub name: String,
    /// Counts the changes of its settings; 0 is what is built in.
    #[serde(default)]
    pub version: u64,
    /// Names these settings, for `If-Match`: who holds a slot or waits leaves it as it is.
    #[serde(default)]
    pub etag: String,
    /// What its hosts may do.
    #[serde(default)]
    pub settings: LockGroupSpec,
    /// Who holds a slot.
    #[serde(default)]
    pub holders: Vec<LockPlaceView>,
    /// Who waits for one, the next one first.
    #[serde(default)]
    pub waiting: Vec<LockPlaceView>,
}

/// A host's place in its group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "host": "node-1", "state": "released", "since": "2026-11-25T12:05:00Z", "asked_at": "2026-11-25T12:00:00Z",
    "reason": "an update", "note": "released by admin: scrapped"
})))]
pub struct LockPlaceView {
    /// The host's name.
    pub host: String,
    /// `waiting`, `reserved` (its node is being drained), `granted` or `released`.
    pub state: String,
    /// Since when.
    pub since: Timestamp,
    /// When it last asked.
    pub asked_at: Timestamp,
    /// What for, in words.
    pub reason: String,
    /// What it waits for, how its drain goes, or who released it.
    #[serde(default)]
    pub note: Option<String>,
}

/// A person gives a host's slot back: `POST /api/v1/hosts/{name}/release-lock`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({"reason": "scrapped"})))]
pub struct ReleaseLockBody {
    /// Why, for the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
