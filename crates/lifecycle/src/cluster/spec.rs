//! A cluster as its admin describes it.

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{NodeLabels, Taint};
use crate::{AddressPool, Arch, ClusterName, Role};

/// A cluster as its admin describes it. Every setting that all servers must share stands here and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterSpec {
    /// Unique among clusters.
    pub name: ClusterName,
    /// What its nodes run.
    pub k3s: K3s,
    /// Addresses of pods: one prefix, or one of each family.
    #[serde(default = "ClusterSpec::default_pod_cidrs")]
    pub pod_cidrs: Vec<IpNet>,
    /// Addresses of services, of the same families in the same order.
    #[serde(default = "ClusterSpec::default_service_cidrs")]
    pub service_cidrs: Vec<IpNet>,
    /// The VLAN that nodes talk over, 2 to 4094; none means their uplink.
    #[serde(default)]
    pub vlan: Option<u16>,
    /// Where hosts get their addresses on that VLAN from, of each family that has a range here and that they state no
    /// address of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<AddressPool>,
    /// Further names and addresses in the API server's certificate.
    #[serde(default)]
    pub tls_san: Vec<String>,
    /// Packaged components that are left out.
    #[serde(default)]
    pub disable: Vec<String>,
    /// How flannel carries pods' traffic between nodes.
    #[serde(default)]
    pub flannel_backend: FlannelBackend,
    /// Whether containers are confined by `SELinux`.
    #[serde(default = "ClusterSpec::default_selinux")]
    pub selinux: bool,
    /// What every server's node carries.
    #[serde(default)]
    pub server: NodeSettings,
    /// What every agent's node carries.
    #[serde(default)]
    pub agent: NodeSettings,
    /// Whether tokens may be handed out over plain HTTP.
    #[serde(default)]
    pub insecure_join: bool,
    /// Files that k3s applies by itself, by their names: a load balancer, a cloud controller.
    #[serde(default)]
    pub manifests: BTreeMap<String, String>,
}

impl ClusterSpec {
    /// What k3s itself takes when nothing is said.
    fn default_pod_cidrs() -> Vec<IpNet> {
        "10.42.0.0/16".parse().into_iter().collect()
    }

    fn default_service_cidrs() -> Vec<IpNet> {
        "10.43.0.0/16".parse().into_iter().collect()
    }

    fn default_selinux() -> bool {
        true
    }

    /// What a node of this role carries.
    #[must_use]
    pub fn node(&self, role: Role) -> &NodeSettings {
        match role {
            Role::Server => &self.server,
            Role::Agent | Role::Runner => &self.agent,
        }
    }
}

/// The version of k3s, and its binary for each architecture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct K3s {
    /// As its releases are called, such as `v1.34.1+k3s1`.
    pub version: String,
    /// One for each architecture in use.
    pub binaries: BTreeMap<Arch, Binary>,
}

/// A k3s binary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binary {
    /// In lower-case hex, from the release's `sha256sum-<arch>.txt`.
    pub sha256: String,
    /// Where nodes fetch it; none means from this server's assets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// How flannel carries pods' traffic between nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlannelBackend {
    /// In UDP, to port 8472.
    #[default]
    Vxlan,
    /// By routes: every node must be in the same network.
    HostGw,
    /// Encrypted, in UDP to port 51820, and 51821 for IPv6.
    WireguardNative,
}

impl FlannelBackend {
    /// The name in k3s' config.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vxlan => "vxlan",
            Self::HostGw => "host-gw",
            Self::WireguardNative => "wireguard-native",
        }
    }

    /// What it adds to a frame, in bytes; more where nodes talk over IPv6. flannel takes it off the MTU of pods.
    #[must_use]
    pub fn overhead(self, over_ipv6: bool) -> u32 {
        match self {
            // 8 UDP, 8 VXLAN, 14 Ethernet, and 20 or 40 IP.
            Self::Vxlan if over_ipv6 => 70,
            Self::Vxlan => 50,
            Self::HostGw => 0,
            // 40 IP, whatever the family, 8 UDP, 32 WireGuard.
            Self::WireguardNative => 80,
        }
    }
}

/// What a node registers with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSettings {
    /// Labels of its Node object.
    #[serde(default)]
    pub labels: NodeLabels,
    /// Taints of its Node object.
    #[serde(default)]
    pub taints: Vec<Taint>,
}
