//! What a host's documents are made from beside the host itself.

use std::net::IpAddr;

use thirdboot_lifecycle::PackageSources;
use thirdboot_store::HostState;

use crate::App;
use crate::problem::Failure;

/// Neighbours that a host is told of, for each network: one of them must answer.
const MAX_PEERS: u32 = 4;

/// What a host's documents are made from beside the host itself.
pub(super) struct Beside {
    /// Packages of its role, and where packages come from.
    pub(super) sources: PackageSources,
    /// Ready hosts on its VLANs.
    pub(super) peers: Vec<IpAddr>,
}

impl Beside {
    /// As it is now.
    pub(super) async fn of(app: &App, state: &HostState) -> Result<Self, Failure> {
        let host = &state.host;
        let defaults = app.store.role_defaults(host.role).await?.value;
        let repositories = app.store.repositories().await?;
        let repositories = repositories.into_iter().map(|repository| repository.value);
        let repositories = repositories.filter(|repository| repository.serves(host.role)).collect();
        let mut peers = Vec::new();
        for vlan in &host.network.vlans {
            for address in &vlan.addresses {
                let found = app.store.ready_addresses(address.trunc(), state.id, MAX_PEERS).await?;
                peers.extend(found);
            }
        }
        Ok(Self {
            sources: PackageSources { defaults, repositories },
            peers,
        })
    }
}
