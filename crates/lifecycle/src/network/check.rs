//! What of a network cannot come up, whatever the fleet around it.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::address::{is_usable, overlap};
use super::{AddressPool, Bond, BondMode, DEFAULT_MTU, Method, Network, Route, Vlan};
use crate::Host;

/// IPv6 needs this much; jumbo frames end here on all common hardware. In bytes.
const MTUS: RangeInclusive<u32> = 1280..=9216;
/// How often a link is looked at, in milliseconds: more is load, less misses a dead port for too long.
const MIIMONS_MS: RangeInclusive<u32> = 10..=10_000;
/// Delays of a link's change, in milliseconds.
const MAX_DELAY_MS: u32 = 60_000;
/// VLAN ids of IEEE 802.1Q, without 1: that is the native one of most switches.
const VLAN_IDS: RangeInclusive<u16> = 2..=4094;

/// A field of a host that cannot be as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NetworkFault {
    /// The host's field, such as `network.vlans[0].id`.
    pub field: String,
    /// What is wrong, and what was expected.
    pub why: String,
}

/// A fault at this field.
pub(super) fn fault(field: impl Into<String>, why: impl Into<String>) -> NetworkFault {
    NetworkFault {
        field: field.into(),
        why: why.into(),
    }
}

type Checked = Result<(), NetworkFault>;

/// Whether the host's network could come up.
///
/// # Errors
/// Names the first field that speaks against it.
pub fn check_network(host: &Host) -> Checked {
    let network = &host.network;
    if let Some(bond) = &network.bond {
        check_bond(bond)?;
        if network.port.is_some() {
            return Err(fault("network.port", "a bond has ports of its own: expected no port"));
        }
    }
    let has_port = network.ports().next().is_some() || !host.macs.is_empty();
    if !network.is_plain() && !has_port {
        return Err(fault(
            "macs",
            "a network with VLANs, fixed addresses or resolvers needs a bond, or the MAC of its port",
        ));
    }
    if let Some(mtu) = network.port.as_ref().and_then(|port| port.mtu) {
        check_mtu("network.port.mtu", mtu)?;
    }
    check_uplink(network)?;
    check_vlans(network)?;
    check_addresses(network)?;
    for (at, dns) in network.dns.iter().enumerate() {
        if dns.is_unspecified() || dns.is_multicast() {
            return Err(fault(format!("network.dns[{at}]"), format!("{dns} is no resolver")));
        }
        let uplink = &network.uplink;
        let has_family = |address: &IpNet| address.addr().is_ipv4() == dns.is_ipv4();
        if uplink.method == Method::Static && !uplink.addresses.iter().any(has_family) {
            let why = format!("the uplink has no address of the family of {dns}");
            return Err(fault(format!("network.dns[{at}]"), why));
        }
    }
    match network.search.iter().position(|domain| !is_domain(domain)) {
        Some(at) => Err(fault(
            format!("network.search[{at}]"),
            "expected a domain such as example.net",
        )),
        None => Ok(()),
    }
}

fn check_bond(bond: &Bond) -> Checked {
    let mut seen = BTreeSet::new();
    if bond.ports.is_empty() {
        return Err(fault("network.bond.ports", "a bond needs one port or more"));
    }
    if let Some(at) = bond.ports.iter().position(|mac| !seen.insert(*mac)) {
        return Err(fault(format!("network.bond.ports[{at}]"), "this port is listed twice"));
    }
    if !MIIMONS_MS.contains(&bond.miimon_ms) {
        let (low, high) = (MIIMONS_MS.start(), MIIMONS_MS.end());
        return Err(fault(
            "network.bond.miimon_ms",
            format!("expected {low} to {high}: without a link check a dead port stays in use"),
        ));
    }
    for (field, delay) in [("down_delay_ms", bond.down_delay_ms), ("up_delay_ms", bond.up_delay_ms)] {
        // The driver rounds down to a multiple without a word, and the proof would differ.
        if delay > MAX_DELAY_MS || delay % bond.miimon_ms != 0 {
            return Err(fault(
                format!("network.bond.{field}"),
                format!(
                    "expected a multiple of miimon_ms ({}), at most {MAX_DELAY_MS}",
                    bond.miimon_ms
                ),
            ));
        }
    }
    if bond.mode == BondMode::ActiveBackup && bond.ports.len() == 1 {
        // Legal for the driver; a slip of the hand all the same.
        return Err(fault("network.bond.ports", "active-backup needs two ports or more"));
    }
    bond.mtu.map_or(Ok(()), |mtu| check_mtu("network.bond.mtu", mtu))
}

fn check_uplink(network: &Network) -> Checked {
    let uplink = &network.uplink;
    if uplink.method == Method::Static && uplink.addresses.is_empty() {
        return Err(fault("network.uplink.addresses", "a static uplink needs an address"));
    }
    let mut families = BTreeSet::new();
    for (at, gateway) in uplink.gateways.iter().enumerate() {
        let field = format!("network.uplink.gateways[{at}]");
        if uplink.method.is_dhcp() && gateway.is_ipv4() {
            return Err(fault(field, "DHCP brings the IPv4 gateway: expected none"));
        }
        if !families.insert(gateway.is_ipv4()) {
            return Err(fault(field, "a second gateway of its family: expected one at most"));
        }
        check_next_hop(&field, *gateway, &uplink.addresses, None)?;
    }
    check_routes("network.uplink", &uplink.routes, &uplink.addresses, None)
}

fn check_vlans(network: &Network) -> Checked {
    let mut seen = BTreeSet::new();
    for (at, vlan) in network.vlans.iter().enumerate() {
        let field = format!("network.vlans[{at}]");
        if !VLAN_IDS.contains(&vlan.id) {
            let (low, high) = (VLAN_IDS.start(), VLAN_IDS.end());
            return Err(fault(format!("{field}.id"), format!("expected {low} to {high}")));
        }
        if !seen.insert(vlan.id) {
            return Err(fault(
                format!("{field}.id"),
                format!("VLAN {} is listed twice", vlan.id),
            ));
        }
        check_vlan_mtu(&field, vlan, network.uplink_mtu())?;
        check_pool(&field, vlan)?;
        check_routes(&field, &vlan.routes, &vlan.addresses, vlan.pool.as_ref())?;
    }
    Ok(())
}

fn check_vlan_mtu(field: &str, vlan: &Vlan, parent_mtu: u32) -> Checked {
    let field = format!("{field}.mtu");
    if let Some(mtu) = vlan.mtu {
        check_mtu(&field, mtu)?;
    }
    if vlan.mtu() > parent_mtu {
        let why = format!(
            "{} does not fit the {parent_mtu} of the link below it: set network.bond.mtu or network.port.mtu",
            vlan.mtu()
        );
        return Err(fault(field, why));
    }
    Ok(())
}

fn check_pool(field: &str, vlan: &Vlan) -> Checked {
    let Some(pool) = &vlan.pool else { return Ok(()) };
    pool.check()
        .map_err(|(below, why)| fault(format!("{field}.pool{below}"), why))?;
    for (at, address) in vlan.addresses.iter().enumerate() {
        let range = if address.addr().is_ipv4() {
            &pool.ipv4
        } else {
            &pool.ipv6
        };
        if let Some(range) = range
            && range.with_prefix(address.addr()) != Some(*address)
        {
            return Err(fault(
                format!("{field}.addresses[{at}]"),
                format!("{address} is none of the pool's ({})", range.prefix.trunc()),
            ));
        }
    }
    Ok(())
}

/// Own addresses: usable, each once, no two interfaces in one network.
fn check_addresses(network: &Network) -> Checked {
    let mut seen: Vec<(String, IpNet)> = Vec::new();
    for (field, address) in network.addresses() {
        is_usable(address).map_err(|why| fault(field.clone(), why))?;
        let place = field.rsplit_once('.').map_or("", |(place, _)| place).to_owned();
        for (other_place, other) in &seen {
            if other.addr() == address.addr() {
                return Err(fault(field, format!("{} is listed twice", address.addr())));
            }
            if *other_place != place && overlap(*other, address) {
                let why =
                    format!("{address} is in one network with {other} of {other_place}: routes would be at random");
                return Err(fault(field, why));
            }
        }
        seen.push((place, address));
    }
    Ok(())
}

fn check_routes(place: &str, routes: &[Route], addresses: &[IpNet], pool: Option<&AddressPool>) -> Checked {
    for (at, route) in routes.iter().enumerate() {
        let field = format!("{place}.routes[{at}]");
        if route.to.trunc() != route.to {
            let why = format!("{} is no network: expected {}", route.to, route.to.trunc());
            return Err(fault(format!("{field}.to"), why));
        }
        if route.to.addr().is_ipv4() != route.via.is_ipv4() {
            return Err(fault(format!("{field}.via"), "expected a next hop of the same family"));
        }
        check_next_hop(&format!("{field}.via"), route.via, addresses, pool)?;
    }
    Ok(())
}

/// A next hop is a neighbour: in the prefix of an own address, or link-local.
fn check_next_hop(field: &str, hop: IpAddr, addresses: &[IpNet], pool: Option<&AddressPool>) -> Checked {
    let is_link_local = matches!(hop, IpAddr::V6(v6) if v6.is_unicast_link_local());
    let pooled = pool.into_iter().flat_map(AddressPool::ranges).map(|range| range.prefix);
    let mut prefixes: Vec<IpNet> = addresses.iter().copied().chain(pooled).collect();
    prefixes.retain(|prefix| prefix.addr().is_ipv4() == hop.is_ipv4());
    if addresses.iter().any(|address| address.addr() == hop) {
        return Err(fault(field, format!("{hop} is the host's own address")));
    }
    // NetworkManager takes no next hop where there is no address, not even a link-local one.
    if prefixes.iter().any(|prefix| is_link_local || prefix.contains(&hop)) {
        return Ok(());
    }
    let family = if hop.is_ipv4() { "IPv4" } else { "IPv6" };
    Err(fault(
        field,
        match prefixes.first() {
            Some(prefix) => format!("{hop} is outside {}", prefix.trunc()),
            None => format!("{hop} needs an {family} address beside it"),
        },
    ))
}

fn check_mtu(field: &str, mtu: u32) -> Checked {
    if MTUS.contains(&mtu) {
        return Ok(());
    }
    let (low, high) = (MTUS.start(), MTUS.end());
    Err(fault(
        field,
        format!("expected {low} to {high} bytes; without it {DEFAULT_MTU} counts"),
    ))
}

/// RFC 1123 labels with dots between: a keyfile has nothing to escape in it.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests;
