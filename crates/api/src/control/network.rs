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
    /// The one port that carries it where there is no bond.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<PortSpec>,
    /// Tagged networks on the bond or port.
    pub vlans: Vec<VlanSpec>,
    /// Addresses of resolvers; none means those of DHCP.
    pub dns: Vec<String>,
    /// Domains that short names are looked up in; none means those of DHCP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub search: Vec<String>,
}

/// The untagged side: how it gets its addresses, and those that are fixed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UplinkSpec {
    /// Where addresses come from.
    pub method: UplinkMethod,
    /// Fixed addresses with their prefix lengths, such as `192.0.2.10/24`. With DHCP they stand beside the one that
    /// DHCP gives; a fixed IPv6 address takes the place of router advertisements.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// Default routes, one a family at most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<String>,
    /// Further routes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteSpec>,
}

words! {
    /// Where the uplink's addresses come from.
    #[derive(Default)]
    UplinkMethod, "method of the uplink" {
        /// DHCP for IPv4, router advertisements for IPv6.
        #[default]
        Dhcp = "dhcp",
        /// Fixed addresses only.
        Static = "static",
        /// As `dhcp`, and what that leaves out as the provider's metadata service names it.
        Metadata = "metadata",
    }
}

/// Ports that act as one link. What is left out has the value that is usual on the host's platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BondSpec {
    /// The bonding driver's mode; none means 802.3ad.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<BondMode>,
    /// Ports by MAC, never by name: names change with firmware. None means all MACs of the host.
    pub ports: Vec<String>,
    /// Link check interval in milliseconds; none means 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub miimon_ms: Option<u32>,
    /// Delay before a lost link counts, in milliseconds, a multiple of the interval; none means 0, on equinix-metal 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down_delay_ms: Option<u32>,
    /// Delay before a new link is used, in milliseconds, a multiple of the interval; none means 0, on equinix-metal 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_delay_ms: Option<u32>,
    /// How often the partner sends LACP frames, 802.3ad only; none means slow, on equinix-metal fast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lacp_rate: Option<LacpRate>,
    /// Which port a frame leaves by; none means layer2, on equinix-metal layer3+4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xmit_hash_policy: Option<XmitHashPolicy>,
    /// Bytes; none means 1500.
    #[serde(skip_serializing_if = "Option::is_none")]
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
        /// Frame by frame over all ports.
        BalanceRr = "balance-rr",
        /// By a hash of the addresses.
        BalanceXor = "balance-xor",
        /// Everything over every port.
        Broadcast = "broadcast",
        /// By load when sending.
        BalanceTlb = "balance-tlb",
        /// By load in both directions.
        BalanceAlb = "balance-alb",
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

words! {
    /// What of a frame decides which port of a bond it leaves by.
    XmitHashPolicy, "hash policy" {
        /// MACs.
        Layer2 = "layer2",
        /// MACs and IP addresses.
        Layer23 = "layer2+3",
        /// IP addresses and ports.
        Layer34 = "layer3+4",
        /// MACs and IP addresses inside a tunnel.
        Encap23 = "encap2+3",
        /// IP addresses and ports inside a tunnel.
        Encap34 = "encap3+4",
        /// VLAN id and source MAC.
        VlanSrcMac = "vlan+srcmac",
    }
}

/// A port that carries the uplink alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PortSpec {
    /// None means the host's first MAC.
    pub mac: Option<String>,
    /// Bytes; none means 1500.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
}

/// A tagged network on the uplink.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VlanSpec {
    /// 2 to 4094.
    pub id: u16,
    /// Addresses of either family with their prefix lengths.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Bytes; none means 1500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// Routes over it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteSpec>,
    /// Where the server takes an address from, of each family that has a range here and no address above. It stays
    /// the host's until the host is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<AddressPoolSpec>,
}

/// A route over an interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteSpec {
    /// Where to, such as `10.0.0.0/8`.
    pub to: String,
    /// The next hop: an address in a network of the same interface.
    pub via: String,
}

/// Addresses for the hosts of a VLAN, of either family or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AddressPoolSpec {
    /// IPv4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<AddressRangeSpec>,
    /// IPv6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<AddressRangeSpec>,
}

/// A part of a prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressRangeSpec {
    /// The VLAN's prefix: goes with every address given.
    pub prefix: String,
    /// The first address to give; none means the second usable one, since the first is the router's by custom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The last address to give; none means the last usable one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bonded_host_with_a_vlan_is_read_and_written_again() {
        let text = r#"{"uplink":{"method":"static","addresses":["192.0.2.10/24"],"gateways":["192.0.2.1"]},
            "bond":{"ports":["52:54:00:00:00:01","52:54:00:00:00:02"],"xmit_hash_policy":"layer3+4"},
            "vlans":[{"id":1000,"mtu":9000,"pool":{"ipv4":{"prefix":"10.0.0.0/24"}},"routes":[{"to":"10.9.0.0/16","via":"10.0.0.1"}]}]}"#;
        let network: NetworkSpec = serde_json::from_str(text).unwrap();
        insta::assert_json_snapshot!(network);
    }
}
