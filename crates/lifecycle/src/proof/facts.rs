//! A host's network as its kernel sees it.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::Mac;

/// A host's network as its kernel sees it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkFacts {
    /// The bond, where there is one.
    pub bond: Option<BondFact>,
    /// Its ports.
    pub ports: Vec<PortFact>,
    /// VLAN interfaces.
    pub vlans: Vec<VlanFact>,
    /// Addresses, of whatever interface.
    pub addresses: Vec<AddressFact>,
    /// Routes; none means that the host did not look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routes: Option<Vec<RouteFact>>,
    /// Bytes; of the uplink.
    pub mtu: Option<u32>,
    /// What a ping of full size to a peer showed, where there is a peer.
    pub peer: Option<PeerFact>,
}

/// A bond as `/proc/net/bonding` shows it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BondFact {
    /// Interface name.
    pub name: Option<String>,
    /// The kernel's name of the mode, `802.3ad`.
    pub mode: Option<String>,
}

/// A port of the bond.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PortFact {
    /// Its permanent MAC.
    pub mac: Option<Mac>,
    /// Interface name.
    pub name: Option<String>,
    /// Whether it has a link.
    pub link: Option<bool>,
    /// The LACP partner's MAC; all zeros and none mean that nobody answers.
    pub partner: Option<String>,
}

impl PortFact {
    /// Whether a switch answers LACP on it.
    #[must_use]
    pub fn has_partner(&self) -> bool {
        let partner = self.partner.as_deref().unwrap_or_default();
        partner.chars().any(|c| !matches!(c, '0' | ':' | '-'))
    }
}

/// A VLAN interface.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VlanFact {
    /// VLAN id.
    pub id: u16,
    /// The interface below it.
    pub parent: Option<String>,
    /// Whether it is up.
    pub up: Option<bool>,
    /// Bytes.
    pub mtu: Option<u32>,
}

/// An address on an interface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AddressFact {
    /// Interface name, where stated.
    #[serde(default)]
    pub interface: Option<String>,
    /// With its prefix length, where stated; a bare address stands for the whole of it.
    pub address: IpNet,
}

/// A route in the main table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteFact {
    /// Where to.
    pub to: IpNet,
    /// The next hop, if there is one.
    #[serde(default)]
    pub via: Option<IpAddr>,
}

/// What a ping to a peer on the VLAN showed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, from = "PeerForm")]
pub struct PeerFact {
    /// Whom it went to.
    pub address: Option<IpAddr>,
    /// The interface that it left by.
    pub interface: Option<String>,
    /// Whether the peer answered at all.
    pub reached: Option<bool>,
    /// Whether it answered a packet as large as the link takes, with fragmenting forbidden.
    pub full_size: Option<bool>,
    /// The size of that packet, in bytes.
    pub mtu: Option<u32>,
    /// In words, where that is all that was said.
    pub says: Option<String>,
}

/// How a host may put it: all of it, a yes or no, or words.
#[derive(Deserialize)]
#[serde(untagged)]
enum PeerForm {
    Answered(bool),
    Words(String),
    Full {
        #[serde(default)]
        address: Option<IpAddr>,
        #[serde(default)]
        interface: Option<String>,
        #[serde(default)]
        reached: Option<bool>,
        #[serde(default)]
        full_size: Option<bool>,
        #[serde(default)]
        mtu: Option<u32>,
        #[serde(default)]
        says: Option<String>,
    },
}

impl From<PeerForm> for PeerFact {
    fn from(form: PeerForm) -> Self {
        match form {
            PeerForm::Answered(answered) => Self {
                reached: Some(answered),
                full_size: Some(answered),
                ..Self::default()
            },
            PeerForm::Words(says) => Self {
                says: Some(says),
                ..Self::default()
            },
            PeerForm::Full {
                address,
                interface,
                reached,
                full_size,
                mtu,
                says,
            } => Self {
                address,
                interface,
                reached,
                full_size,
                mtu,
                says,
            },
        }
    }
}
