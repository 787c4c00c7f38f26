//! A host's place in its group: it waits, or it holds a slot.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::GroupName;
use crate::{HostName, RunNumber};

/// Where a host stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SlotState {
    /// Waits for a slot.
    Waiting,
    /// Holds a slot, and its node is being drained: it may not reboot yet.
    Reserved,
    /// Holds a slot, and may be disrupted.
    Granted,
    /// Held one, and came back or was given up by a person.
    Released,
}

impl SlotState {
    /// The name on the wire and in databases.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Reserved => "reserved",
            Self::Granted => "granted",
            Self::Released => "released",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Waiting, Self::Reserved, Self::Granted, Self::Released]
            .into_iter()
            .find(|state| state.as_str() == name)
    }

    /// Whether it takes a slot.
    #[must_use]
    pub fn holds(self) -> bool {
        match self {
            Self::Waiting | Self::Released => false,
            Self::Reserved | Self::Granted => true,
        }
    }
}

/// What a host wants its slot for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum LockReason {
    /// It reboots into an update.
    Update,
    /// It reboots since a month is over.
    Monthly,
    /// It is installed again.
    Reinstall {
        /// By this run.
        run: RunNumber,
    },
}

impl LockReason {
    /// Whether the host is down already, so that it goes before those that still run.
    #[must_use]
    pub fn is_down_already(self) -> bool {
        matches!(self, Self::Reinstall { .. })
    }
}

impl fmt::Display for LockReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Update => f.write_str("an update"),
            Self::Monthly => f.write_str("its monthly reboot"),
            Self::Reinstall { run } => write!(f, "a new install, run {run}"),
        }
    }
}

/// A host's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockSlot {
    /// The host's number in the store.
    pub host: u64,
    /// Its name, for people.
    pub name: HostName,
    /// In which group.
    pub group: GroupName,
    /// Where it stands.
    pub state: SlotState,
    /// Since when it waits, or holds its slot; or when that was released.
    pub since: Timestamp,
    /// When it last asked.
    pub asked_at: Timestamp,
    /// How often it has asked, ever: who wants to release a slot says by this which one was meant.
    pub asks: u64,
    /// What for.
    pub reason: LockReason,
    /// What it waits for, how its drain goes, or who released it, for people.
    pub note: Option<String>,
}
