//! Machines that asked for a script and match no host.

use std::collections::BTreeMap;

use super::{InstallSpec, KnownBy, NetworkSpec, Platform, Role};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A machine that nobody has described yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": 3, "macs": ["52:54:00:aa:bb:09"], "serial": "S6PUNX", "said": {"product": "PowerEdge R640"}, "source": "192.0.2.9",
    "first_seen": "2026-09-01T12:00:00Z", "last_seen": "2026-09-01T12:05:00Z", "count": 11
})))]
pub struct UnknownMachineView {
    /// The server's number of it.
    pub id: u64,
    /// MACs it presented.
    #[serde(default)]
    pub macs: Vec<String>,
    /// Serial it presented, placeholders left out.
    #[serde(default)]
    pub serial: Option<String>,
    /// UUID it presented, placeholders left out.
    #[serde(default)]
    pub uuid: Option<String>,
    /// What else it said: manufacturer, product, arch, platform.
    #[serde(default)]
    pub said: BTreeMap<String, String>,
    /// The address it asked from.
    #[serde(default)]
    pub source: String,
    /// Why it is unknown, where there is more to say than that no host has its identifiers.
    #[serde(default)]
    pub why: Option<String>,
    /// First time.
    pub first_seen: Timestamp,
    /// Last time.
    pub last_seen: Timestamp,
    /// How often, as far as recorded.
    #[serde(default)]
    pub count: u32,
}

/// `POST /api/v1/unknown-machines/{id}/adopt`: what the machine did not say of itself. MACs, serial, UUID and
/// architecture are what it presented; it is held until it is armed or released.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"name": "node-9", "role": "agent", "cluster": "lab", "labels": {"rack": "7"}})))]
#[serde(default, deny_unknown_fields)]
pub struct AdoptBody {
    /// Its name: an RFC 1123 label, unique in the fleet.
    pub name: String,
    /// Where it stands and how it is powered.
    pub platform: Platform,
    /// What it becomes.
    pub role: Role,
    /// The cluster that a server or an agent joins.
    pub cluster: Option<String>,
    /// How a request is recognised as this host's.
    pub known_by: KnownBy,
    /// What the installed system brings up.
    pub network: NetworkSpec,
    /// How it is installed and booted.
    pub install: InstallSpec,
    /// OpenSSH public keys of the user `core`.
    pub ssh_keys: Vec<String>,
    /// Packages to layer on the second boot.
    pub packages: Vec<String>,
    /// Free labels for people, filters and templates.
    pub labels: BTreeMap<String, String>,
}
