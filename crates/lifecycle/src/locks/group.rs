//! A group of hosts that share a budget, and how its hosts update.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::RebootWindow;
use crate::text::checked_text;
use crate::{ClusterName, Role};

/// Slots of a group at most.
pub const MAX_SLOTS: u16 = 1000;
/// How long a drain may take where nobody said, in seconds: three of Zincati's questions.
pub const DEFAULT_DRAIN_S: u32 = 15 * 60;
/// What a drain's and a slot's limit may be, in seconds.
const LIMITS_S: std::ops::RangeInclusive<u32> = 10..=30 * 24 * 3600;

/// A group's name, as the FleetLock protocol allows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupName(Box<str>);

/// A name that no group can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no group: expected 1 to 128 characters of a-z, A-Z, 0-9, '.' and '-'")]
pub struct InvalidGroupName {
    given: String,
}

impl FromStr for GroupName {
    type Err = InvalidGroupName;

    fn from_str(text: &str) -> Result<Self, InvalidGroupName> {
        let is_allowed = |c: u8| c.is_ascii_alphanumeric() || c == b'.' || c == b'-';
        if (1..=128).contains(&text.len()) && text.bytes().all(is_allowed) {
            return Ok(Self(text.into()));
        }
        let given = text.chars().take(80).collect();
        Err(InvalidGroupName { given })
    }
}

checked_text!(GroupName, InvalidGroupName);

impl GroupName {
    /// The group of a cluster's hosts of one role, or of all hosts of that role that are in none.
    #[must_use]
    pub fn of(cluster: Option<&ClusterName>, role: Role) -> Self {
        let role = role.as_str();
        Self(match cluster {
            Some(cluster) => format!("{cluster}.{role}").into(),
            None => role.into(),
        })
    }

    /// The cluster whose servers it is, if it is such a group: their majority must stay.
    #[must_use]
    pub fn servers_of(&self) -> Option<ClusterName> {
        let (cluster, role) = self.0.split_once('.')?;
        if role == Role::Server.as_str() {
            cluster.parse().ok()
        } else {
            None
        }
    }
}

/// How hosts update themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Locked => "locked",
            Self::Window => "window",
        }
    }
}

/// What an admin says of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GroupSettings {
    /// Hosts that may be disrupted at once.
    pub slots: u16,
    /// How its hosts update themselves.
    pub policy: UpdatePolicy,
    /// When, for the policy `window` and the monthly reboot.
    pub window: Option<RebootWindow>,
    /// Whether its hosts reboot once a month, in the window and under the lock.
    pub monthly: bool,
    /// How long a drain may take, in seconds.
    pub drain_s: u32,
    /// After how long a held slot is an alert, in seconds; none means the fleet's limit.
    pub limit_s: Option<u32>,
}

impl Default for GroupSettings {
    fn default() -> Self {
        Self {
            slots: 1,
            policy: UpdatePolicy::default(),
            window: None,
            monthly: false,
            drain_s: DEFAULT_DRAIN_S,
            limit_s: None,
        }
    }
}

/// Settings that make no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct InvalidGroupSettings {
    /// The field at fault, as on the wire.
    pub field: &'static str,
    /// What was expected.
    pub why: String,
}

impl GroupSettings {
    /// Whether they make sense together.
    ///
    /// # Errors
    /// Names the field.
    pub fn check(&self) -> Result<(), InvalidGroupSettings> {
        let refuse = |field, why: String| Err(InvalidGroupSettings { field, why });
        if !(1..=MAX_SLOTS).contains(&self.slots) {
            return refuse("slots", format!("{} slots: expected 1 to {MAX_SLOTS}", self.slots));
        }
        let seconds = |field, value: u32| {
            if LIMITS_S.contains(&value) {
                return Ok(());
            }
            let (least, most) = (LIMITS_S.start(), LIMITS_S.end());
            refuse(field, format!("{value} s: expected {least} to {most}"))
        };
        seconds("drain_s", self.drain_s)?;
        self.limit_s.map_or(Ok(()), |limit_s| seconds("limit_s", limit_s))?;
        match &self.window {
            Some(window) => window.check(),
            None if self.policy == UpdatePolicy::Window => refuse(
                "window",
                "the policy window needs one: days, start and length".to_owned(),
            ),
            None if self.monthly => refuse(
                "window",
                "the monthly reboot needs one: days, start and length".to_owned(),
            ),
            None => Ok(()),
        }
    }
}
