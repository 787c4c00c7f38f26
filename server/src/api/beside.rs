//! What a host's documents are made from beside the host itself.

use std::net::IpAddr;

use thirdboot_lifecycle::{GroupName, GroupSettings, PackageSources};
use thirdboot_store::HostState;

use crate::App;
use crate::problem::Failure;

/// Neighbours that a host is told of, for each network: one of them must answer.
const MAX_PEERS: u32 = 4;

/// What a host's documents are made from beside the host itself.
pub(super) struct Beside {
    /// Packages of its role, and where packages come from.
    pub(super) sources: PackageSources,
    /// How the hosts of its group update.
    pub(super) updates: GroupSettings,
    /// Ready hosts on its VLANs.
    pub(super) peers: Vec<IpAddr>,
    /// The VLAN that its cluster's nodes talk over.
    pub(super) join_vlan: Option<u16>,
}

impl Beside {
    /// As it is now.
    pub(super) async fn of(app: &App, state: &HostState) -> Result<Self, Failure> {
        let host = &state.host;
        let defaults = app.store.role_defaults(host.role).await?.value;
        let repositories = app.store.repositories().await?;
        let repositories = repositories.into_iter().map(|repository| repository.value);
        let repositories = repositories.filter(|repository| repository.serves(host.role)).collect();
        let group = GroupName::of(host.cluster.as_ref(), host.role);
        let updates = app.store.lock_group(&group).await?.value;
        let mut peers = Vec::new();
        for vlan in &host.network.vlans {
            for address in &vlan.addresses {
                let found = app.store.ready_addresses(address.trunc(), state.id, MAX_PEERS).await?;
                peers.extend(found);
            }
        }
        let cluster = match host.cluster.as_ref().filter(|_| host.role.joins()) {
            Some(name) => app.store.cluster(name).await?,
            None => None,
        };
        Ok(Self {
            join_vlan: cluster.and_then(|state| state.cluster.spec.vlan),
            sources: PackageSources { defaults, repositories },
            updates,
            peers,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::secrets::Purpose;
    use crate::testing::TestApp;

    fn on_vlan(role: &str) -> Value {
        json!({"role": role, "network": {"vlans": [{"id": 1000, "pool": {"ipv4": {"prefix": "10.8.0.0/24"}}}]}})
    }

    /// What the kernel of a host with this address on its VLAN says, and what its neighbour does.
    fn facts(address: &str, peer: &Value) -> Value {
        json!({"facts": {"vlans": [{"id": 1000, "up": true}], "addresses": [address], "peer": peer}})
    }

    #[tokio::test]
    async fn a_new_neighbour_is_told_of_those_that_are_ready() {
        let site = TestApp::new().await;
        let first = site.layered("a1", 1, on_vlan("runner")).await;
        let second = site.host_with("a2", 2, on_vlan("runner")).await;
        let peers = async || Beside::of(&site.app, &second).await.unwrap().peers;
        assert_eq!(peers().await, Vec::<IpAddr>::new());
        let proven = facts("10.8.0.2/24", &Value::Null);
        assert_eq!(site.tell(first, Purpose::Host, 6, "network", proven).await, "networked");
        assert_eq!(site.tell(first, Purpose::Host, 7, "ready", json!({})).await, "ready");
        assert_eq!(peers().await, ["10.8.0.2".parse::<IpAddr>().unwrap()]);
    }

    #[tokio::test]
    async fn a_vlan_that_the_switch_does_not_carry_is_named_as_that() {
        let site = TestApp::new().await;
        let host = site.layered("a1", 1, on_vlan("agent")).await;
        let silent = json!({"address": "10.8.0.9", "interface": "vlan1000", "reached": false, "full_size": false});
        let stage = site
            .tell(host, Purpose::Host, 6, "network", facts("10.8.0.2/24", &silent))
            .await;
        assert_eq!(stage, "layered-boot");
        site.wait(11);
        crate::reconciler::carry_out_what_is_due(site.app.store.as_ref()).await;
        let shown = site.api_get("/api/v1/hosts/a1").await.json();
        assert_eq!(
            shown["run"]["network_differs"],
            json!(["no answer from 10.8.0.9 over vlan1000"])
        );
        assert_eq!(shown["diagnosis"]["cause"], "vlan-not-carried");
        let advice = shown["diagnosis"]["advice"].as_str().unwrap();
        assert!(advice.contains("VLAN assignment"), "{advice}");
        // Somebody assigns the VLAN.
        let answers = json!({"address": "10.8.0.9", "reached": true, "full_size": true});
        let stage = site
            .tell(host, Purpose::Host, 7, "network", facts("10.8.0.2/24", &answers))
            .await;
        assert_eq!(stage, "networked");
    }
}
