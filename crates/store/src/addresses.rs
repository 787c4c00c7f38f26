//! Fixed addresses, across the fleet.

use std::net::IpAddr;

use async_trait::async_trait;
use ipnet::IpNet;

use crate::{HostId, StoreError};

/// Which fixed addresses are whose. They are written with their host, by `add_hosts` and `submit`: an address belongs
/// to one host only, and a VLAN with a pool is given a free one of each family that has a range and no stated address.
/// A VLAN without one has that of its server's or agent's cluster, if the cluster's nodes meet there.
/// What was given stays the host's until the host is deleted.
#[async_trait]
pub trait Addresses: Send + Sync {
    /// Fixed addresses in `network` whose hosts are ready, in their order, those of `but` left out.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn ready_addresses(&self, network: IpNet, but: HostId, limit: u32) -> Result<Vec<IpAddr>, StoreError>;
}
