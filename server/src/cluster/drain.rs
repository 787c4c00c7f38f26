//! Nodes that are about to be away: cordoned, drained by evictions, uncordoned. Evictions respect disruption budgets: the
//! API answers 429 where one does not allow it now.

use std::collections::BTreeMap;

use async_trait::async_trait;
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};
use thirdboot_lifecycle::{ClusterName, Init};

use super::nodes::{NodeFacts, Nodes, or_absent};
use super::worker::{first_that_lists, servers};
use super::{open_access, worker::API_PORT};
use crate::App;
use crate::fleetlock::{self, DrainLook, NodeLook, Trouble};

/// Marks a node that was cordoned from here: one that a person cordoned is left as it is.
pub(super) const CORDONED: &str = "thirdboot.io/cordoned";
/// The kubelet's own pods cannot be evicted.
const MIRROR: &str = "kubernetes.io/config.mirror";
/// Pods of a node that are asked to go side by side: one by one, a slow API would never come to the last.
const EVICTIONS_AT_ONCE: usize = 10;

/// The clusters that this server knows by their kubeconfigs.
pub(crate) struct KubeNodes {
    port: u16,
}

impl Default for KubeNodes {
    fn default() -> Self {
        Self { port: API_PORT }
    }
}

impl KubeNodes {
    /// Clusters whose servers listen elsewhere.
    #[cfg(test)]
    pub(crate) fn at(port: u16) -> Self {
        Self { port }
    }

    /// A server that answers, and what it says of the nodes.
    async fn connect(&self, app: &App, cluster: &ClusterName) -> Result<(Nodes, BTreeMap<String, NodeFacts>), Trouble> {
        let silent = |why: &str| Trouble(format!("the API of {cluster} does not answer here: {why}"));
        if app.clusters.is_blind() {
            return Err(silent("its network is out of reach"));
        }
        let kept = app
            .store
            .cluster(cluster)
            .await
            .map_err(|error| silent(&error.to_string()))?;
        let kept = kept.filter(|kept| matches!(kept.cluster.init, Init::Done { .. }));
        let kept = kept.ok_or_else(|| silent("it has not begun"))?;
        let sealed = kept
            .kubeconfig
            .as_ref()
            .ok_or_else(|| silent("no kubeconfig was handed in"))?;
        let access =
            open_access(&app.secrets, cluster, sealed).map_err(|_| silent("its kubeconfig cannot be opened"))?;
        let hosts = app
            .store
            .hosts_of(cluster)
            .await
            .map_err(|error| silent(&error.to_string()))?;
        let servers = servers(&kept.cluster, &hosts);
        let found = first_that_lists(self.port, &servers, &app.clusters.of(cluster), &access).await;
        found.map_err(|why| silent(&why))
    }
}

#[async_trait]
impl fleetlock::Nodes for KubeNodes {
    async fn look(&self, app: &App, cluster: &ClusterName) -> Option<BTreeMap<String, NodeLook>> {
        let (_, nodes) = self.connect(app, cluster).await.ok()?;
        let look = |node: NodeFacts| NodeLook {
            ready: node.ready.is_ok(),
            boot_id: node.boot_id,
            is_cordoned_by_us: node.is_cordoned_by_us,
        };
        Some(nodes.into_iter().map(|(name, node)| (name, look(node))).collect())
    }

    async fn cordon(&self, app: &App, cluster: &ClusterName, node: &str) -> Result<(), Trouble> {
        let (nodes, _) = self.connect(app, cluster).await?;
        nodes.cordon(node).await.map_err(|trouble| in_words(&trouble))
    }

    async fn uncordon(&self, app: &App, cluster: &ClusterName, node: &str) -> Result<(), Trouble> {
        let (nodes, _) = self.connect(app, cluster).await?;
        nodes.uncordon(node).await.map_err(|trouble| in_words(&trouble))
    }

    async fn evict(&self, app: &App, cluster: &ClusterName, node: &str) -> Result<DrainLook, Trouble> {
        let (nodes, _) = self.connect(app, cluster).await?;
        nodes.evict(node).await.map_err(|trouble| in_words(&trouble))
    }
}

fn in_words(trouble: &super::nodes::Trouble) -> Trouble {
    Trouble(trouble.to_string())
}

impl Nodes {
    async fn cordon(&self, name: &str) -> Result<(), super::nodes::Trouble> {
        let api: Api<Node> = Api::all(self.0.clone());
        let node = Self::within(api.get(name)).await?;
        // Whoever cordoned it uncordons it.
        if node.spec.and_then(|spec| spec.unschedulable) == Some(true) {
            return Ok(());
        }
        let patch = json!({"metadata": {"annotations": {CORDONED: "true"}}, "spec": {"unschedulable": true}});
        self.patch(&api, name, patch).await
    }

    async fn uncordon(&self, name: &str) -> Result<(), super::nodes::Trouble> {
        let api: Api<Node> = Api::all(self.0.clone());
        let Some(node) = Self::within(api.get_opt(name)).await? else {
            return Ok(());
        };
        if !is_ours(&node) {
            return Ok(());
        }
        let patch = json!({"metadata": {"annotations": {CORDONED: null}}, "spec": {"unschedulable": false}});
        self.patch(&api, name, patch).await
    }

    async fn patch(&self, api: &Api<Node>, name: &str, patch: Value) -> Result<(), super::nodes::Trouble> {
        let (how, patch) = (PatchParams::default(), Patch::Merge(patch));
        Self::within(api.patch(name, &how, &patch)).await.map(drop)
    }

    async fn evict(&self, node: &str) -> Result<DrainLook, super::nodes::Trouble> {
        let all: Api<Pod> = Api::all(self.0.clone());
        let here = ListParams::default().fields(&format!("spec.nodeName={node}"));
        let pods = Self::within(all.list(&here)).await?;
        let named = |pod: &Pod| Some((pod.metadata.namespace.clone()?, pod.metadata.name.clone()?));
        let still_here: Vec<&Pod> = pods.items.iter().filter(|pod| has_to_go(pod)).collect();
        let not_asked = still_here
            .iter()
            .filter(|pod| pod.metadata.deletion_timestamp.is_none());
        let not_asked: Vec<(String, String)> = not_asked.filter_map(|pod| named(pod)).collect();
        let asked = stream::iter(not_asked).map(|(namespace, name)| async move {
            let may_go = self.ask_to_go(&namespace, &name).await?;
            Ok::<_, super::nodes::Trouble>((!may_go).then(|| format!("{namespace}/{name}")))
        });
        let blocked: Vec<Option<String>> = asked.buffered(EVICTIONS_AT_ONCE).try_collect().await?;
        Ok(DrainLook {
            left: still_here.len(),
            blocked: blocked.into_iter().flatten().collect(),
        })
    }

    /// Whether this pod may go now; one that is gone may.
    async fn ask_to_go(&self, namespace: &str, pod: &str) -> Result<bool, super::nodes::Trouble> {
        let asked = Self::within(async {
            match self.0.request::<Value>(eviction(namespace, pod)?).await {
                // A budget: later.
                Err(kube::Error::Api(status)) if status.code == 429 => Ok(false),
                other => or_absent(other.map(drop)).map(|()| true),
            }
        });
        asked.await
    }
}

/// Whether a node was cordoned from here.
pub(super) fn is_ours(node: &Node) -> bool {
    let annotations = node.metadata.annotations.as_ref();
    annotations.is_some_and(|all| all.contains_key(CORDONED))
}

/// The client's own eviction does not say which version it is of.
fn eviction(namespace: &str, pod: &str) -> kube::Result<Request<Vec<u8>>> {
    let body =
        json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"namespace": namespace, "name": pod}});
    let body = serde_json::to_vec(&body).map_err(kube::Error::SerdeError)?;
    Request::post(format!("/api/v1/namespaces/{namespace}/pods/{pod}/eviction"))
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(kube::Error::HttpError)
}

/// As `kubectl drain --ignore-daemonsets --delete-emptydir-data` has it.
fn has_to_go(pod: &Pod) -> bool {
    let metadata = &pod.metadata;
    let is_mirror = metadata
        .annotations
        .as_ref()
        .is_some_and(|all| all.contains_key(MIRROR));
    let is_of_daemon_set = metadata
        .owner_references
        .iter()
        .flatten()
        .any(|owner| owner.controller == Some(true) && owner.kind == "DaemonSet");
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    !is_mirror && !is_of_daemon_set && !matches!(phase, Some("Succeeded" | "Failed"))
}

#[cfg(test)]
mod tests;
