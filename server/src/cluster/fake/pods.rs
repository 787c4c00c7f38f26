//! What the stand-in knows of pods, and of nodes that are cordoned.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, patch, post};
use serde_json::{Value, json};

use super::super::drain::CORDONED;
use super::{FakeCluster, Shared, json_body, not_found, status};

impl FakeCluster {
    /// A pod on a node.
    pub(crate) fn pod(&self, node: &str, namespace: &str, name: &str, metadata: &Value) {
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
            "spec": {"nodeName": node, "containers": []}, "status": {"phase": "Running"}});
        pod["metadata"]["namespace"] = namespace.into();
        pod["metadata"]["name"] = name.into();
        self.kept
            .lock()
            .unwrap()
            .pods
            .insert(format!("{namespace}/{name}"), pod);
    }

    /// Its disruption budget allows no eviction, or does again.
    pub(crate) fn guard(&self, pod: &str, is_guarded: bool) {
        let guarded = &mut self.kept.lock().unwrap().guarded;
        if is_guarded {
            guarded.insert(pod.to_owned());
        } else {
            guarded.remove(pod);
        }
    }

    pub(crate) fn pods(&self) -> Vec<String> {
        self.kept.lock().unwrap().pods.keys().cloned().collect()
    }

    /// Cordoned, by this server or by a person.
    pub(crate) fn cordon(&self, node: &str, by_us: bool) {
        let kept = &mut self.kept.lock().unwrap();
        let node = kept.nodes.get_mut(node).unwrap();
        node["spec"]["unschedulable"] = true.into();
        if by_us {
            node["metadata"]["annotations"][CORDONED] = "true".into();
        }
    }

    pub(crate) fn is_cordoned(&self, node: &str) -> bool {
        self.kept.lock().unwrap().nodes[node]["spec"]["unschedulable"] == true
    }

    /// The kubelet of a node runs in another boot, and is well.
    pub(crate) fn reboot(&self, node: &str, boot_id: &str) {
        let kept = &mut self.kept.lock().unwrap();
        let node = kept.nodes.get_mut(node).unwrap();
        node["status"]["nodeInfo"]["bootID"] = boot_id.into();
        node["status"]["conditions"][0]["status"] = "True".into();
    }
}

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/v1/nodes/{name}", patch(change))
        .route("/api/v1/pods", get(list))
        .route("/api/v1/namespaces/{namespace}/pods/{name}/eviction", post(evict))
}

/// A merge patch of the annotation and of whether pods may come: nothing else is anybody's business.
async fn change(State(kept): State<Shared>, Path(name): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    if headers
        .get("content-type")
        .is_none_or(|kind| kind != "application/merge-patch+json")
    {
        return status(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            "a merge patch",
        );
    }
    let patch: Value = serde_json::from_slice(&body).unwrap();
    let annotation = &patch["metadata"]["annotations"][CORDONED];
    let unschedulable = patch["spec"]["unschedulable"].as_bool();
    let expected =
        json!({"metadata": {"annotations": {CORDONED: annotation}}, "spec": {"unschedulable": unschedulable}});
    if patch != expected || unschedulable.is_none() {
        return status(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", &patch.to_string());
    }
    let mut kept = kept.lock().unwrap();
    kept.calls.push(format!("patch node {name}"));
    let Some(node) = kept.nodes.get_mut(&name) else {
        return not_found(&name);
    };
    node["spec"]["unschedulable"] = unschedulable.into();
    if annotation.is_null() {
        node["metadata"]["annotations"]
            .as_object_mut()
            .unwrap()
            .remove(CORDONED);
    } else {
        node["metadata"]["annotations"][CORDONED] = annotation.clone();
    }
    json_body(node)
}

async fn list(State(kept): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let node = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("fieldSelector=spec.nodeName%3D"));
    let Some(node) = node else {
        return status(StatusCode::BAD_REQUEST, "BadRequest", "of which node?");
    };
    let kept = kept.lock().unwrap();
    let items: Vec<&Value> = kept
        .pods
        .values()
        .filter(|pod| pod["spec"]["nodeName"] == node)
        .collect();
    json_body(&json!({"apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": items}))
}

async fn evict(
    State(kept): State<Shared>,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked: Value = serde_json::from_slice(&body).unwrap();
    let expected =
        json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"namespace": namespace, "name": name}});
    if asked != expected
        || headers
            .get("content-type")
            .is_none_or(|kind| kind != "application/json")
    {
        return status(StatusCode::BAD_REQUEST, "BadRequest", &asked.to_string());
    }
    let mut kept = kept.lock().unwrap();
    let pod = format!("{namespace}/{name}");
    kept.calls.push(format!("evict {pod}"));
    if kept.guarded.contains(&pod) {
        let why = "Cannot evict pod as it would violate the pod's disruption budget.";
        return status(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", why);
    }
    if kept.pods.remove(&pod).is_none() {
        return not_found(&pod);
    }
    json_body(&json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Success", "code": 201}))
}
