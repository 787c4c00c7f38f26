//! What a machine last was, beside and after any run.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AtProvider, BootId, NetworkFacts, ProviderEvent, ProviderLook, Report, RunNumber, Said};

/// How many deployments of one run are remembered; the oldest go first.
pub const MAX_DEPLOYMENTS: usize = 8;

/// What a machine last was. Never changes a run, never a boot answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// When it last said so.
    pub at: Timestamp,
    /// Its boot; none while nothing but a conflict is known.
    #[serde(default)]
    pub boot_id: Option<BootId>,
    /// The run whose system speaks.
    #[serde(default)]
    pub run: Option<RunNumber>,
    /// The operating system's version.
    #[serde(default)]
    pub os_version: Option<String>,
    /// The booted deployment's checksum.
    #[serde(default)]
    pub deployment: Option<String>,
    /// Its network, as the kernel said.
    #[serde(default)]
    pub network: Option<NetworkFacts>,
    /// Packages that it was to layer and does not have; none when it did not say.
    #[serde(default)]
    pub missing: Option<Vec<String>>,
    /// Every deployment of this run that was seen running, in the order of their first boots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deployments: Vec<Deployment>,
    /// The last time a machine presented identifiers of this host and others that disagree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<Conflict>,
    /// What its provider says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<AtProvider>,
}

/// A deployment that was seen running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its checksum.
    pub checksum: String,
    /// The operating system's version, where stated.
    #[serde(default)]
    pub os_version: Option<String>,
    /// When it was first seen running.
    pub first_seen: Timestamp,
}

/// Identifiers that disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Since when, without an hour's pause.
    pub since: Timestamp,
    /// The last time.
    pub last: Timestamp,
    /// Where the machine asked from.
    pub source: String,
    /// What disagrees.
    pub why: String,
}

/// A conflict that was not met for this long is another one.
const CONFLICT_PAUSE_S: i64 = 3600;

impl Observed {
    fn nothing(at: Timestamp) -> Self {
        Self {
            at,
            boot_id: None,
            run: None,
            os_version: None,
            deployment: None,
            network: None,
            missing: None,
            deployments: Vec::new(),
            conflict: None,
            provider: None,
        }
    }

    /// What is known of the machine after this report, if it says what the machine is. A conflict ends with it: the
    /// machine proved itself by its secret.
    #[must_use]
    pub fn after(before: Option<&Self>, report: &Report, now: Timestamp) -> Option<Self> {
        let same_run = before.filter(|before| before.run == Some(report.run));
        let mut next = Self {
            boot_id: Some(report.boot_id.clone()),
            run: Some(report.run),
            deployments: same_run.map_or_else(Vec::new, |before| before.deployments.clone()),
            provider: before.and_then(|before| before.provider.clone()),
            ..Self::nothing(now)
        };
        let same_boot = same_run.filter(|before| before.boot_id.as_ref() == Some(&report.boot_id));
        match &report.said {
            Said::FirstBoot { os_version, deployment } => next.runs(os_version.as_ref(), deployment.as_ref()),
            Said::LayeredBoot { os_version, deployment } => next.runs(os_version.as_ref(), Some(deployment)),
            Said::Booted {
                os_version,
                deployment,
                network,
                missing,
            } => {
                next.runs(os_version.as_ref(), deployment.as_ref());
                next.network.clone_from(network);
                next.missing.clone_from(missing);
            }
            Said::Network(facts) => {
                let before = same_boot?;
                next.os_version.clone_from(&before.os_version);
                next.deployment.clone_from(&before.deployment);
                next.network = Some(facts.clone());
            }
            _ => return None,
        }
        Some(next)
    }

    fn runs(&mut self, os_version: Option<&String>, checksum: Option<&String>) {
        self.os_version = os_version.cloned();
        self.deployment = checksum.cloned();
        let Some(checksum) = checksum else { return };
        if self.deployments.iter().any(|known| known.checksum == *checksum) {
            return;
        }
        if self.deployments.len() >= MAX_DEPLOYMENTS {
            self.deployments.remove(0);
        }
        self.deployments.push(Deployment {
            checksum: checksum.clone(),
            os_version: os_version.cloned(),
            first_seen: self.at,
        });
    }

    /// What is known after a machine presented identifiers of this host and others that disagree.
    #[must_use]
    pub fn in_conflict(before: Option<&Self>, why: &str, source: &str, now: Timestamp) -> Self {
        let earlier = before.and_then(|before| before.conflict.as_ref());
        let since = earlier
            .filter(|earlier| now.duration_since(earlier.last).as_secs() < CONFLICT_PAUSE_S)
            .map_or(now, |earlier| earlier.since);
        let conflict = Conflict {
            since,
            last: now,
            source: source.to_owned(),
            why: why.to_owned(),
        };
        Self {
            conflict: Some(conflict),
            ..before.cloned().unwrap_or_else(|| Self::nothing(now))
        }
    }

    /// What is known after the provider was asked, and the provider's events that are new, oldest first.
    #[must_use]
    pub fn at_provider(before: Option<&Self>, look: &ProviderLook, now: Timestamp) -> (Self, Vec<ProviderEvent>) {
        let (provider, events) = AtProvider::after(before.and_then(|before| before.provider.as_ref()), look, now);
        let next = Self {
            provider: Some(provider),
            ..before.cloned().unwrap_or_else(|| Self::nothing(now))
        };
        (next, events)
    }
}
