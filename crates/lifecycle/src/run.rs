//! One provisioning attempt.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Evidence, GroupName, Host, Permit, Role, RunNumber, Stage};

/// One provisioning attempt of a host, from its permit to ready, failed or cancelled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Counted per host from 1.
    pub number: RunNumber,
    /// What the host was to become when it was armed.
    pub role: Role,
    /// The host's key generation when it was armed: goes into the run's secrets.
    pub key_generation: u16,
    /// The right to wipe and install.
    pub permit: Permit,
    /// Where it stands.
    pub stage: Stage,
    /// Since when.
    pub entered_at: Timestamp,
    /// Past the stage's first deadline since then.
    pub stalled_since: Option<Timestamp>,
    /// Set when it failed or was cancelled.
    pub ended: Option<Ended>,
    /// What it has shown.
    pub evidence: Evidence,
    /// The group whose reboot lock its installed system asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    /// The same of the ready system that it replaces: then this run disrupts something, and counts against that group's
    /// budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<GroupName>,
}

/// Where and why a run failed or was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The stage it was in.
    pub stage: Stage,
    /// Why, for people.
    pub cause: String,
}

impl Run {
    /// A run that begins: armed with this permit.
    #[must_use]
    pub fn begin(number: RunNumber, host: &Host, permit: Permit) -> Self {
        Self {
            number,
            role: host.role,
            key_generation: host.key_generation,
            stage: Stage::Armed,
            entered_at: permit.issued_at,
            stalled_since: None,
            ended: None,
            evidence: Evidence::default(),
            permit,
            group: Some(GroupName::of(host.cluster.as_ref(), host.role)),
            replaces: None,
        }
    }

    /// Whether the host was ever ready, in this run or before it.
    #[must_use]
    pub fn has_been_ready(&self) -> bool {
        self.stage == Stage::Ready || self.replaces.is_some()
    }

    /// The group of what is on the disk of `host`: until the claim the system that this run replaces.
    #[must_use]
    pub fn group_in_force(&self, host: &Host) -> GroupName {
        let replaced = self.replaces.as_ref().filter(|_| !self.was_claimed());
        let group = replaced.or(self.group.as_ref()).cloned();
        group.unwrap_or_else(|| GroupName::of(host.cluster.as_ref(), self.role))
    }

    /// Whether its claim was granted: from then on the disk may be in pieces.
    #[must_use]
    pub fn was_claimed(&self) -> bool {
        self.evidence.claimed.is_some()
    }

    /// Whether the install is known to be complete.
    #[must_use]
    pub fn was_installed(&self) -> bool {
        self.evidence.installed.is_some()
    }

    /// Whether a further claim could be granted.
    #[must_use]
    pub fn has_attempts_left(&self) -> bool {
        self.evidence
            .claimed
            .as_ref()
            .is_none_or(|claimed| claimed.attempt < self.permit.attempts)
    }
}

/// Why `host` with this last run cannot be armed, if so.
#[must_use]
pub fn arm_refused(host: &Host, last: Option<&Run>) -> Option<String> {
    if host.retired {
        return Some("the host is retired".to_owned());
    }
    match last {
        Some(run) if !run.stage.is_end() => Some(format!(
            "run {} is {}: cancel it first, or wait until it has ended",
            run.number, run.stage
        )),
        _ => None,
    }
}
