//! A host's network beside those of clusters.

use ipnet::IpNet;

use super::address::overlap;
use super::{AddressPool, Vlan};
use crate::{ClusterName, ClusterSpec, Host};

/// IPv6 needs this much within flannel's tunnel, in bytes.
const MIN_POD_MTU: u32 = 1280;

/// Where a host's network does not go with a cluster. Either description can be at fault: both fields are named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Misfit {
    /// The host's field, such as `network.vlans[0].mtu`.
    pub host_field: String,
    /// The cluster's field, such as `pod_cidrs[1]`.
    pub cluster_field: String,
    /// What was found and what was expected.
    pub why: String,
}

fn misfit(host_field: impl Into<String>, cluster_field: impl Into<String>, why: String) -> Misfit {
    Misfit {
        host_field: host_field.into(),
        cluster_field: cluster_field.into(),
        why,
    }
}

/// Whether a host's network goes with a cluster: a server's or agent's with its own, a runner's with each.
///
/// # Errors
/// The first field that does not.
pub fn check_beside_cluster(host: &Host, cluster: &ClusterSpec) -> Result<(), Misfit> {
    if !host.role.joins() {
        return keeps_off(host, cluster);
    }
    if host.cluster.as_ref() != Some(&cluster.name) {
        return Ok(());
    }
    apart_from_pods(host, cluster)?;
    match cluster.vlan {
        Some(id) => on_vlan(host, cluster, id),
        None => large_enough(cluster, host.network.uplink_mtu(), uplink_mtu_field(host)),
    }
}

/// Pods' and services' addresses lead into the cluster, from every node.
fn apart_from_pods(host: &Host, cluster: &ClusterSpec) -> Result<(), Misfit> {
    let network = &host.network;
    let addresses = network.addresses().map(|(field, address)| (field, address.trunc()));
    let routes = network
        .routes()
        .map(|(field, route)| (format!("{field}.to"), route.to))
        // A default route leads everywhere that no other route does.
        .filter(|(_, to)| to.prefix_len() > 0);
    for (field, net) in addresses.chain(routes) {
        if let Some((cluster_field, cidr)) = cidrs(cluster).find(|(_, cidr)| overlap(*cidr, net)) {
            let why = format!(
                "{net} of {} overlaps {cidr} of cluster {}: expected a network apart from its pods and services",
                host.name, cluster.name
            );
            return Err(misfit(field, cluster_field, why));
        }
    }
    Ok(())
}

/// Prefixes of pods and services, with their fields.
fn cidrs(cluster: &ClusterSpec) -> impl Iterator<Item = (String, IpNet)> {
    let named = |name: &'static str, nets: &[IpNet]| {
        let nets = nets.to_vec();
        (0..)
            .zip(nets)
            .map(move |(at, net): (usize, _)| (format!("{name}[{at}]"), net))
    };
    named("pod_cidrs", &cluster.pod_cidrs).chain(named("service_cidrs", &cluster.service_cidrs))
}

/// The nodes meet on this VLAN.
fn on_vlan(host: &Host, cluster: &ClusterSpec, id: u16) -> Result<(), Misfit> {
    let ClusterSpec { name, pool, .. } = cluster;
    let Some((at, vlan)) = (0..)
        .zip(&host.network.vlans)
        .find(|(_, vlan): &(usize, &Vlan)| vlan.id == id)
    else {
        let why = format!(
            "the nodes of cluster {name} meet on VLAN {id}, and {} is not on it: expected it among its VLANs",
            host.name
        );
        return Err(misfit("network.vlans", "vlan", why));
    };
    for cidr in &cluster.pod_cidrs {
        let is_v4 = cidr.addr().is_ipv4();
        if !gets_address(vlan, pool.as_ref(), is_v4) {
            let family = if is_v4 { "IPv4" } else { "IPv6" };
            let why = format!(
                "cluster {name} has {family} pods, and {} has no {family} address on its VLAN {id}: expected one, or a pool",
                host.name
            );
            return Err(misfit(format!("network.vlans[{at}].addresses"), "vlan", why));
        }
    }
    large_enough(cluster, vlan.mtu(), format!("network.vlans[{at}].mtu"))
}

/// Stated, or given by the VLAN's own pool or the cluster's.
fn gets_address(vlan: &Vlan, of_cluster: Option<&AddressPool>, is_v4: bool) -> bool {
    let is_stated = vlan.addresses.iter().any(|address| address.addr().is_ipv4() == is_v4);
    let pool = vlan.pool.as_ref().or(of_cluster);
    is_stated || pool.is_some_and(|pool| pool.ranges().any(|range| range.prefix.addr().is_ipv4() == is_v4))
}

fn uplink_mtu_field(host: &Host) -> String {
    let part = if host.network.bond.is_some() { "bond" } else { "port" };
    format!("network.{part}.mtu")
}

/// A node talks over each family that the cluster has.
fn large_enough(cluster: &ClusterSpec, mtu: u32, host_field: String) -> Result<(), Misfit> {
    let has_ipv6 = cluster.pod_cidrs.iter().any(|cidr| cidr.addr().is_ipv6());
    let overhead = cluster.flannel_backend.overhead(has_ipv6);
    let smallest = MIN_POD_MTU + overhead;
    if overhead == 0 || mtu >= smallest {
        return Ok(());
    }
    let why = format!(
        "{} takes {overhead} of {mtu} bytes of a frame and pods need {MIN_POD_MTU}: expected at least {smallest}",
        cluster.flannel_backend.as_str()
    );
    Err(misfit(host_field, "flannel_backend", why))
}

/// A runner's jobs are strangers', and what nodes say to one another is not encrypted.
fn keeps_off(host: &Host, cluster: &ClusterSpec) -> Result<(), Misfit> {
    let name: &ClusterName = &cluster.name;
    let Some(id) = cluster.vlan else { return Ok(()) };
    let strangers = "a runner executes strangers' jobs";
    for (at, vlan) in host.network.vlans.iter().enumerate() {
        if vlan.id == id {
            let why = format!(
                "VLAN {id} carries the traffic of cluster {name}, and {strangers}: expected another VLAN for {}, or none",
                host.name
            );
            return Err(misfit(format!("network.vlans[{at}].id"), "vlan", why));
        }
    }
    let of_pools = (host.network.vlans.iter().enumerate()).flat_map(|(at, vlan)| {
        let ranges = vlan.pool.iter().flat_map(AddressPool::ranges);
        ranges.map(move |range| (format!("network.vlans[{at}].pool"), range.prefix))
    });
    let ranges = || cluster.pool.iter().flat_map(AddressPool::ranges);
    for (field, net) in host.network.addresses().chain(of_pools) {
        if let Some(range) = ranges().find(|range| overlap(range.prefix.trunc(), net.trunc())) {
            let why = format!(
                "{net} of {} is in the network {} of cluster {name}, and {strangers}: expected another network",
                host.name,
                range.prefix.trunc(),
            );
            return Err(misfit(field, "pool", why));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn host(role: &str, network: &str) -> Host {
        serde_json::from_str(&format!(
            r#"{{"name":"a","role":"{role}","cluster":"prod","macs":["52:54:00:00:00:01"],"network":{network}}}"#
        ))
        .unwrap()
    }

    fn cluster(changed: &serde_json::Value) -> ClusterSpec {
        let mut spec = json!({"name": "prod", "k3s": {"version": "v1.34.1+k3s1", "binaries": {}}});
        for (key, value) in changed.as_object().unwrap() {
            spec[key] = value.clone();
        }
        serde_json::from_value(spec).unwrap()
    }

    /// Where the host does not go with a cluster on VLAN 1000 with k3s' default prefixes and a pool: its field, and the
    /// cluster's.
    fn misfit(role: &str, network: &str) -> Option<(String, String)> {
        let cluster = cluster(&json!({"vlan": 1000, "pool": {"ipv4": {"prefix": "10.8.0.0/24"}}}));
        let found = check_beside_cluster(&host(role, network), &cluster).err()?;
        Some((found.host_field, found.cluster_field))
    }

    #[test]
    fn a_node_stands_on_the_join_vlan_and_apart_from_pods() {
        assert_eq!(misfit("agent", r#"{"vlans":[{"id":1000}]}"#), None);
        for (network, at, by) in [
            ("{}", "network.vlans", "vlan"),
            (
                r#"{"vlans":[{"id":1000,"mtu":1320}]}"#,
                "network.vlans[0].mtu",
                "flannel_backend",
            ),
            (
                r#"{"vlans":[{"id":1000},{"id":7,"addresses":["10.42.7.5/24"]}]}"#,
                "network.vlans[1].addresses[0]",
                "pod_cidrs[0]",
            ),
            (
                r#"{"uplink":{"addresses":["10.1.0.2/31"],"routes":[{"to":"10.0.0.0/8","via":"10.1.0.3"}]},"vlans":[{"id":1000}]}"#,
                "network.uplink.routes[0].to",
                "pod_cidrs[0]",
            ),
            (
                r#"{"vlans":[{"id":1000,"addresses":["10.43.0.5/24"]}]}"#,
                "network.vlans[0].addresses[0]",
                "service_cidrs[0]",
            ),
            (
                r#"{"vlans":[{"id":1000,"pool":{"ipv6":{"prefix":"fd00::/64"}}}]}"#,
                "network.vlans[0].addresses",
                "vlan",
            ),
        ] {
            let expected = Some((at.to_owned(), by.to_owned()));
            assert_eq!(misfit("server", network), expected, "{network}");
        }
        let other = cluster(&json!({"name": "lab", "vlan": 7}));
        assert_eq!(
            check_beside_cluster(&host("agent", "{}"), &other),
            Ok(()),
            "not its own"
        );
    }

    #[test]
    fn a_runner_is_nowhere_near_a_cluster() {
        assert_eq!(
            misfit("runner", r#"{"vlans":[{"id":7,"addresses":["10.9.0.5/24"]}]}"#),
            None
        );
        for (network, at, by) in [
            (r#"{"vlans":[{"id":1000}]}"#, "network.vlans[0].id", "vlan"),
            (
                r#"{"vlans":[{"id":7,"addresses":["10.8.0.5/24"]}]}"#,
                "network.vlans[0].addresses[0]",
                "pool",
            ),
            (
                r#"{"vlans":[{"id":7,"pool":{"ipv4":{"prefix":"10.8.0.128/25"}}}]}"#,
                "network.vlans[0].pool",
                "pool",
            ),
        ] {
            assert_eq!(
                misfit("runner", network),
                Some((at.to_owned(), by.to_owned())),
                "{network}"
            );
        }
    }

    #[test]
    fn a_tunnel_needs_room_for_its_headers() {
        let dual = json!(["10.42.0.0/16", "fd42::/56"]);
        for (backend, pods, mtu, fits) in [
            ("vxlan", json!(["10.42.0.0/16"]), 1330, true),
            ("vxlan", json!(["10.42.0.0/16"]), 1329, false),
            ("vxlan", dual.clone(), 1349, false),
            ("vxlan", dual.clone(), 1350, true),
            ("wireguard-native", dual.clone(), 1359, false),
            ("wireguard-native", dual, 1360, true),
            ("host-gw", json!(["10.42.0.0/16"]), 1280, true),
        ] {
            let cluster = cluster(&json!({"flannel_backend": backend, "pod_cidrs": pods}));
            for (network, field) in [
                (format!(r#"{{"port":{{"mtu":{mtu}}}}}"#), "network.port.mtu"),
                (
                    format!(r#"{{"bond":{{"ports":["52:54:00:00:00:01"],"mtu":{mtu}}}}}"#),
                    "network.bond.mtu",
                ),
            ] {
                let found = check_beside_cluster(&host("agent", &network), &cluster).err();
                let expected = (!fits).then(|| field.to_owned());
                assert_eq!(found.map(|found| found.host_field), expected, "{backend} {mtu}");
            }
        }
    }
}
