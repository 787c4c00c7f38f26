//! Where a node stands: the addresses it has among nodes and for the outside, and the interface of its pods' traffic.

use std::net::{IpAddr, Ipv6Addr};

use thirdboot_lifecycle::{AddressFact, ClusterSpec, Host, NetworkFacts, Run};

/// Where a node stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// One address for each family of the cluster, in the cluster's order.
    pub(crate) node_ips: Vec<IpAddr>,
    /// Addresses for the outside world.
    pub(crate) external_ips: Vec<IpAddr>,
    /// The interface of its pods' traffic.
    pub(crate) interface: Option<String>,
}

/// Where this host stands in this cluster, by its description and by what it proved of its network.
///
/// # Errors
/// When it has no address of a family that the cluster has.
pub(crate) fn place(spec: &ClusterSpec, host: &Host, run: &Run) -> Result<Place, String> {
    let nothing = NetworkFacts::default();
    let facts = run.evidence.network.as_ref().unwrap_or(&nothing);
    let candidates = match spec.vlan {
        Some(id) => on_vlan(id, host, facts)?,
        None => on_uplink(host, facts),
    };
    let mut node_ips = Vec::new();
    for cidr in &spec.pod_cidrs {
        let is_v4 = cidr.addr().is_ipv4();
        let ip = candidates.iter().find(|ip| ip.is_ipv4() == is_v4).ok_or_else(|| {
            let family = if is_v4 { "IPv4" } else { "IPv6" };
            let among = spec
                .vlan
                .map_or_else(|| "on its uplink".to_owned(), |id| format!("in VLAN {id}"));
            format!(
                "{} has no {family} address {among}, and {} has {family} pods",
                host.name, spec.name
            )
        })?;
        node_ips.push(*ip);
    }
    let external_ips = match spec.vlan {
        Some(_) => external(spec, host, facts),
        None => Vec::new(),
    };
    Ok(Place {
        interface: interface(spec, host, facts, node_ips.first().copied()),
        node_ips,
        external_ips,
    })
}

fn on_vlan(id: u16, host: &Host, facts: &NetworkFacts) -> Result<Vec<IpAddr>, String> {
    let described = host.network.vlans.iter().find(|vlan| vlan.id == id);
    let Some(described) = described else {
        return Err(format!(
            "{} is not on VLAN {id}, over which its cluster's nodes talk",
            host.name
        ));
    };
    // A description can be newer than the installation: what it brought up counts.
    let is_up =
        |ip: &IpAddr| facts.addresses.is_empty() || facts.addresses.iter().any(|fact| fact.address.addr() == *ip);
    let described = described.addresses.iter().map(ipnet::IpNet::addr);
    let mut candidates: Vec<IpAddr> = described.filter(is_up).collect();
    let name = host.network.vlan_interface(id);
    candidates.extend(proven(facts, |interface| interface == name));
    Ok(candidates)
}

fn on_uplink(host: &Host, facts: &NetworkFacts) -> Vec<IpAddr> {
    let mut candidates: Vec<IpAddr> = host.network.uplink.addresses.iter().map(ipnet::IpNet::addr).collect();
    candidates.extend(proven(facts, |interface| !interface.contains('.')));
    candidates
}

/// Addresses that the host reported, on interfaces of this kind; one that names no interface is on its uplink.
fn proven<'a>(facts: &'a NetworkFacts, is_wanted: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = IpAddr> + 'a {
    let is_usable = |fact: &&AddressFact| {
        let ip = fact.address.addr();
        !ip.is_unspecified() && !matches!(ip, IpAddr::V6(v6) if is_link_local(v6))
    };
    facts
        .addresses
        .iter()
        .filter(is_usable)
        .filter(move |fact| is_wanted(fact.interface.as_deref().unwrap_or("")))
        .map(|fact| fact.address.addr())
}

fn is_link_local(ip: Ipv6Addr) -> bool {
    ip.segments()[0] & 0xffc0 == 0xfe80
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.segments()[0] & 0xfe00 == 0xfc00 || is_link_local(v6),
    }
}

/// One public address of each family.
fn external(spec: &ClusterSpec, host: &Host, facts: &NetworkFacts) -> Vec<IpAddr> {
    let on_uplink = on_uplink(host, facts);
    spec.pod_cidrs
        .iter()
        .filter_map(|cidr| {
            let is_v4 = cidr.addr().is_ipv4();
            on_uplink
                .iter()
                .copied()
                .find(|ip| ip.is_ipv4() == is_v4 && !is_private(*ip))
        })
        .collect()
}

/// As the host's kernel calls it; else as the keyfiles do.
fn interface(spec: &ClusterSpec, host: &Host, facts: &NetworkFacts, ip: Option<IpAddr>) -> Option<String> {
    let is_name = |name: &&String| {
        (1..=15).contains(&name.len()) && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
    };
    let reported = facts
        .addresses
        .iter()
        .find(|fact| Some(fact.address.addr()) == ip)
        .and_then(|fact| fact.interface.as_ref())
        .filter(is_name)
        .cloned();
    let named = || match spec.vlan {
        Some(id) => Some(host.network.vlan_interface(id)),
        None => host.network.uplink_interface().map(str::to_owned),
    };
    reported.or_else(named)
}
