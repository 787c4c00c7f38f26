//! What those who watch a fleet ask for: the log searched, strangers taken in or sent away, and when silence is too long.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thirdboot_lifecycle::{AlertLimits, Deadline, Deadlines, Host, RunNumber, Stage};

use crate::{Actor, HostId, HostState, LoggedEvent, StoreError, SubmitError};

/// The part of a store that watchers ask.
#[async_trait]
pub trait Watching: Send + Sync + 'static {
    /// A page of the log, oldest first. Looks at a bounded number of lines: a page can be empty and have more after it.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn search_events(&self, search: &EventSearch) -> Result<EventPage, StoreError>;

    /// The hosts that lines after `after` and up to `to` are about, each once.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn hosts_changed(&self, after: u64, to: u64) -> Result<Vec<HostId>, StoreError>;

    /// Adds hosts and replaces descriptions, all or none.
    ///
    /// # Errors
    /// Says which of them cannot be, and why.
    async fn put_hosts(&self, hosts: Vec<PutHost>, by: Actor) -> Result<(), PutError>;

    /// Makes a host of an unknown machine, which is listed no more. None when no machine of that number is listed.
    ///
    /// # Errors
    /// `Taken` names field, value and owner.
    async fn adopt(&self, machine: u64, host: Host, by: Actor) -> Result<Option<HostState>, StoreError>;

    /// Takes an unknown machine off the list until it asks again. False when none of that number is listed.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn dismiss(&self, machine: u64) -> Result<bool, StoreError>;

    /// When silence is too long, as now in force.
    fn timing(&self) -> Arc<Timing>;

    /// Changes that for every run, also those under way.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn change_timing(&self, change: TimingChange, by: Actor) -> Result<Arc<Timing>, StoreError>;
}

/// Which lines of the log are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventSearch {
    /// Of this host only.
    pub host: Option<HostId>,
    /// Of this run of each host only.
    pub run: Option<RunNumber>,
    /// With one of these names; empty means any.
    pub kinds: Vec<String>,
    /// Only what was refused, or only what was not.
    pub refused: Option<bool>,
    /// With greater numbers than this.
    pub after: u64,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// At most so many.
    pub limit: u32,
}

/// A line of the log with its host's name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedEvent {
    /// The host's name as it is now.
    pub host_name: String,
    /// The line.
    pub event: LoggedEvent,
}

/// A part of what was looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPage {
    /// The lines.
    pub items: Vec<NamedEvent>,
    /// Every line up to this number was looked at: the `after` of the next search.
    pub searched_to: u64,
    /// Whether there are lines after that.
    pub more: bool,
}

/// One host of an inventory.
#[derive(Debug, Clone)]
pub enum PutHost {
    /// A new one.
    Add(Box<Host>),
    /// A known one is described anew, as by [`crate::Submission::Update`].
    Update {
        /// Which.
        id: HostId,
        /// The row's version that was looked at.
        expected_version: u64,
        /// The description.
        host: Box<Host>,
    },
}

/// Why an inventory was not taken: nothing of it was.
#[derive(Debug, thiserror::Error)]
#[error("number {at} of the hosts: {why}")]
pub struct PutError {
    /// Which of them, from 0.
    pub at: usize,
    /// Why.
    pub why: SubmitError,
}

impl From<StoreError> for PutError {
    fn from(error: StoreError) -> Self {
        Self {
            at: 0,
            why: error.into(),
        }
    }
}

/// When silence is too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// Of the stages of a run.
    pub stages: Deadlines,
    /// Of machines beside their runs.
    pub alerts: AlertLimits,
    /// What of this an admin has set.
    pub set: TimingSet,
}

/// What an admin has set; the rest has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TimingSet {
    /// Deadlines of stages.
    pub stages: BTreeMap<Stage, Deadline>,
    /// Limits of alerts, all of them.
    pub alerts: Option<AlertLimits>,
}

/// A change of [`TimingSet`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimingChange {
    /// A stage's deadlines, or none: its default again.
    pub stages: BTreeMap<Stage, Option<Deadline>>,
    /// Limits of alerts.
    pub alerts: AlertsChange,
}

/// A change of the limits of alerts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AlertsChange {
    /// None.
    #[default]
    None,
    /// Their defaults again.
    Reset,
    /// These.
    To(AlertLimits),
}

impl Timing {
    /// The defaults with what was set.
    #[must_use]
    pub fn of(defaults: &Deadlines, set: TimingSet) -> Self {
        let stages = set
            .stages
            .iter()
            .fold(defaults.clone(), |deadlines, (stage, deadline)| {
                deadlines.with(*stage, *deadline)
            });
        Self {
            stages,
            alerts: set.alerts.unwrap_or_default(),
            set,
        }
    }
}

impl TimingSet {
    /// With this change.
    #[must_use]
    pub fn changed(&self, change: &TimingChange) -> Self {
        let mut set = self.clone();
        for (stage, deadline) in &change.stages {
            match deadline {
                Some(deadline) => set.stages.insert(*stage, *deadline),
                None => set.stages.remove(stage),
            };
        }
        match change.alerts {
            AlertsChange::None => {}
            AlertsChange::Reset => set.alerts = None,
            AlertsChange::To(limits) => set.alerts = Some(limits),
        }
        set
    }
}
