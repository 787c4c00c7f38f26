//! Clusters of the server under test, a line each.

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};
use thirdboot_store::HostState;

use super::{BOOT_ID, Reply, TestApp};
use crate::secrets::Purpose;

/// What stands in for a k3s binary.
pub(crate) const K3S_BYTES: &[u8] = b"#!/bin/true\n";

impl TestApp {
    /// A server that looks at its clusters; a test goes round for it.
    pub(crate) async fn sighted() -> Self {
        Self::with(|options| options.blind_to_clusters = false).await
    }

    /// How cluster `name` is described, with its binary in the assets.
    pub(crate) fn cluster_spec(&self, name: &str) -> Value {
        let folder = self.path("assets/k3s/v1.34.1+k3s1/x86_64");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("k3s"), K3S_BYTES).unwrap();
        let sha256 = data_encoding::HEXLOWER.encode(&<sha2::Sha256 as sha2::Digest>::digest(K3S_BYTES));
        json!({"name": name, "k3s": {"version": "v1.34.1+k3s1", "binaries": {"x86_64": {"sha256": sha256}}}, "insecure_join": true})
    }

    /// Describes a cluster that hands out its tokens over plain HTTP.
    pub(crate) async fn cluster(&self, name: &str) -> Value {
        self.cluster_with(name, json!({})).await
    }

    /// The same with some fields changed.
    pub(crate) async fn cluster_with(&self, name: &str, changed: Value) -> Value {
        let mut spec = self.cluster_spec(name);
        for (key, value) in changed.as_object().unwrap() {
            spec[key] = value.clone();
        }
        let reply = self.api_post("/api/v1/clusters", &spec).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()
    }

    async fn node(&self, name: &str, n: u8, role: &str, address: &str) -> HostState {
        let id = self
            .networked(name, n, json!({"role": role, "cluster": "prod"}))
            .await
            .id;
        let facts = json!({"facts": {"addresses": [format!("{address}/24")]}});
        assert_eq!(self.tell(id, Purpose::Host, 7, "network", facts).await, "networked");
        self.state(name).await
    }

    /// A server of `prod` whose network is proven.
    pub(crate) async fn server(&self, name: &str, n: u8, address: &str) -> HostState {
        self.node(name, n, "server", address).await
    }

    /// An agent of `prod` whose network is proven.
    pub(crate) async fn agent(&self, name: &str, n: u8, address: &str) -> HostState {
        self.node(name, n, "agent", address).await
    }

    /// Asks to join.
    pub(crate) async fn join(&self, name: &str) -> Reply {
        let state = self.state(name).await;
        let run = state.run.unwrap().number.0;
        let secret = self.secret(Purpose::Host, state.id, run);
        self.post("/v1/join", &secret, &json!({"run": run, "boot_id": BOOT_ID}))
            .await
    }

    /// Asks to join, and is told.
    pub(crate) async fn joins(&self, name: &str) -> Value {
        let reply = self.join(name).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    /// Asks to join, and is told to wait for this.
    pub(crate) async fn waits(&self, name: &str, why: &str) {
        let reply = self.join(name).await;
        assert_eq!(reply.problem(), (503, "not-yet".into(), String::new()));
        let said = reply.json()["detail"].as_str().unwrap().to_owned();
        assert!(said.contains(why), "{said}");
        assert!(reply.json()["retry_after_s"].is_u64() && !reply.header("retry-after").is_empty());
    }

    /// Hands in a cluster.
    pub(crate) async fn hands_in(&self, name: &str, kubeconfig: &str, ca_sha256: &str) -> Reply {
        let state = self.state(name).await;
        let run = state.run.unwrap().number.0;
        let body = json!({"run": run, "boot_id": BOOT_ID, "kubeconfig": kubeconfig, "ca_sha256": ca_sha256});
        self.post("/v1/cluster", &self.secret(Purpose::Host, state.id, run), &body)
            .await
    }

    /// Begins the cluster and hands it in.
    pub(crate) async fn begin(&self, name: &str, kubeconfig: &str, ca_sha256: &str) {
        assert_eq!(self.joins(name).await["kind"], "init");
        let reply = self.hands_in(name, kubeconfig, ca_sha256).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// Says that it is ready, and is believed.
    pub(crate) async fn is_ready(&self, name: &str) {
        let id = self.state(name).await.id;
        assert_eq!(self.tell(id, Purpose::Host, 40, "ready", json!({})).await, "ready");
    }

    /// A change of a cluster made from this etag.
    pub(crate) async fn api_put(&self, path: &str, etag: &str, body: &Value) -> Reply {
        self.api_if_match(Method::PUT, path, etag, Body::from(body.to_string()))
            .await
    }
}
