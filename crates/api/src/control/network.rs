//! A host's network: an uplink over one port or a bond, and VLANs on top of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::names::words;

/// What the installed system brings up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkSpec {
    /// The untagged side.
    pub uplink: UplinkSpec,
    /// Set where several ports carry the uplink.
    pub bond: Option<BondSpec>,
    /// Tagged networks on the bond or port.
    pub vlans: Vec<VlanSpec>,
    /// Addresses of resolvers; none means those of DHCP.
    pub dns: Vec<String>,
}

/// How the untagged side gets its addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "method", rename_all = "lowercase", deny_unknown_fields)]
pub enum UplinkSpec {
    /// DHCP for IPv4, router advertisements for IPv6.
    #[default]
    Dhcp,
    /// Fixed addresses.
    Static {
        /// Addresses with their prefix lengths, such as `192.0.2.10/24`.
        addresses: Vec<String>,
        /// Default routes, one a family at most.
        gateways: Vec<String>,
    },
}

/// Ports that act as one link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BondSpec {
    /// The bonding driver's mode.
    #[serde(default)]
    pub mode: BondMode,
    /// Ports by MAC, never by name: names change with firmware.
    pub ports: Vec<String>,
    /// Link check interval in milliseconds; none means 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub miimon_ms: Option<u32>,
    /// Delay before a lost link counts, in milliseconds; none means 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down_delay_ms: Option<u32>,
    /// Delay before a new link is used, in milliseconds; none means 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_delay_ms: Option<u32>,
    /// How often the partner sends LACP frames; 802.3ad only.
    #[serde(default)]
    pub lacp_rate: LacpRate,
    /// Bytes; none means 1500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
}

words! {
    /// The bonding driver's mode, named as the kernel names it.
    #[derive(Default)]
    BondMode, "bond mode" {
        /// IEEE 802.3ad link aggregation.
        #[default]
        Lacp = "802.3ad",
        /// One port at a time.
        ActiveBackup = "active-backup",
    }
}

words! {
    /// How often LACP frames are asked for.
    #[derive(Default)]
    LacpRate, "LACP rate" {
        /// Every 30 seconds.
        Slow = "slow",
        /// Every second.
        #[default]
        Fast = "fast",
    }
}

/// A tagged network on the uplink.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VlanSpec {
    /// 2 to 4094.
    pub id: u16,
    /// Addresses of either family with their prefix lengths.
    pub addresses: Vec<String>,
    /// Bytes; none means 1500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bonded_host_with_a_vlan_is_read_and_written_again() {
        let text = r#"{"uplink":{"method":"static","addresses":["192.0.2.10/24"],"gateways":["192.0.2.1"]},
            "bond":{"ports":["52:54:00:00:00:01","52:54:00:00:00:02"]},"vlans":[{"id":1000,"addresses":["10.0.0.2/24"],"mtu":9000}]}"#;
        let network: NetworkSpec = serde_json::from_str(text).unwrap();
        insta::assert_json_snapshot!(network);
    }
}
