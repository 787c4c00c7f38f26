//! What a host's installed system is to bring up.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::Mac;

/// A host's network: an uplink over one port or a bond, and VLANs on top of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The untagged side.
    #[serde(default)]
    pub uplink: Uplink,
    /// Set where several ports carry the uplink.
    #[serde(default)]
    pub bond: Option<Bond>,
    /// Tagged networks on the bond or port.
    #[serde(default)]
    pub vlans: Vec<Vlan>,
    /// Resolvers; none means those of DHCP.
    #[serde(default)]
    pub dns: Vec<IpAddr>,
}

/// How the untagged side gets its addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase", deny_unknown_fields)]
pub enum Uplink {
    /// DHCP for IPv4, router advertisements for IPv6.
    #[default]
    Dhcp,
    /// Fixed addresses.
    Static {
        /// Addresses with their prefix lengths.
        addresses: Vec<IpNet>,
        /// Default routes, one a family at most.
        gateways: Vec<IpAddr>,
    },
}

/// Ports that act as one link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bond {
    /// The bonding driver's mode.
    #[serde(default)]
    pub mode: BondMode,
    /// Ports by MAC, never by name: names change with firmware.
    pub ports: Vec<Mac>,
    /// Link check interval in milliseconds.
    #[serde(default = "Bond::default_miimon_ms")]
    pub miimon_ms: u32,
    /// Delay before a lost link counts, in milliseconds.
    #[serde(default = "Bond::default_delay_ms")]
    pub down_delay_ms: u32,
    /// Delay before a new link is used, in milliseconds.
    #[serde(default = "Bond::default_delay_ms")]
    pub up_delay_ms: u32,
    /// How often the partner sends LACP frames; 802.3ad only.
    #[serde(default)]
    pub lacp_rate: LacpRate,
    /// Bytes; none means the driver's 1500.
    #[serde(default)]
    pub mtu: Option<u32>,
}

impl Bond {
    fn default_miimon_ms() -> u32 {
        100
    }

    fn default_delay_ms() -> u32 {
        200
    }
}

/// The bonding driver's mode, named as the kernel names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BondMode {
    /// IEEE 802.3ad link aggregation.
    #[default]
    #[serde(rename = "802.3ad")]
    Lacp,
    /// One port at a time.
    #[serde(rename = "active-backup")]
    ActiveBackup,
}

impl BondMode {
    /// The kernel's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lacp => "802.3ad",
            Self::ActiveBackup => "active-backup",
        }
    }
}

/// How often LACP frames are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LacpRate {
    /// Every 30 seconds.
    Slow,
    /// Every second.
    #[default]
    Fast,
}

impl LacpRate {
    /// The kernel's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Fast => "fast",
        }
    }
}

/// A tagged network on the uplink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vlan {
    /// 2 to 4094.
    pub id: u16,
    /// Addresses of either family with their prefix lengths.
    pub addresses: Vec<IpNet>,
    /// Bytes; none means 1500.
    #[serde(default)]
    pub mtu: Option<u32>,
}

impl Network {
    /// The interface of the uplink as the installed system names it: `bond0`, or none where the port keeps its own name.
    #[must_use]
    pub fn uplink_interface(&self) -> Option<&'static str> {
        self.bond.as_ref().map(|_| "bond0")
    }
}
