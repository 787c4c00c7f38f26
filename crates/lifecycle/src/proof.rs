//! The network a host reports, held against the network it was asked to bring up.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{BondMode, Mac, Network, Uplink, Vlan};

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
    /// Bytes; of the uplink.
    pub mtu: Option<u32>,
    /// What a ping of full size to a peer showed, where there is a peer.
    pub peer: Option<String>,
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

/// Where `seen` differs from `asked`, a sentence each; empty is proof. A host without bond, VLAN and fixed addresses
/// has proven its uplink by the report itself.
#[must_use]
pub fn differences(asked: &Network, seen: &NetworkFacts) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(bond) = &asked.bond {
        bond_differences(bond, seen, &mut found);
    }
    if let Uplink::Static { addresses, .. } = &asked.uplink {
        for address in addresses {
            missing_address(*address, "the uplink", seen, &mut found);
        }
    }
    for vlan in &asked.vlans {
        vlan_differences(vlan, asked.uplink_interface(), seen, &mut found);
    }
    found
}

fn bond_differences(asked: &crate::Bond, seen: &NetworkFacts, found: &mut Vec<String>) {
    let Some(bond) = &seen.bond else {
        found.push(format!("no bond, expected bond0 in mode {}", asked.mode.as_str()));
        return;
    };
    if let Some(mode) = &bond.mode
        && mode != asked.mode.as_str()
    {
        found.push(format!("bond mode is {mode}, expected {}", asked.mode.as_str()));
    }
    for mac in &asked.ports {
        let Some(port) = seen.ports.iter().find(|port| port.mac == Some(*mac)) else {
            // A report that names no MACs at all cannot be held against a list of MACs.
            if seen.ports.is_empty() || seen.ports.iter().any(|port| port.mac.is_some()) {
                found.push(format!("port {mac} is not in the bond"));
            }
            continue;
        };
        if port.link == Some(false) {
            found.push(format!("port {mac} has no link"));
        }
        if asked.mode == BondMode::Lacp && port.partner.as_deref().is_some_and(is_nobody) {
            found.push(format!("port {mac} has no LACP partner"));
        }
    }
}

fn is_nobody(partner: &str) -> bool {
    partner.chars().all(|c| matches!(c, '0' | ':' | '-'))
}

fn vlan_differences(asked: &Vlan, parent: Option<&str>, seen: &NetworkFacts, found: &mut Vec<String>) {
    let id = asked.id;
    let Some(vlan) = seen.vlans.iter().find(|vlan| vlan.id == id) else {
        let others: Vec<String> = seen.vlans.iter().map(|vlan| vlan.id.to_string()).collect();
        let instead = if others.is_empty() {
            String::new()
        } else {
            format!(", found VLAN {} instead", others.join(", "))
        };
        found.push(format!("VLAN {id} is missing{instead}"));
        return;
    };
    if vlan.up == Some(false) {
        found.push(format!("VLAN {id} is down"));
    }
    if let (Some(seen), Some(asked)) = (&vlan.parent, parent)
        && seen != asked
    {
        found.push(format!("VLAN {id} is on {seen}, expected {asked}"));
    }
    if let (Some(seen), Some(asked)) = (vlan.mtu, asked.mtu)
        && seen != asked
    {
        found.push(format!("VLAN {id} has MTU {seen}, expected {asked}"));
    }
    for address in &asked.addresses {
        missing_address(*address, &format!("VLAN {id}"), seen, found);
    }
}

fn missing_address(asked: IpNet, place: &str, seen: &NetworkFacts, found: &mut Vec<String>) {
    let is_host = |net: &IpNet| net.prefix_len() == net.max_prefix_len();
    let ip: IpAddr = asked.addr();
    let is_there = seen.addresses.iter().any(|fact| {
        fact.address.addr() == ip && (is_host(&fact.address) || fact.address.prefix_len() == asked.prefix_len())
    });
    if !is_there {
        found.push(format!("address {asked} of {place} is missing"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Network {
        serde_json::from_str(
            r#"{"bond":{"ports":["52:54:00:00:00:01","52:54:00:00:00:02"]},"vlans":[{"id":1234,"mtu":9000,"addresses":["10.8.0.5/24","fd00::5/64"]}]}"#,
        )
        .unwrap()
    }

    fn seen() -> NetworkFacts {
        serde_json::from_str(
            r#"{"bond":{"name":"bond0","mode":"802.3ad"},
                "ports":[{"mac":"52:54:00:00:00:01","link":true,"partner":"02:00:00:00:00:01"},{"mac":"52:54:00:00:00:02","link":true,"partner":"02:00:00:00:00:01"}],
                "vlans":[{"id":1234,"parent":"bond0","up":true,"mtu":9000}],
                "addresses":[{"interface":"bond0.1234","address":"10.8.0.5/24"},{"address":"fd00::5/64"}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn what_was_asked_is_proof() {
        assert_eq!(differences(&asked(), &seen()), Vec::<String>::new());
        assert_eq!(
            differences(&Network::default(), &NetworkFacts::default()),
            Vec::<String>::new()
        );
    }

    #[test]
    fn each_difference_is_named() {
        let mut wrong = seen();
        wrong.bond = Some(BondFact {
            name: None,
            mode: Some("balance-rr".into()),
        });
        wrong.ports[0].link = Some(false);
        wrong.ports[1].partner = Some("00:00:00:00:00:00".into());
        wrong.vlans[0].mtu = Some(1500);
        wrong.vlans[0].parent = Some("eth0".into());
        wrong.addresses.remove(1);
        insta::assert_snapshot!(differences(&asked(), &wrong).join("\n"));
    }

    #[test]
    fn a_wrong_vlan_id_says_which_was_found() {
        let mut wrong = seen();
        wrong.vlans[0].id = 1243;
        assert_eq!(
            differences(&asked(), &wrong)[0],
            "VLAN 1234 is missing, found VLAN 1243 instead"
        );
    }
}
