//! Whether hosts and clusters go together, looked at whenever either is saved and once more when a host is armed: two
//! changes at the same moment can still miss each other.

use thirdboot_api::ProblemType;
use thirdboot_lifecycle::{ClusterSpec, Host, Misfit, Role, check_beside_cluster};
use thirdboot_store::{Actor, HostFilter, HostState, StoreError, Submission, SubmitError};

use super::describe::placed;
use crate::App;
use crate::problem::Failure;

/// Runners that are read at once.
const AT_ONCE: u32 = 500;

/// Every cluster as it is now.
pub(super) struct Clusters(Vec<ClusterSpec>);

impl Clusters {
    pub(super) async fn of(app: &App) -> Result<Self, Failure> {
        let clusters = app.store.clusters().await?;
        Ok(Self(clusters.into_iter().map(|state| state.cluster.spec).collect()))
    }

    /// Refuses a host that does not go with one of them, by its field.
    pub(super) fn take(&self, host: &Host) -> Result<(), Failure> {
        let misfit = self.0.iter().find_map(|spec| check_beside_cluster(host, spec).err());
        misfit.map_or(Ok(()), |Misfit { host_field, why, .. }| {
            Err(Failure::field(host_field, why))
        })
    }
}

/// Refuses a host that does not go with a cluster.
pub(super) async fn fits(app: &App, host: &Host) -> Result<(), Failure> {
    Clusters::of(app).await?.take(host)
}

/// Refuses a cluster that its own hosts or somebody's runner do not go with, by its field. A host out of service is
/// looked at when it is armed again.
pub(super) async fn fits_hosts(app: &App, spec: &ClusterSpec) -> Result<(), Failure> {
    for state in app.store.hosts_of(&spec.name).await? {
        takes(spec, &state.host)?;
    }
    if spec.vlan.is_none() {
        return Ok(());
    }
    let mut filter = HostFilter {
        limit: AT_ONCE,
        role: Some(Role::Runner),
        ..HostFilter::default()
    };
    loop {
        let page = app.store.hosts(&filter).await?;
        for state in &page.items {
            takes(spec, &state.host)?;
        }
        filter.after = page.items.last().map(|state| state.host.name.clone());
        if !page.more {
            return Ok(());
        }
    }
}

fn takes(spec: &ClusterSpec, host: &Host) -> Result<(), Failure> {
    if host.retired {
        return Ok(());
    }
    check_beside_cluster(host, spec).map_err(
        |Misfit {
             cluster_field,
             host_field,
             why,
         }| { Failure::field(cluster_field, format!("{why} ({host_field} of {})", host.name)) },
    )
}

/// Gives hosts that were described before their cluster had a pool what it owes them: they are saved once more as they
/// are.
pub(super) async fn address_hosts(app: &App, spec: &ClusterSpec, by: &Actor) -> Result<(), Failure> {
    for state in app.store.hosts_of(&spec.name).await? {
        if !is_owed_address(spec, &state.host) {
            continue;
        }
        let update = Submission::Update {
            host: Box::new(state.host.clone()),
            expected_version: state.version,
            by: by.clone(),
        };
        match app.store.submit(state.id, update).await {
            // Whoever changed it meanwhile had it addressed.
            Ok(_) | Err(SubmitError::Outdated { .. } | SubmitError::NoSuchHost) => {}
            // The cluster is saved: it warns of this host, which is not armed without an address.
            Err(SubmitError::Store(error @ StoreError::Exhausted { .. })) => {
                tracing::warn!(%error, host = %state.host.name, cluster = %spec.name, "the pool has no address for it");
            }
            Err(SubmitError::Store(error)) => return Err(placed(error, &state.host)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Refuses to arm a host that its cluster's pool has not given what it owes it.
pub(super) fn is_addressed(spec: &ClusterSpec, state: &HostState) -> Result<(), Failure> {
    if is_owed_address(spec, &state.host) {
        let why = format!(
            "{} has no address of {}'s pool yet: save its description once more",
            state.host.name, spec.name
        );
        return Err(Failure::new(ProblemType::Refused, why));
    }
    Ok(())
}

/// Whether the cluster's pool has not given a host what it owes it.
pub(super) fn is_owed_address(spec: &ClusterSpec, host: &Host) -> bool {
    let Some(pool) = spec.pool.as_ref().filter(|_| host.role.joins()) else {
        return false;
    };
    let on_it = host.network.vlans.iter().filter(|vlan| Some(vlan.id) == spec.vlan);
    on_it.filter(|vlan| vlan.pool.is_none()).any(|vlan| {
        let has = |is_v4| vlan.addresses.iter().any(|address| address.addr().is_ipv4() == is_v4);
        pool.ranges().any(|range| !has(range.prefix.addr().is_ipv4()))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::{Value, json};

    use crate::testing::{TestApp, mac};

    /// A cluster on VLAN 1000 with an address pool.
    async fn site() -> TestApp {
        let site = TestApp::new().await;
        site.cluster_with(
            "prod",
            json!({"vlan": 1000, "pool": {"ipv4": {"prefix": "10.8.0.0/24"}}}),
        )
        .await;
        site
    }

    fn node(name: &str, n: u8, network: Value) -> Value {
        let mut host = TestApp::described(name, n);
        (host["role"], host["cluster"], host["network"]) = (json!("agent"), json!("prod"), network);
        host
    }

    #[tokio::test]
    async fn a_host_that_does_not_go_with_its_cluster_is_refused_at_every_save() {
        let site = site().await;
        let in_pods = json!({"vlans": [{"id": 1000}, {"id": 7, "addresses": ["10.42.0.5/24"]}]});
        let field = "network.vlans[1].addresses[0]";
        let refused = site.api_post("/api/v1/hosts", &node("a1", 1, in_pods.clone())).await;
        assert_eq!(
            refused.problem(),
            (422, "malformed".into(), field.into()),
            "{}",
            refused.text()
        );
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("10.42.0.0/16 of cluster prod"), "{detail}");

        let fits = json!({"vlans": [{"id": 1000}]});
        let added = site.api_post("/api/v1/hosts", &node("a1", 1, fits)).await;
        assert_eq!(added.status, 201, "{}", added.text());
        let any = [("if-match", "*")];
        for (method, body) in [
            (Method::PUT, node("a1", 1, in_pods.clone())),
            (Method::PATCH, json!({"network": in_pods})),
        ] {
            let refused = site
                .admin_with(method, "/api/v1/hosts/a1", &any, body.to_string())
                .await;
            assert_eq!(refused.problem().2, field);
        }
        let inventory = json!({"hosts": [node("a1", 1, in_pods.clone())]});
        let refused = site.api_post("/api/v1/import", &inventory).await;
        assert_eq!(refused.problem().2, format!("hosts[0].{field}"), "{}", refused.text());

        site.get(&format!("/ipxe?mac={}", mac(9))).await;
        let id = site.api_get("/api/v1/unknown-machines").await.json()["items"][0]["id"].clone();
        let body = json!({"name": "a9", "role": "agent", "cluster": "prod", "network": in_pods});
        let refused = site
            .api_post(&format!("/api/v1/unknown-machines/{id}/adopt"), &body)
            .await;
        assert_eq!(refused.problem().2, field, "{}", refused.text());
        assert_eq!(
            site.api_get("/api/v1/hosts").await.json()["items"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
    }

    #[tokio::test]
    async fn a_runner_keeps_off_every_clusters_vlan() {
        let site = site().await;
        let mut runner = TestApp::described("r1", 1);
        runner["network"] = json!({"vlans": [{"id": 1000, "addresses": ["10.9.0.5/24"]}]});
        let refused = site.api_post("/api/v1/hosts", &runner).await;
        assert_eq!(refused.problem().2, "network.vlans[0].id", "{}", refused.text());
        runner["network"] = json!({"vlans": [{"id": 7, "addresses": ["10.9.0.5/24"]}]});
        assert_eq!(site.api_post("/api/v1/hosts", &runner).await.status, 201);
        // And no cluster comes to it.
        let mut lab = site.cluster_spec("lab");
        lab["vlan"] = json!(7);
        let refused = site.api_post("/api/v1/clusters", &lab).await;
        assert_eq!(refused.problem().2, "vlan", "{}", refused.text());
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("network.vlans[0].id of r1"), "{detail}");
    }

    #[tokio::test]
    async fn a_cluster_is_held_against_the_hosts_it_has() {
        let site = site().await;
        let host = node(
            "a1",
            1,
            json!({"vlans": [{"id": 1000}, {"id": 7, "addresses": ["10.50.0.5/24"]}]}),
        );
        assert_eq!(site.api_post("/api/v1/hosts", &host).await.status, 201);
        let shown = site.api_get("/api/v1/clusters/prod").await;
        for (changed, field) in [
            (json!({"pod_cidrs": ["10.50.0.0/16"]}), "pod_cidrs[0]"),
            (json!({"service_cidrs": ["10.48.0.0/14"]}), "service_cidrs[0]"),
            (json!({"vlan": 1001}), "vlan"),
        ] {
            let mut spec = shown.json()["spec"].clone();
            for (key, value) in changed.as_object().unwrap() {
                spec[key] = value.clone();
            }
            let refused = site.api_put("/api/v1/clusters/prod", shown.header("etag"), &spec).await;
            assert_eq!(refused.problem().2, field, "{}", refused.text());
        }
    }

    #[tokio::test]
    async fn hosts_that_were_there_first_get_their_addresses_with_the_pool() {
        let site = TestApp::new().await;
        let host = node("a1", 1, json!({"vlans": [{"id": 1000}]}));
        assert_eq!(site.api_post("/api/v1/hosts", &host).await.status, 201);
        site.cluster_with(
            "prod",
            json!({"vlan": 1000, "pool": {"ipv4": {"prefix": "10.8.0.0/24"}}}),
        )
        .await;
        let shown = site.api_get("/api/v1/hosts/a1").await.json();
        assert_eq!(shown["network"]["vlans"][0]["addresses"], json!(["10.8.0.2/24"]));
        assert_eq!(site.arm("a1").await.status, 200);
    }

    #[tokio::test]
    async fn a_pool_that_is_too_small_leaves_a_host_unarmed_and_says_so() {
        let site = TestApp::new().await;
        for (name, n) in [("a1", 1), ("a2", 2)] {
            let host = node(name, n, json!({"vlans": [{"id": 1000}]}));
            assert_eq!(site.api_post("/api/v1/hosts", &host).await.status, 201);
        }
        let shown = site
            .cluster_with(
                "prod",
                json!({"vlan": 1000, "pool": {"ipv4": {"prefix": "10.8.0.0/30"}}}),
            )
            .await;
        let warned = shown["warnings"].to_string();
        assert!(
            warned.contains("a2 has no address on VLAN 1000") && !warned.contains("a1 has"),
            "{warned}"
        );
        assert_eq!(site.arm("a2").await.problem().0, 409);
        // The brake needs no address.
        let held = site.api_post("/api/v1/hosts/a2/hold", &json!({"reason": "x"})).await;
        assert_eq!(held.status, 200, "{}", held.text());
    }
}
