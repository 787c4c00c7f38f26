//! `/etc/rancher/k3s/config.yaml`.
//!
//! What all servers must share is taken from the cluster's description and from nowhere else; the host adds who and
//! where it is. Every string is written in quotes, as JSON writes it, which YAML reads as the same string.

use std::fmt::Write as _;
use std::net::IpAddr;

use thirdboot_lifecycle::{ClusterSpec, HostName, NodeSettings};

/// The port of the API server.
const API_PORT: u16 = 6443;

/// Who a node is and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct NodeConfig<'a> {
    /// Its cluster.
    pub cluster: &'a ClusterSpec,
    /// Its name.
    pub name: &'a HostName,
    /// Its addresses among nodes, one for each family of the cluster and in that order.
    pub node_ips: &'a [IpAddr],
    /// Its addresses for the outside world.
    pub external_ips: &'a [IpAddr],
    /// The interface that carries pods' traffic; none leaves the choice to flannel.
    pub interface: Option<&'a str>,
    /// How it becomes a member.
    pub membership: Membership<'a>,
}

/// How a node becomes a member. Tokens are bare, without the hash of the CA.
#[derive(Clone, Copy)]
pub enum Membership<'a> {
    /// The server that begins the cluster.
    First {
        /// The server token.
        token: &'a str,
        /// The agent token.
        agent_token: &'a str,
    },
    /// A further server.
    Server {
        /// The server to join by.
        by: IpAddr,
        /// SHA-256 in hex of the cluster's CA.
        ca_sha256: &'a str,
        /// The server token.
        token: &'a str,
        /// The agent token.
        agent_token: &'a str,
    },
    /// An agent: the server token is not for it.
    Agent {
        /// The server to join by.
        by: IpAddr,
        /// SHA-256 in hex of the cluster's CA.
        ca_sha256: &'a str,
        /// The agent token.
        agent_token: &'a str,
    },
}

impl std::fmt::Debug for Membership<'_> {
    /// Without its tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::First { .. } => "First",
            Self::Server { .. } => "Server",
            Self::Agent { .. } => "Agent",
        })
    }
}

/// Writes the file. It carries a token.
#[must_use]
pub fn node_config(node: &NodeConfig<'_>) -> String {
    let mut file = Yaml::default();
    let cluster = node.cluster;
    match node.membership {
        Membership::First { token, agent_token } => {
            file.flag("cluster-init", true);
            file.text("token", token);
            file.text("agent-token", agent_token);
            shared_by_servers(&mut file, cluster);
        }
        Membership::Server {
            by,
            ca_sha256,
            token,
            agent_token,
        } => {
            file.text("server", &url(by));
            file.text("token", &format!("K10{ca_sha256}::server:{token}"));
            file.text("agent-token", agent_token);
            shared_by_servers(&mut file, cluster);
        }
        Membership::Agent {
            by,
            ca_sha256,
            agent_token,
        } => {
            file.text("server", &url(by));
            file.text("token", &format!("K10{ca_sha256}::node:{agent_token}"));
        }
    }
    let settings = match node.membership {
        Membership::First { .. } | Membership::Server { .. } => &cluster.server,
        Membership::Agent { .. } => &cluster.agent,
    };
    own(&mut file, node, settings);
    file.0
}

/// Where the API server of a node answers.
fn url(by: IpAddr) -> String {
    match by {
        IpAddr::V4(v4) => format!("https://{v4}:{API_PORT}"),
        IpAddr::V6(v6) => format!("https://[{v6}]:{API_PORT}"),
    }
}

/// Settings that a server with others would be refused for.
fn shared_by_servers(file: &mut Yaml, cluster: &ClusterSpec) {
    file.text("cluster-cidr", &joined(&cluster.pod_cidrs));
    file.text("service-cidr", &joined(&cluster.service_cidrs));
    file.text("flannel-backend", cluster.flannel_backend.as_str());
    file.list("disable", cluster.disable.iter().cloned());
    file.list("tls-san", cluster.tls_san.iter().cloned());
    file.text("write-kubeconfig-mode", "0600");
}

fn own(file: &mut Yaml, node: &NodeConfig<'_>, settings: &NodeSettings) {
    file.text("node-name", node.name.as_str());
    if !node.node_ips.is_empty() {
        file.text("node-ip", &joined(node.node_ips));
    }
    if !node.external_ips.is_empty() {
        file.text("node-external-ip", &joined(node.external_ips));
    }
    if let Some(interface) = node.interface {
        file.text("flannel-iface", interface);
    }
    file.flag("selinux", node.cluster.selinux);
    file.list(
        "node-label",
        settings.labels.iter().map(|(key, value)| format!("{key}={value}")),
    );
    file.list("node-taint", settings.taints.iter().map(ToString::to_string));
}

fn joined<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// A flat mapping. A String takes every write.
#[derive(Default)]
struct Yaml(String);

impl Yaml {
    fn flag(&mut self, key: &str, value: bool) {
        let _ = writeln!(self.0, "{key}: {value}");
    }

    fn text(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.0, "{key}: {}", quoted(value));
    }

    fn list(&mut self, key: &str, values: impl Iterator<Item = String>) {
        let mut values = values.peekable();
        if values.peek().is_none() {
            return;
        }
        let _ = writeln!(self.0, "{key}:");
        for value in values {
            let _ = writeln!(self.0, "  - {}", quoted(&value));
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
