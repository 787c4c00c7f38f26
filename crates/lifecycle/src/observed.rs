//! What a machine last was, beside and after any run.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{BootId, NetworkFacts};

/// What a machine last was. Never changes a run, never a boot answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// When it last said so.
    pub at: Timestamp,
    /// Its boot.
    pub boot_id: BootId,
    /// The operating system's version.
    #[serde(default)]
    pub os_version: Option<String>,
    /// The booted deployment's checksum.
    #[serde(default)]
    pub deployment: Option<String>,
    /// Its network, as the kernel said.
    #[serde(default)]
    pub network: Option<NetworkFacts>,
}
