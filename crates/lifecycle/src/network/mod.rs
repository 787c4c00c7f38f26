//! What a host's installed system is to bring up.

mod address;
mod bond;
mod check;
mod in_cluster;
mod pool;

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::Mac;

pub use address::address_key;
pub use bond::{Bond, BondMode, LacpRate, XmitHashPolicy};
pub use check::{NetworkFault, check_network};
pub use in_cluster::{Misfit, check_beside_cluster};
pub use pool::{AddressPool, AddressRange};

/// MTU of a link for which none was asked, in bytes.
pub const DEFAULT_MTU: u32 = 1500;

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
    /// The one port that carries it where there is no bond; none means the host's first MAC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<Port>,
    /// Tagged networks on the bond or port.
    #[serde(default)]
    pub vlans: Vec<Vlan>,
    /// Resolvers; none means those of DHCP.
    #[serde(default)]
    pub dns: Vec<IpAddr>,
    /// Domains that short names are looked up in; none means those of DHCP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub search: Vec<String>,
}

/// The untagged side: how it gets its addresses, and those that are fixed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uplink {
    /// Where addresses come from.
    #[serde(default)]
    pub method: Method,
    /// Fixed addresses with their prefix lengths. With DHCP they stand beside the one that DHCP gives; a fixed IPv6
    /// address takes the place of router advertisements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpNet>,
    /// Default routes, one a family at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<IpAddr>,
    /// Further routes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
}

/// Where the uplink's addresses come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// DHCP for IPv4, router advertisements for IPv6.
    #[default]
    Dhcp,
    /// Fixed addresses only.
    Static,
    /// As `Dhcp`, and what that leaves out as the provider's metadata service names it.
    Metadata,
}

impl Method {
    /// Whether DHCP gives it an IPv4 address.
    #[must_use]
    pub fn is_dhcp(self) -> bool {
        match self {
            Self::Dhcp | Self::Metadata => true,
            Self::Static => false,
        }
    }
}

/// A port that carries the uplink alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// None means the host's first MAC.
    #[serde(default)]
    pub mac: Option<Mac>,
    /// Bytes; none means 1500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
}

/// A tagged network on the uplink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vlan {
    /// 2 to 4094.
    pub id: u16,
    /// Addresses of either family with their prefix lengths.
    #[serde(default)]
    pub addresses: Vec<IpNet>,
    /// Bytes; none means 1500.
    #[serde(default)]
    pub mtu: Option<u32>,
    /// Routes over it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// Where the store takes an address from, of each family that has a range here and no stated address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<AddressPool>,
}

/// A route over an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Where to.
    pub to: IpNet,
    /// The next hop.
    pub via: IpAddr,
}

impl Network {
    /// The interface of the uplink as the installed system names it: `bond0`, or none where the port keeps its own name.
    #[must_use]
    pub fn uplink_interface(&self) -> Option<&'static str> {
        self.bond.as_ref().map(|_| "bond0")
    }

    /// The interface of a VLAN as the installed system names it.
    #[must_use]
    pub fn vlan_interface(&self, id: u16) -> String {
        match &self.bond {
            Some(_) => format!("bond0.{id}"),
            None => format!("vlan{id}"),
        }
    }

    /// MTU of the untagged link, in bytes.
    #[must_use]
    pub fn uplink_mtu(&self) -> u32 {
        let bond = self.bond.as_ref().and_then(|bond| bond.mtu);
        let port = self.port.as_ref().and_then(|port| port.mtu);
        bond.or(port).unwrap_or(DEFAULT_MTU)
    }

    /// Whether nothing is asked for but DHCP on whatever port has a link.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Cards that are named as ports.
    pub fn ports(&self) -> impl Iterator<Item = Mac> {
        let bonded = self.bond.iter().flat_map(|bond| bond.ports.iter().copied());
        bonded.chain(self.port.iter().filter_map(|port| port.mac))
    }

    /// Every fixed address, with the field it stands in.
    pub fn addresses(&self) -> impl Iterator<Item = (String, IpNet)> {
        let uplink = self.uplink.addresses.iter().enumerate();
        let uplink = uplink.map(|(at, address)| (format!("network.uplink.addresses[{at}]"), *address));
        let vlans = self.vlans.iter().enumerate().flat_map(|(vlan, asked)| {
            let addresses = asked.addresses.iter().enumerate();
            addresses.map(move |(at, address)| (format!("network.vlans[{vlan}].addresses[{at}]"), *address))
        });
        uplink.chain(vlans)
    }

    /// Every route, with the field it stands in.
    pub fn routes(&self) -> impl Iterator<Item = (String, &Route)> {
        let uplink = self.uplink.routes.iter().enumerate();
        let uplink = uplink.map(|(at, route)| (format!("network.uplink.routes[{at}]"), route));
        let vlans = self.vlans.iter().enumerate().flat_map(|(vlan, asked)| {
            let routes = asked.routes.iter().enumerate();
            routes.map(move |(at, route)| (format!("network.vlans[{vlan}].routes[{at}]"), route))
        });
        uplink.chain(vlans)
    }
}

impl Vlan {
    /// MTU, in bytes.
    #[must_use]
    pub fn mtu(&self) -> u32 {
        self.mtu.unwrap_or(DEFAULT_MTU)
    }
}
