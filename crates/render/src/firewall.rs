//! The host's own packet filter: what nodes say to one another is heard on the cluster's VLAN and nowhere else.

use thirdboot_lifecycle::Host;

/// An nftables ruleset for a node whose cluster meets on this VLAN; none where its nodes meet on their uplinks, and so
/// there is nothing to keep the traffic apart from.
///
/// Closed elsewhere: flannel's vxlan (8472/udp, unencrypted and without a sender's proof), etcd (2379-2380/tcp) and the
/// kubelet (10250/tcp), which also answers the host's own pods.
pub(crate) fn ruleset(host: &Host, join_vlan: Option<u16>) -> Option<String> {
    let id = join_vlan.filter(|_| host.role.joins())?;
    host.network.vlans.iter().find(|vlan| vlan.id == id)?;
    // A name of ours: there is nothing to quote in it.
    let open = host.network.vlan_interface(id);
    // Made, deleted and made again: loading it twice is loading it once.
    Some(format!(
        r#"table inet thirdboot
delete table inet thirdboot
table inet thirdboot {{
	chain input {{
		type filter hook input priority -10; policy accept;
		iifname {{ "lo", "{open}" }} accept
		udp dport 8472 drop
		tcp dport 2379-2380 drop
		iifname "cni0" tcp dport 10250 accept
		tcp dport 10250 drop
	}}
}}
"#
    ))
}

#[cfg(test)]
mod tests {
    use thirdboot_lifecycle::Role;

    use super::*;
    use crate::samples;

    fn host(role: Role) -> Host {
        let mut host = samples::with_network(
            r#"{"bond":{"ports":["52:54:00:00:00:01","52:54:00:00:00:02"]},
                "vlans":[{"id":1000,"addresses":["10.8.0.5/24"]},{"id":1001,"addresses":["10.9.0.5/24"]}]}"#,
        );
        host.role = role;
        host
    }

    #[test]
    fn a_node_talks_on_its_clusters_vlan_only() {
        insta::assert_snapshot!(ruleset(&host(Role::Server), Some(1000)).unwrap());
    }

    #[test]
    fn who_joins_nothing_or_has_no_vlan_has_nothing_to_close() {
        assert_eq!(ruleset(&host(Role::Runner), Some(1000)), None);
        assert_eq!(
            ruleset(&host(Role::Server), None),
            None,
            "its cluster meets on the uplinks"
        );
        assert_eq!(ruleset(&samples::host("node1"), Some(1000)), None);
    }
}
