//! What is read of the API's answers. They say much more; nothing else is needed.

use jiff::Timestamp;
use serde::Deserialize;
use thirdboot_lifecycle::Mac;

/// The kind of port that is several ports in one.
pub(super) const BOND_PORT: &str = "NetworkBondPort";
/// The bond that carries the machine's addresses.
pub(super) const FIRST_BOND: &str = "bond0";

#[derive(Deserialize)]
pub(super) struct Device {
    #[serde(default)]
    pub(super) state: String,
    /// Machines of other systems than `custom_ipxe` have none.
    #[serde(default)]
    always_pxe: Option<bool>,
    /// A secret.
    #[serde(default)]
    pub(super) ipxe_script_url: Option<String>,
    #[serde(default)]
    pub(super) network_frozen: Option<bool>,
    #[serde(default)]
    pub(super) network_ports: Vec<Port>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Port {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) network_type: Option<String>,
    #[serde(default)]
    pub(super) data: PortData,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct PortData {
    #[serde(default)]
    pub(super) bonded: Option<bool>,
    /// Those that are several in one have none.
    #[serde(default)]
    pub(super) mac: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Assignments {
    #[serde(default)]
    pub(super) vlan_assignments: Vec<Assignment>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Assignment {
    pub(super) vlan: u16,
    #[serde(default)]
    pub(super) state: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Batches {
    #[serde(default)]
    pub(super) batches: Vec<Batch>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Batch {
    pub(super) id: String,
    #[serde(default)]
    pub(super) state: BatchState,
    #[serde(default)]
    pub(super) error_messages: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum BatchState {
    #[default]
    Queued,
    InProgress,
    Completed,
    Failed,
}

#[derive(Debug, Deserialize)]
pub(super) struct Events {
    #[serde(default)]
    pub(super) events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) body: Option<String>,
    #[serde(default)]
    pub(super) interpolated: Option<String>,
    pub(super) created_at: Timestamp,
}

/// How the API words what is wrong.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Errors {
    #[serde(default)]
    pub(super) errors: Vec<String>,
    #[serde(default)]
    pub(super) error: Option<String>,
}

impl Device {
    /// Whether it boots from the network every time.
    pub(super) fn netboot(&self) -> bool {
        self.always_pxe.unwrap_or(false)
    }

    /// Those of its ports, as far as they are told.
    pub(super) fn macs(&self) -> impl Iterator<Item = Mac> {
        let told = self.network_ports.iter().filter_map(|port| port.data.mac.as_deref());
        told.filter_map(|mac| mac.parse().ok())
    }
}

impl std::fmt::Debug for Device {
    /// Without the URL that the machine boots from.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device")
            .field("state", &self.state)
            .field("always_pxe", &self.always_pxe)
            .field("network_ports", &self.network_ports)
            .finish_non_exhaustive()
    }
}
