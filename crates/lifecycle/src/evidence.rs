//! What a run has shown so far.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{BootId, Disk, Fetch, JoinWait, NetworkFacts, NodeSeen, ReadyBy};

/// How many boots of one run are listed; further ones replace the last.
pub const MAX_BOOTS: usize = 16;

/// What a run has shown so far. Only ever grows, but for the marks of the current stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// When the install script was served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<Seen>,
    /// When each file was served in full.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fetched: BTreeMap<Fetch, Seen>,
    /// Every boot that reported.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub boots: Vec<Boot>,
    /// The claim that took the permit, as last granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed: Option<Claimed>,
    /// The installer's progress, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// What the installer reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed: Option<Installed>,
    /// Checksum of the deployment of the first boot from disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_deployment: Option<String>,
    /// Checksum that was staged, and by which boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staged: Option<Staged>,
    /// How often the staged deployment was lost.
    pub rollbacks: u8,
    /// The last network the host reported, and where it differed from what was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkFacts>,
    /// Where that differed; empty is proof.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub network_differs: Vec<String>,
    /// What it waits for before its claim is looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim_wait: Option<JoinWait>,
    /// What it waits for before it may join.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join_wait: Option<JoinWait>,
    /// What the cluster's API last said of its node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeSeen>,
    /// Whose word made it ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_by: Option<ReadyBy>,
    /// Stages that were never reported and follow from a later report.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inferred: Vec<crate::Stage>,
    /// Local-disk scripts served since the last report.
    pub local_scripts: u8,
    /// When the first of these was served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_since: Option<Timestamp>,
    /// The last thing the host said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_word: Option<LastWord>,
    /// The last report that showed something new: a host that says the same every minute does not move on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_at: Option<Timestamp>,
    /// Events heard in this stage, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<String>,
}

/// First and last time of something that repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The first time.
    pub first: Timestamp,
    /// The last time that was recorded.
    pub last: Timestamp,
    /// How often it was recorded; repeats within a few seconds count once.
    pub count: u32,
}

impl Seen {
    /// Seen once more, or for the first time.
    #[must_use]
    pub fn again(before: Option<Self>, now: Timestamp) -> Self {
        match before {
            None => Self {
                first: now,
                last: now,
                count: 1,
            },
            Some(seen) => Self {
                first: seen.first,
                last: now,
                count: seen.count.saturating_add(1),
            },
        }
    }
}

/// One boot that reported. Roles 1, 2 and 3 are the three boots; the same role again is a repeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// 1 live, 2 installed, 3 layered.
    pub role: u8,
    /// The kernel's id of this boot.
    pub boot_id: BootId,
    /// When it was first heard of.
    pub first_seen: Timestamp,
    /// The operating system's version, where stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// The booted deployment's checksum, where stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
}

/// The claim that took the permit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    /// The boot that claimed.
    pub boot_id: BootId,
    /// Which attempt, from 1.
    pub attempt: u8,
    /// The disk that may be written.
    pub disk: Disk,
    /// When it was granted.
    pub at: Timestamp,
}

/// What the installer reported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// The image that was written.
    pub image: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The disk's serial.
    pub disk_serial: Option<String>,
    /// Hex SHA-256 of the installed config.
    pub config_sha256: Option<String>,
}

/// A deployment that waits for the next boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// Its checksum.
    pub deployment: String,
    /// The boot that staged it.
    pub boot_id: BootId,
}

/// The last thing a host said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastWord {
    /// When it arrived.
    pub at: Timestamp,
    /// Its event, by the name on the wire.
    pub event: String,
    /// In the host's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Evidence {
    /// Notes that `boot_id` reported in `role`, and returns its line.
    pub fn note_boot(&mut self, role: u8, boot_id: &BootId, now: Timestamp) -> &mut Boot {
        let known = self
            .boots
            .iter()
            .position(|boot| boot.boot_id == *boot_id && boot.role == role);
        let at = known.unwrap_or_else(|| {
            if self.boots.len() >= MAX_BOOTS {
                self.boots.pop();
            }
            self.boots.push(Boot {
                role,
                boot_id: boot_id.clone(),
                first_seen: now,
                os_version: None,
                deployment: None,
            });
            self.boots.len() - 1
        });
        &mut self.boots[at]
    }

    /// The last boot in `role`, if one reported.
    #[must_use]
    pub fn last_boot(&self, role: u8) -> Option<&Boot> {
        self.boots.iter().rev().find(|boot| boot.role == role)
    }
}
