//! What a machine last was, and what is wrong with it beside its run.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::AtProviderView;
use crate::names::words;

words! {
    /// What can be wrong with a machine beside its run. Alerts change nothing: no run, no boot answer.
    AlertKind, "kind of alert" {
        /// The booted deployment lacks packages that were to be layered.
        PackagesMissing = "packages-missing",
        /// The network is not what the host's description asks for.
        NetworkDiffers = "network-differs",
        /// Sent to its disk, and no word from it since.
        NotBack = "not-back",
        /// An older deployment runs than was seen before.
        RolledBack = "rolled-back",
        /// A machine presented identifiers of this host and others that disagree.
        IdentifiersConflict = "identifiers-conflict",
        /// Holds a reboot lock for long.
        LockHeld = "lock-held",
        /// Its provider refuses or does not answer what is asked for it.
        AtProvider = "at-provider",
    }
}

/// Something is wrong with a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"kind": "not-back", "since": "2026-09-01T12:00:00Z", "says": "it rebooted and was sent to its disk once, and has not reported since", "advice": "look at its console"})))]
pub struct AlertView {
    /// A word for programs, of [`AlertKind`]; newer servers know more of them.
    pub kind: String,
    /// Since when, as far as is known.
    pub since: Timestamp,
    /// What is seen.
    pub says: String,
    /// What to look at or do.
    pub advice: String,
}

/// A host with its alerts: `GET /api/v1/alerts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"host": "node-1", "alerts": [{"kind": "packages-missing", "since": "2026-09-01T12:00:00Z", "says": "the booted deployment lacks htop", "advice": "look at rpm-ostree status"}]})))]
pub struct HostAlerts {
    /// The host's name.
    pub host: String,
    /// What is wrong with it, one at least.
    pub alerts: Vec<AlertView>,
}

/// What a machine last was: `GET /api/v1/hosts/{name}/observed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"at": "2026-09-01T12:00:00Z", "boot_id": "3f2a0000-0000-4000-8000-00000000b001", "run": 1, "os_version": "43.20260901.3.0", "deployment": "5ec0d5ec0d", "missing_packages": [], "deployments": [{"checksum": "5ec0d5ec0d", "first_seen": "2026-09-01T12:00:00Z"}]})))]
pub struct ObservedView {
    /// When it last said so; none when it never did.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// The kernel's id of its boot.
    #[serde(default)]
    pub boot_id: Option<String>,
    /// The run whose system speaks.
    #[serde(default)]
    pub run: Option<u32>,
    /// The operating system's version.
    #[serde(default)]
    pub os_version: Option<String>,
    /// The booted deployment's checksum.
    #[serde(default)]
    pub deployment: Option<String>,
    /// Packages that it was to layer and does not have; none when it did not say.
    #[serde(default)]
    pub missing_packages: Option<Vec<String>>,
    /// Its network as the kernel said: bond, ports, vlans, addresses, mtu, peer.
    #[serde(default)]
    pub network: Option<Value>,
    /// Where that differs from the host's description, a sentence each.
    #[serde(default)]
    pub network_differs: Vec<String>,
    /// Deployments of this run that were seen running, in the order of their first boots.
    #[serde(default)]
    pub deployments: Vec<DeploymentView>,
    /// What is wrong with it.
    #[serde(default)]
    pub alerts: Vec<AlertView>,
    /// What its provider says of it, where one is asked.
    #[serde(default)]
    pub provider: Option<AtProviderView>,
}

/// A deployment that was seen running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeploymentView {
    /// Its checksum.
    pub checksum: String,
    /// The operating system's version, where stated.
    #[serde(default)]
    pub os_version: Option<String>,
    /// When it was first seen running.
    pub first_seen: Timestamp,
}
