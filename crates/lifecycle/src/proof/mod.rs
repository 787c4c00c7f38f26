//! The network a host reports, held against the network it was asked to bring up.

mod facts;

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

pub use facts::{AddressFact, BondFact, NetworkFacts, PeerFact, PortFact, RouteFact, VlanFact};

use crate::{Bond, BondMode, Network, Vlan};

/// In every difference that the switch's side of a bond is the reason of.
const LACP_PARTNER: &str = "LACP partner";

/// Where `seen` differs from `asked`, a sentence each; empty is proof. A host without bond, VLAN and fixed addresses
/// has proven its uplink by the report itself.
#[must_use]
pub fn differences(asked: &Network, seen: &NetworkFacts) -> Vec<String> {
    let mut found = local_differences(asked, seen);
    found.extend(seen.peer.as_ref().and_then(peer_difference));
    found
}

/// Whether all is right on the host itself and yet a peer on its VLAN does not answer: the frames get lost beyond it.
#[must_use]
pub fn is_cut_off(asked_and_seen_differ: &[String], seen: &NetworkFacts) -> bool {
    let silent = seen.peer.as_ref().filter(|peer| peer.reached == Some(false));
    let Some(difference) = silent.and_then(peer_difference) else {
        return false;
    };
    asked_and_seen_differ == [difference]
}

/// Whether all that differs is that the switch does not speak LACP to the bond's ports, or two switches do.
#[must_use]
pub fn lacks_lacp(asked_and_seen_differ: &[String]) -> bool {
    let is_of_lacp = |difference: &String| difference.contains(LACP_PARTNER);
    !asked_and_seen_differ.is_empty() && asked_and_seen_differ.iter().all(is_of_lacp)
}

fn local_differences(asked: &Network, seen: &NetworkFacts) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(bond) = &asked.bond {
        bond_differences(bond, seen, &mut found);
    }
    let mtu = asked.bond.as_ref().and_then(|bond| bond.mtu);
    let mtu = mtu.or(asked.port.as_ref().and_then(|port| port.mtu));
    mtu_difference("the uplink", mtu, seen.mtu, &mut found);
    for address in &asked.uplink.addresses {
        missing_address(*address, "the uplink", seen, &mut found);
    }
    for vlan in &asked.vlans {
        vlan_differences(vlan, asked.uplink_interface(), seen, &mut found);
    }
    for (_, route) in asked.routes() {
        let routes = seen.routes.as_deref().unwrap_or_default();
        let is_there = routes
            .iter()
            .any(|fact| fact.to.trunc() == route.to && fact.via == Some(route.via));
        if !is_there {
            found.push(format!("the route to {} via {} is missing", route.to, route.via));
        }
    }
    found
}

fn bond_differences(asked: &Bond, seen: &NetworkFacts, found: &mut Vec<String>) {
    let expected = asked.mode.as_str();
    let Some(bond) = &seen.bond else {
        found.push(format!("no bond, expected bond0 in mode {expected}"));
        return;
    };
    match bond.mode.as_deref() {
        Some(mode) if mode == expected => {}
        Some(mode) => found.push(format!("bond mode is {mode}, expected {expected}")),
        None => found.push(format!("the bond's mode was not reported, expected {expected}")),
    }
    let mut partners = BTreeSet::new();
    for mac in &asked.ports {
        let Some(port) = seen.ports.iter().find(|port| port.mac == Some(*mac)) else {
            // NetworkManager takes no port into a bond that has never had a link.
            found.push(format!("port {mac} is not in the bond: no link, or no such card"));
            continue;
        };
        if port.link != Some(true) {
            found.push(format!("port {mac} has no link"));
        } else if asked.mode == BondMode::Lacp && !port.has_partner() {
            found.push(format!("port {mac} has no {LACP_PARTNER}"));
        }
        if port.has_partner() {
            partners.extend(port.partner.as_deref());
        }
    }
    if asked.mode == BondMode::Lacp && partners.len() > 1 {
        let partners: Vec<&str> = partners.into_iter().collect();
        found.push(format!(
            "the ports have different {LACP_PARTNER}s ({}): only one of them carries traffic",
            partners.join(", ")
        ));
    }
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
    if let Some(asked) = parent
        && vlan.parent.as_deref() != Some(asked)
    {
        let seen = vlan.parent.as_deref().unwrap_or("nothing");
        found.push(format!("VLAN {id} is on {seen}, expected {asked}"));
    }
    mtu_difference(&format!("VLAN {id}"), asked.mtu, vlan.mtu, found);
    for address in &asked.addresses {
        missing_address(*address, &format!("VLAN {id}"), seen, found);
    }
}

/// What was not asked for may be anything.
fn mtu_difference(place: &str, asked: Option<u32>, seen: Option<u32>, found: &mut Vec<String>) {
    match (asked, seen) {
        (Some(asked), Some(seen)) if asked != seen => found.push(format!("{place} has MTU {seen}, expected {asked}")),
        (Some(asked), None) => found.push(format!("the MTU of {place} was not reported, expected {asked}")),
        _ => {}
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

fn peer_difference(peer: &PeerFact) -> Option<String> {
    let address = peer.address.map_or_else(|| "its peer".to_owned(), |it| it.to_string());
    let over = peer
        .interface
        .as_ref()
        .map_or_else(String::new, |it| format!(" over {it}"));
    match (peer.reached, peer.full_size) {
        (Some(false), _) => Some(format!("no answer from {address}{over}")),
        (_, Some(false)) => {
            let mtu = peer.mtu.map_or_else(|| "full".to_owned(), |mtu| format!("{mtu} bytes"));
            Some(format!(
                "{address} answers{over}, and not to packets of {mtu} size: a link between has a smaller MTU"
            ))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
