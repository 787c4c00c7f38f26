//! What a host is handed: its config, and what to fetch.

use std::net::IpAddr;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use thirdboot_api::boot::{Download, JoinAnswer, JoinKind};
use thirdboot_lifecycle::{Cluster, ClusterSpec, Host, Role, Run};
use thirdboot_render::{Membership, NodeConfig, node_config};
use thirdboot_store::HostState;

use super::{Tokens, place::Place};
use crate::App;
use crate::secrets::Purpose;

/// The file in the assets and on the host.
pub(crate) const K3S: &str = "k3s";
/// Where k3s looks for manifests.
const MANIFESTS: &str = "/var/lib/rancher/k3s/server/manifests";

/// How it becomes a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It begins the cluster.
    First,
    /// It joins by this server.
    By(IpAddr),
}

/// What a host is handed. The same every time it asks, as long as nothing changed.
pub(super) fn material(
    app: &App,
    state: &HostState,
    run: &Run,
    cluster: &Cluster,
    tokens: &Tokens,
    place: &Place,
    way: Way,
) -> JoinAnswer {
    let host = &state.host;
    let ca_sha256 = cluster.ca_sha256().unwrap_or_default();
    let membership = match (way, run.role) {
        (Way::First, _) => Membership::First {
            token: &tokens.server,
            agent_token: &tokens.agent,
        },
        (Way::By(by), Role::Server) => Membership::Server {
            by,
            ca_sha256,
            token: &tokens.server,
            agent_token: &tokens.agent,
        },
        (Way::By(by), Role::Agent | Role::Runner) => Membership::Agent {
            by,
            ca_sha256,
            agent_token: &tokens.agent,
        },
    };
    JoinAnswer {
        kind: match way {
            Way::First => JoinKind::Init,
            Way::By(_) => JoinKind::Join,
        },
        node_name: host.name.to_string(),
        config: node_config(&NodeConfig {
            cluster: &cluster.spec,
            name: &host.name,
            node_ips: &place.node_ips,
            external_ips: &place.external_ips,
            interface: place.interface.as_deref(),
            membership,
        }),
        downloads: downloads(app, state, run, &cluster.spec),
    }
}

/// The binary, and for servers the cluster's manifests: every server has the same.
fn downloads(app: &App, state: &HostState, run: &Run, spec: &ClusterSpec) -> Vec<Download> {
    let secret = app
        .secrets
        .derive(Purpose::Join, state.id, run.number, run.key_generation);
    let base = format!("{}/join/{}", app.settings.config_url, secret.expose());
    let binary = spec.k3s.binaries.get(&state.host.arch).map(|binary| Download {
        path: format!("/usr/local/bin/{K3S}"),
        url: binary.url.clone().unwrap_or_else(|| format!("{base}/{K3S}")),
        sha256: binary.sha256.clone(),
        mode: "0755".to_owned(),
    });
    let manifests = spec
        .manifests
        .iter()
        .filter(|_| run.role == Role::Server)
        .map(|(name, text)| Download {
            path: format!("{MANIFESTS}/{name}"),
            url: format!("{base}/{name}"),
            sha256: HEXLOWER.encode(&Sha256::digest(text.as_bytes())),
            mode: "0600".to_owned(),
        });
    binary.into_iter().chain(manifests).collect()
}

/// Whether the cluster has a binary for this host.
pub(crate) fn has_binary(spec: &ClusterSpec, host: &Host) -> Result<(), String> {
    match spec.k3s.binaries.get(&host.arch) {
        Some(_) => Ok(()),
        None => Err(format!(
            "{} has no k3s binary for {}: add its sha256 (k3s.binaries.{})",
            spec.name,
            host.arch.as_str(),
            host.arch.as_str()
        )),
    }
}
