//! `POST /v1/join` and `POST /v1/cluster`: the third boot asks for its place in a cluster.

use serde::{Deserialize, Serialize};

use crate::names::words;

/// Asks to join. Sent with the run's host secret, re-readable until the host is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinBody {
    /// The run, counted per host from 1.
    pub run: u32,
    /// The kernel's id of this boot.
    pub boot_id: String,
}

/// What a host needs to join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinAnswer {
    /// Begin a cluster, join one, or neither.
    pub kind: JoinKind,
    /// The name of its node.
    pub node_name: String,
    /// The whole of `/etc/rancher/k3s/config.yaml`; carries a token.
    pub config: String,
    /// Files to fetch and check first.
    #[serde(default)]
    pub downloads: Vec<Download>,
}

words! {
    /// What a host does with its join.
    JoinKind, "kind of join" {
        /// Begin the cluster: this host is its first server.
        Init = "init",
        /// Join the cluster that is there.
        Join = "join",
        /// Nothing to join.
        None = "none",
    }
}

/// A file that a host fetches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Download {
    /// Where it goes on the host.
    pub path: String,
    /// Where it is fetched.
    pub url: String,
    /// Its SHA-256 in hex; anything else is thrown away.
    pub sha256: String,
    /// Its permission bits in octal, such as `0755`.
    pub mode: String,
}

/// What the first server hands in once its cluster runs. Taken once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterBody {
    /// The run, counted per host from 1.
    pub run: u32,
    /// The kernel's id of this boot.
    pub boot_id: String,
    /// The admin's kubeconfig, as k3s wrote it: a secret.
    pub kubeconfig: String,
    /// SHA-256 in hex of the cluster's CA certificate.
    pub ca_sha256: String,
}

impl std::fmt::Debug for ClusterBody {
    /// Without the kubeconfig.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterBody")
            .field("run", &self.run)
            .field("boot_id", &self.boot_id)
            .field("ca_sha256", &self.ca_sha256)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfig_does_not_reach_a_log() {
        let body = ClusterBody {
            run: 1,
            boot_id: "b".into(),
            kubeconfig: "client-key-data: c2VjcmV0".into(),
            ca_sha256: "c0".into(),
        };
        assert!(!format!("{body:?}").contains("c2VjcmV0"));
    }

    #[test]
    fn an_answer_of_a_newer_server_is_read() {
        let answer: JoinAnswer =
            serde_json::from_str(r#"{"kind":"join","node_name":"a","config":"","taints":[]}"#).unwrap();
        assert_eq!((answer.kind, answer.downloads.len()), (JoinKind::Join, 0));
        let error = serde_json::from_str::<JoinBody>(r#"{"run":1,"boot_id":"b","role":"server"}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `role`"), "{error}");
    }
}
