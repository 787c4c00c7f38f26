//! Clusters: described, shown, begun and moved.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::StageName;
use crate::control::{AddressPoolSpec, Role};
use crate::names::words;

/// A cluster as its admin describes it. All servers share what stands here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "name": "prod",
    "k3s": {"version": "v1.34.1+k3s1", "binaries": {"x86_64": {"sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}},
    "vlan": 1234, "pool": {"ipv4": {"prefix": "10.8.0.0/24"}}, "tls_san": ["k8s.example.net"], "disable": ["traefik"]
})))]
pub struct ClusterSpec {
    /// Unique among clusters: an RFC 1123 label.
    pub name: String,
    /// What its nodes run.
    pub k3s: K3sSpec,
    /// Addresses of pods: one prefix, or one of each family. Cannot change once the cluster was begun.
    #[serde(default = "default_pod_cidrs")]
    pub pod_cidrs: Vec<String>,
    /// Addresses of services, of the same families in the same order. Cannot change once the cluster was begun.
    #[serde(default = "default_service_cidrs")]
    pub service_cidrs: Vec<String>,
    /// The VLAN that nodes talk over, 2 to 4094; none means their uplink.
    #[serde(default)]
    pub vlan: Option<u16>,
    /// Where hosts get their addresses on that VLAN from, of each family that has a range here and that they state no
    /// address of. What was given stays the host's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<AddressPoolSpec>,
    /// Further names and addresses in the API server's certificate.
    #[serde(default)]
    pub tls_san: Vec<String>,
    /// Packaged components that are left out, such as `traefik`. Cannot change once the cluster was begun.
    #[serde(default)]
    pub disable: Vec<String>,
    /// How flannel carries pods' traffic between nodes. Cannot change once the cluster was begun.
    #[serde(default)]
    pub flannel_backend: FlannelBackend,
    /// Whether containers are confined by `SELinux`.
    #[serde(default = "yes")]
    pub selinux: bool,
    /// What every server's node carries.
    #[serde(default)]
    pub server: NodeSpec,
    /// What every agent's node carries.
    #[serde(default)]
    pub agent: NodeSpec,
    /// Whether tokens may be handed out over plain HTTP: for a boot network that nobody else can listen to.
    #[serde(default)]
    pub insecure_join: bool,
    /// Kubernetes objects that k3s applies by itself, by file name.
    #[serde(default)]
    pub manifests: BTreeMap<String, String>,
}

fn default_pod_cidrs() -> Vec<String> {
    vec!["10.42.0.0/16".to_owned()]
}

fn default_service_cidrs() -> Vec<String> {
    vec!["10.43.0.0/16".to_owned()]
}

fn yes() -> bool {
    true
}

/// The version of k3s, and its binary for each architecture.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct K3sSpec {
    /// As its releases are called, such as `v1.34.1+k3s1`.
    pub version: String,
    /// By architecture: `x86_64` or `aarch64`.
    pub binaries: BTreeMap<String, BinarySpec>,
}

/// A k3s binary.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BinarySpec {
    /// In lower-case hex, from the release's `sha256sum-<arch>.txt`.
    pub sha256: String,
    /// Where nodes fetch it; none means from this server's assets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

words! {
    /// How flannel carries pods' traffic between nodes.
    #[derive(Default)]
    FlannelBackend, "flannel backend" {
        /// In UDP, to port 8472.
        #[default]
        Vxlan = "vxlan",
        /// By routes: every node must be in the same network.
        HostGw = "host-gw",
        /// Encrypted, in UDP to port 51820, and 51821 for IPv6.
        WireguardNative = "wireguard-native",
    }
}

/// What a node registers with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeSpec {
    /// Labels of its Node object.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Taints of its Node object, as `key=value:Effect` or `key:Effect`.
    #[serde(default)]
    pub taints: Vec<String>,
}

/// A cluster as it is: no token and no kubeconfig stand here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "spec": {
        "name": "prod",
        "k3s": {"version": "v1.34.1+k3s1", "binaries": {"x86_64": {"sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}}
    },
    "etag": "\"9d2f6c01b3a4e578\"",
    "init": {"state": "done", "host": "server-1", "run": 1, "since": "2026-09-01T12:00:00Z",
        "ca_sha256": "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"},
    "rotating": false, "has_kubeconfig": true, "api": {"state": "reachable", "why": null, "answering": ["server-1"]},
    "members": [{"name": "server-1", "role": "server", "stage": "ready", "joins": false, "waits_for": null, "ready_by": "api",
        "node_ready": true}],
    "warnings": []
})))]
pub struct ClusterView {
    /// As its admin describes it.
    pub spec: ClusterSpec,
    /// Names this version of the description, for `If-Match`: what its hosts do leaves it as it is.
    pub etag: String,
    /// Who begins it, or began it.
    pub init: InitView,
    /// Whether its tokens are being changed: nobody joins meanwhile.
    pub rotating: bool,
    /// Whether its kubeconfig is kept here.
    pub has_kubeconfig: bool,
    /// What was seen of its API from here.
    pub api: ApiView,
    /// Its hosts, by name.
    pub members: Vec<MemberView>,
    /// What its admin should know.
    pub warnings: Vec<String>,
}

words! {
    /// How far a cluster has come.
    InitState, "state of a cluster" {
        /// Nobody has begun it: the first server that asks does.
        Open = "open",
        /// An admin chose who begins it.
        Reserved = "reserved",
        /// A server begins it.
        Granted = "granted",
        /// It was begun.
        Done = "done",
        /// It may have begun: the database is an older copy or a foreign one, and an admin must say.
        InDoubt = "in-doubt",
    }
}

/// Who begins a cluster, or began it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InitView {
    /// How far it has come.
    pub state: InitState,
    /// The server that begins or began it; none where nobody does, or an admin handed in its kubeconfig.
    pub host: Option<String>,
    /// Which of its runs.
    pub run: Option<u32>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// SHA-256 in hex of the cluster's CA certificate, once it was begun.
    pub ca_sha256: Option<String>,
}

words! {
    /// Whether a cluster's API answers here.
    ApiState, "state of an API" {
        /// Nobody has looked yet.
        Unknown = "unknown",
        /// It answers.
        Reachable = "reachable",
        /// It does not, or not to its kubeconfig.
        Unreachable = "unreachable",
    }
}

/// What was seen of a cluster's API from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiView {
    /// Whether it answers.
    pub state: ApiState,
    /// Why not.
    pub why: Option<String>,
    /// Servers that answer on port 6443, by name.
    pub answering: Vec<String>,
}

/// A host of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    /// Its name.
    pub name: String,
    /// As what.
    pub role: Role,
    /// Where its run stands; none when it was never armed.
    pub stage: Option<StageName>,
    /// Whether it was handed its join and is not ready yet.
    pub joins: bool,
    /// What it waits for.
    pub waits_for: Option<String>,
    /// Whose word made it ready: `api` or `own-word`.
    pub ready_by: Option<String>,
    /// Whether the API calls its node Ready now; none where the API does not answer.
    pub node_ready: Option<bool>,
}

/// A cluster's kubeconfig. A secret: whoever has it is the cluster's admin.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"kubeconfig": "apiVersion: v1\nkind: Config\n…"})))]
pub struct Kubeconfig {
    /// The file.
    pub kubeconfig: String,
}

impl std::fmt::Debug for Kubeconfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kubeconfig(…)")
    }
}

/// `POST /api/v1/clusters/{name}/move-init`: gives the right to begin the cluster to another server. What was begun
/// before is void.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"to": "server-2", "confirm": "prod"})))]
pub struct MoveInitBody {
    /// The server that begins.
    pub to: String,
    /// The cluster's name, repeated.
    pub confirm: String,
}

/// `POST /api/v1/clusters/{name}/rotate-token`: changes the tokens, in two steps once the cluster was begun.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"finish": false})))]
pub struct RotateTokenBody {
    /// The servers take the new tokens now: hand them out.
    #[serde(default)]
    pub finish: bool,
    /// The servers keep the old tokens: forget the new ones.
    #[serde(default)]
    pub abandon: bool,
}

/// The tokens that the servers must take before the rotation is finished. Secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "finished": true, "old_server_token": null, "new_server_token": null, "new_agent_token": null,
    "next": "nothing is left to be done"
})))]
pub struct RotationView {
    /// Whether nothing is left to be done.
    pub finished: bool,
    /// The server token that the servers have.
    pub old_server_token: Option<String>,
    /// The server token that they must take.
    pub new_server_token: Option<String>,
    /// The agent token that they must take.
    pub new_agent_token: Option<String>,
    /// What to do, for people.
    pub next: String,
}

impl std::fmt::Debug for RotationView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RotationView")
            .field("finished", &self.finished)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_themselves() {
        let kubeconfig = Kubeconfig {
            kubeconfig: "client-key-data: c2VjcmV0".into(),
        };
        let rotation = RotationView {
            finished: false,
            old_server_token: Some("c2VjcmV0".into()),
            new_server_token: Some("c2VjcmV0".into()),
            new_agent_token: Some("c2VjcmV0".into()),
            next: "c2VjcmV0".into(),
        };
        assert!(!format!("{kubeconfig:?} {rotation:?}").contains("c2VjcmV0"));
    }

    #[test]
    fn a_short_description_has_the_defaults_of_k3s() {
        let spec: ClusterSpec =
            serde_json::from_str(r#"{"name":"prod","k3s":{"version":"v1.34.1+k3s1","binaries":{}}}"#).unwrap();
        assert_eq!(
            (spec.pod_cidrs[0].as_str(), spec.selinux, spec.insecure_join),
            ("10.42.0.0/16", true, false)
        );
        assert!(
            serde_json::from_str::<ClusterSpec>(r#"{"name":"prod","k3s":{"version":"v1","binaries":{}},"token":"x"}"#)
                .is_err()
        );
    }
}
