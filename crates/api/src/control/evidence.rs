//! What a run has shown: its boots, each with its proof.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{DiagnosisView, RunView};

/// One run with all it has shown: `GET /api/v1/hosts/{name}/runs/{number}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"number": 1, "stage": "live", "entered_at": "2026-09-01T12:03:00Z", "evidence": [{"run": 1, "role": 1, "boot_id": "3f2a0000-0000-4000-8000-00000000b001", "first_seen": "2026-09-01T12:03:00Z"}]})))]
pub struct RunDetail {
    /// Where it stands.
    #[serde(flatten)]
    pub run: RunView,
    /// Its boots, each with its evidence.
    #[serde(default)]
    pub evidence: Vec<BootDetail>,
    /// Why it is stalled or failed.
    #[serde(default)]
    pub diagnosis: Option<DiagnosisView>,
}

/// A boot with what proves it. Boot 1 can be known by what it fetched alone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"run": 1, "role": 1, "boot_id": "3f2a0000-0000-4000-8000-00000000b001", "first_seen": "2026-09-01T12:03:00Z", "fetched": {"kernel": {"first": "2026-09-01T12:02:00Z", "last": "2026-09-01T12:02:00Z", "count": 1}}})))]
#[serde(default)]
pub struct BootDetail {
    /// The run, counted per host from 1.
    pub run: u32,
    /// 1 live, 2 installed, 3 layered.
    pub role: u8,
    /// Whether this role was seen before in this run.
    pub is_repeat: bool,
    /// The kernel's id of this boot; none while it has not reported.
    pub boot_id: Option<String>,
    /// When it was first heard of.
    pub first_seen: Option<Timestamp>,
    /// The operating system's version, where stated.
    pub os_version: Option<String>,
    /// The booted deployment's checksum, where stated.
    pub deployment: Option<String>,
    /// Boot 1: when the install script was served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<SeenView>,
    /// Boot 1: files that were served in full.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fetched: BTreeMap<String, SeenView>,
    /// Boot 1: the claim that this boot was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed: Option<ClaimedView>,
    /// Boot 1: what the installer reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed: Option<InstalledView>,
    /// Boot 2: checksum of the deployment that this boot staged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staged: Option<String>,
    /// Boot 3: the network as its kernel said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Value>,
    /// Boot 3: where that differs from what was asked, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub network_differs: Vec<String>,
}

/// First and last time of something that repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeenView {
    /// The first time.
    pub first: Timestamp,
    /// The last time that was recorded.
    pub last: Timestamp,
    /// How often it was recorded; repeats within a few seconds count once.
    pub count: u32,
}

/// A claim that was granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClaimedView {
    /// When.
    pub at: Timestamp,
    /// Which attempt, from 1.
    pub attempt: u8,
    /// The disk's path.
    pub disk: String,
    /// Its serial, where it has one.
    #[serde(default)]
    pub serial: Option<String>,
    /// Its size in bytes.
    #[serde(default)]
    pub size_bytes: u64,
}

/// What the installer reported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct InstalledView {
    /// The image that was written.
    pub image: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The disk's serial.
    pub disk_serial: Option<String>,
    /// Hex SHA-256 of the installed config.
    pub config_sha256: Option<String>,
}
