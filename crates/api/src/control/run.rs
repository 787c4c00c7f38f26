//! One provisioning attempt, as the server shows it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::StageName;

/// A host's last run, ended or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "number": 1, "stage": "installing", "entered_at": "2026-09-01T12:03:00Z", "deadline_at": "2026-09-01T12:33:00Z",
    "stalled": false, "percent": 42, "attempt": 1, "attempts": 3, "failed": null,
    "boots": [{"role": 1, "boot_id": "3f2a0000-0000-4000-8000-00000000b001", "first_seen": "2026-09-01T12:02:00Z",
        "os_version": "43.20260817.3.0", "deployment": null}],
    "last_word": {"at": "2026-09-01T12:04:00Z", "event": "installing", "message": null},
    "inspect": false, "permit_expires_at": "2026-09-01T13:00:00Z", "rollbacks": 0, "ready_by": null, "waits_for": null,
    "network_differs": [], "inferred": []
})))]
pub struct RunView {
    /// Counted per host from 1.
    pub number: u32,
    /// Where it stands.
    pub stage: StageName,
    /// Since when.
    pub entered_at: Timestamp,
    /// When it will be marked as stalled or given up, if nothing happens.
    #[serde(default)]
    pub deadline_at: Option<Timestamp>,
    /// Past its stage's deadline; a late report takes the mark off.
    #[serde(default)]
    pub stalled: bool,
    /// The installer's progress, 0 to 100.
    #[serde(default)]
    pub percent: Option<u8>,
    /// Claims granted so far.
    #[serde(default)]
    pub attempt: u8,
    /// Claims that the permit allows.
    #[serde(default)]
    pub attempts: u8,
    /// Where and why it ended, when it failed or was cancelled.
    #[serde(default)]
    pub failed: Option<FailedView>,
    /// Every boot that reported, in order.
    #[serde(default)]
    pub boots: Vec<BootView>,
    /// The last thing the host said.
    #[serde(default)]
    pub last_word: Option<LastWordView>,
    /// It reports disks and cards, and writes nothing.
    #[serde(default)]
    pub inspect: bool,
    /// Until when the permit can be claimed.
    #[serde(default)]
    pub permit_expires_at: Option<Timestamp>,
    /// How often a staged deployment was lost.
    #[serde(default)]
    pub rollbacks: u8,
    /// Whose word made a node ready: the cluster's `api`, or its `own-word` where the API could not be asked.
    #[serde(default)]
    pub ready_by: Option<String>,
    /// What it waits for before it may join.
    #[serde(default)]
    pub waits_for: Option<String>,
    /// Where the reported network differs from what was asked, a sentence each.
    #[serde(default)]
    pub network_differs: Vec<String>,
    /// Stages that were never reported and follow from a later report.
    #[serde(default)]
    pub inferred: Vec<StageName>,
}

/// Where and why a run failed or was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailedView {
    /// The stage it was in.
    pub stage: StageName,
    /// Why, for people.
    pub cause: String,
}

/// A boot that reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BootView {
    /// 1 live, 2 installed, 3 layered; the same role again is a repeat.
    pub role: u8,
    /// The kernel's id of this boot.
    pub boot_id: String,
    /// When it was first heard of.
    pub first_seen: Timestamp,
    /// The operating system's version, where stated.
    #[serde(default)]
    pub os_version: Option<String>,
    /// The booted deployment's checksum, where stated.
    #[serde(default)]
    pub deployment: Option<String>,
}

/// The last thing a host said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastWordView {
    /// When it arrived.
    pub at: Timestamp,
    /// Its event, by the name on the wire.
    pub event: String,
    /// In the host's own words.
    #[serde(default)]
    pub message: Option<String>,
}

/// Why a run is stalled or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "cause": "rootfs-not-fetched",
    "says": "the kernel was served 9 min ago and the rootfs was never fetched",
    "advice": "look at the memory of the machine and at its LACP"
})))]
pub struct DiagnosisView {
    /// A word for programs, such as `kernel-not-fetched`; newer servers know more of them.
    pub cause: String,
    /// What is seen and what it probably means.
    pub says: String,
    /// What to look at or do.
    pub advice: String,
}
