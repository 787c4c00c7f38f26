//! A host's network beside those of clusters.

use ipnet::IpNet;

use super::AddressPool;
use super::address::overlap;
use super::check::{NetworkFault, fault};
use crate::{ClusterName, Host};

/// IPv6 needs this much within flannel's tunnel, in bytes.
const MIN_POD_MTU: u32 = 1280;
/// What vxlan adds to a frame between IPv4 addresses, in bytes: 20 IP, 8 UDP, 8 VXLAN, 14 Ethernet.
const VXLAN_OVER_IPV4: u32 = 50;
/// The same between IPv6 addresses, whose header has 40.
const VXLAN_OVER_IPV6: u32 = 70;

/// What of a cluster a host's network must fit.
#[derive(Debug, Clone, Copy)]
pub struct ClusterNetwork<'a> {
    /// Its name.
    pub name: &'a ClusterName,
    /// Pod and service prefixes, of both families.
    pub cidrs: &'a [IpNet],
    /// The VLAN that its nodes meet on.
    pub join_vlan: Option<u16>,
    /// Whether flannel wraps pods' frames.
    pub is_tunnelled: bool,
    /// Where the join VLAN's addresses come from.
    pub pool: Option<&'a AddressPool>,
}

/// Whether a server's or agent's network fits its own cluster.
///
/// # Errors
/// Names the first field that does not.
pub fn check_in_cluster(host: &Host, cluster: &ClusterNetwork<'_>) -> Result<(), NetworkFault> {
    let network = &host.network;
    let overlapping = |field: String, net: IpNet| {
        let cidr = cluster.cidrs.iter().find(|cidr| overlap(**cidr, net))?;
        let why = format!(
            "{net} overlaps {cidr} of cluster {}: expected a network apart from its pods and services",
            cluster.name
        );
        Some(fault(field, why))
    };
    let addresses = network.addresses().map(|(field, address)| (field, address.trunc()));
    let routes = network
        .routes()
        .map(|(field, route)| (format!("{field}.to"), route.to))
        // A default route leads everywhere that no other route does.
        .filter(|(_, to)| to.prefix_len() > 0);
    for (field, net) in addresses.chain(routes) {
        if let Some(fault) = overlapping(field, net) {
            return Err(fault);
        }
    }
    let Some(id) = cluster.join_vlan else { return Ok(()) };
    let Some(at) = network.vlans.iter().position(|vlan| vlan.id == id) else {
        let why = format!(
            "the nodes of cluster {} meet on VLAN {id}: expected it here",
            cluster.name
        );
        return Err(fault("network.vlans", why));
    };
    let vlan = &network.vlans[at];
    let is_addressed = !vlan.addresses.is_empty() || vlan.pool.is_some() || cluster.pool.is_some();
    if !is_addressed {
        let why = format!(
            "the nodes of cluster {} meet on VLAN {id}: expected an address or a pool",
            cluster.name
        );
        return Err(fault(format!("network.vlans[{at}].addresses"), why));
    }
    let has_ipv4 = vlan.addresses.iter().any(|address| address.addr().is_ipv4())
        || [vlan.pool.as_ref(), cluster.pool]
            .into_iter()
            .flatten()
            .any(|pool| pool.ipv4.is_some());
    let overhead = if has_ipv4 { VXLAN_OVER_IPV4 } else { VXLAN_OVER_IPV6 };
    if cluster.is_tunnelled && vlan.mtu() < MIN_POD_MTU + overhead {
        let why = format!(
            "vxlan takes {overhead} bytes of a frame and pods need {MIN_POD_MTU}: expected at least {}",
            MIN_POD_MTU + overhead
        );
        return Err(fault(format!("network.vlans[{at}].mtu"), why));
    }
    Ok(())
}

/// Whether a host that joins nothing stays off a cluster's VLAN: a runner's jobs are strangers', and node traffic is
/// not encrypted.
///
/// # Errors
/// Names the VLAN's field.
pub fn check_runner(host: &Host, cluster: &ClusterNetwork<'_>) -> Result<(), NetworkFault> {
    if host.role.joins() {
        return Ok(());
    }
    for (at, vlan) in host.network.vlans.iter().enumerate() {
        if Some(vlan.id) == cluster.join_vlan {
            let why = format!(
                "VLAN {} carries the traffic of cluster {}, and a runner executes strangers' jobs: expected another VLAN or none",
                vlan.id, cluster.name
            );
            return Err(fault(format!("network.vlans[{at}].id"), why));
        }
    }
    let ranges = || cluster.pool.into_iter().flat_map(AddressPool::ranges);
    for (field, address) in host.network.addresses() {
        if let Some(range) = ranges().find(|range| overlap(range.prefix, address.trunc())) {
            let why = format!(
                "{address} is in the network {} of cluster {}, and a runner executes strangers' jobs",
                range.prefix.trunc(),
                cluster.name
            );
            return Err(fault(field, why));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(role: &str, network: &str) -> Host {
        serde_json::from_str(&format!(
            r#"{{"name":"a","role":"{role}","macs":["52:54:00:00:00:01"],"network":{network}}}"#
        ))
        .unwrap()
    }

    /// Where the host does not fit a cluster on VLAN 1000 with k3s' default prefixes and a pool.
    fn refused(role: &str, network: &str) -> Option<String> {
        let cidrs: Vec<IpNet> = ["10.42.0.0/16", "10.43.0.0/16", "fd42::/56"]
            .map(|cidr| cidr.parse().unwrap())
            .into();
        let pool: AddressPool = serde_json::from_str(r#"{"ipv4":{"prefix":"10.8.0.0/24"}}"#).unwrap();
        let cluster = ClusterNetwork {
            name: &"prod".parse().unwrap(),
            cidrs: &cidrs,
            join_vlan: Some(1000),
            is_tunnelled: true,
            pool: Some(&pool),
        };
        let host = host(role, network);
        let found = check_in_cluster(&host, &cluster).and_then(|()| check_runner(&host, &cluster));
        match role {
            "runner" => check_runner(&host, &cluster).err(),
            _ => found.err(),
        }
        .map(|fault| fault.field)
    }

    #[test]
    fn a_node_stands_on_the_join_vlan_and_apart_from_pods() {
        assert_eq!(refused("agent", r#"{"vlans":[{"id":1000}]}"#), None);
        for (network, field) in [
            ("{}", "network.vlans"),
            (r#"{"vlans":[{"id":1000,"mtu":1320}]}"#, "network.vlans[0].mtu"),
            (
                r#"{"vlans":[{"id":1000},{"id":7,"addresses":["10.42.7.5/24"]}]}"#,
                "network.vlans[1].addresses[0]",
            ),
            (
                r#"{"uplink":{"addresses":["10.1.0.2/31"],"routes":[{"to":"10.0.0.0/8","via":"10.1.0.3"}]},"vlans":[{"id":1000}]}"#,
                "network.uplink.routes[0].to",
            ),
            (
                r#"{"vlans":[{"id":1000,"addresses":["fd42:0:0:1::5/64"]}]}"#,
                "network.vlans[0].addresses[0]",
            ),
        ] {
            assert_eq!(refused("server", network).as_deref(), Some(field), "{network}");
        }
    }

    #[test]
    fn a_runner_is_nowhere_near_a_cluster() {
        assert_eq!(
            refused("runner", r#"{"vlans":[{"id":7,"addresses":["10.9.0.5/24"]}]}"#),
            None
        );
        assert_eq!(
            refused("runner", r#"{"vlans":[{"id":1000}]}"#).as_deref(),
            Some("network.vlans[0].id")
        );
        assert_eq!(
            refused("runner", r#"{"vlans":[{"id":7,"addresses":["10.8.0.5/24"]}]}"#).as_deref(),
            Some("network.vlans[0].addresses[0]")
        );
    }

    #[test]
    fn between_ipv6_addresses_vxlan_takes_more() {
        let cluster = |json: &str| {
            let name = "prod".parse().unwrap();
            let cluster = ClusterNetwork {
                name: &name,
                cidrs: &[],
                join_vlan: Some(7),
                is_tunnelled: true,
                pool: None,
            };
            check_in_cluster(&host("agent", json), &cluster).is_ok()
        };
        assert!(cluster(
            r#"{"vlans":[{"id":7,"mtu":1330,"addresses":["10.8.0.5/24"]}]}"#
        ));
        assert!(!cluster(
            r#"{"vlans":[{"id":7,"mtu":1349,"addresses":["fd00::5/64"]}]}"#
        ));
        assert!(cluster(r#"{"vlans":[{"id":7,"mtu":1350,"addresses":["fd00::5/64"]}]}"#));
        assert!(!cluster(r#"{"vlans":[{"id":7}]}"#), "no address and no pool");
    }
}
