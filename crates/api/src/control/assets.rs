//! The mirror: versions, files, pulls.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Arch;

/// What is in the mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "versions": [{"version": "43.20260901.3.0", "arch": "x86_64", "bytes": 1_012_345_678, "links": ["current", "stream.stable"],
        "needed_by": ["run 3 of node-1 is served it"]}],
    "files": [{"name": "k3s", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "size": 71_000_000,
        "source": "https://example.net/k3s", "added_at": "2026-09-01T12:00:00Z"}]
})))]
pub struct AssetsView {
    /// Versions of the operating system, by architecture and version.
    pub versions: Vec<VersionView>,
    /// Files beside them, by name.
    pub files: Vec<AssetFileView>,
}

/// A mirrored version of the operating system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionView {
    /// Its version.
    pub version: String,
    /// For which machines.
    pub arch: String,
    /// Bytes of the files that hosts are served.
    pub bytes: u64,
    /// Names that point to it: `current` is what hosts are armed with that pin no version.
    #[serde(default)]
    pub links: Vec<String>,
    /// Who needs it: it is not removed as long as there is anybody.
    #[serde(default)]
    pub needed_by: Vec<String>,
}

/// A file with a hash, served to everybody on the boot plane at `/files/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "name": "k3s", "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "size": 5120,
    "source": "https://mirror.example.net/k3s", "added_at": "2026-09-01T12:00:00Z"
})))]
pub struct AssetFileView {
    /// Its name.
    pub name: String,
    /// Hex SHA-256.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// Where it came from.
    #[serde(default)]
    pub source: String,
    /// Since when it is here.
    pub added_at: Timestamp,
}

/// `POST /api/v1/assets/pulls`: download the latest version of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"stream": "stable", "arch": "x86_64", "image": false, "keep_current": false})))]
pub struct PullBody {
    /// The stream: stable, testing, next.
    pub stream: String,
    /// For which machines.
    #[serde(default)]
    pub arch: Arch,
    /// Also the disk image: hosts then install it rather than the one that the live system carries.
    #[serde(default)]
    pub image: bool,
    /// Do not arm hosts with it, unless they pin it.
    #[serde(default)]
    pub keep_current: bool,
}

/// `POST /api/v1/assets/files`: download a file with a hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"url": "https://example.net/v1.33.1/k3s", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})))]
pub struct AddFileBody {
    /// Where it is.
    pub url: String,
    /// Its SHA-256 in hex.
    pub sha256: String,
    /// Its name here; none means the last part of the URL.
    #[serde(default)]
    pub name: Option<String>,
}

/// Where a pull stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PullState {
    /// Another one downloads.
    Waiting,
    /// It downloads.
    Running,
    /// Everything is here and checked.
    Done,
    /// It cannot go on; what hosts are served has not changed.
    Failed,
    /// Somebody ended it.
    Cancelled,
}

impl PullState {
    /// Whether nothing more will happen.
    #[must_use]
    pub fn is_end(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

/// A pull.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": 4, "stream": "stable", "arch": "x86_64", "version": "43.20260901.3.0", "state": "running",
    "files": [{"name": "fedora-coreos-43.20260901.3.0-live-kernel.x86_64", "done_bytes": 1_048_576, "total_bytes": 18_067_824, "done": false}],
    "pruned": []
})))]
pub struct PullView {
    /// The server's number of it, counted since its start.
    pub id: u64,
    /// The stream; none for a single file.
    #[serde(default)]
    pub stream: Option<String>,
    /// For which machines.
    #[serde(default)]
    pub arch: Option<String>,
    /// The version that was found.
    #[serde(default)]
    pub version: Option<String>,
    /// Where it stands.
    pub state: PullState,
    /// Why it failed or was cancelled.
    #[serde(default)]
    pub failed: Option<String>,
    /// Its files.
    #[serde(default)]
    pub files: Vec<PullFileView>,
    /// Versions that were removed after it, since nobody needed them.
    #[serde(default)]
    pub pruned: Vec<String>,
}

/// A file of a pull.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PullFileView {
    /// Its name.
    pub name: String,
    /// Bytes that are here.
    pub done_bytes: u64,
    /// Bytes in all, once known.
    #[serde(default)]
    pub total_bytes: Option<u64>,
    /// Whole and checked.
    pub done: bool,
}
