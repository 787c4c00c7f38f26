//! Clusters, kept beside the hosts.

use async_trait::async_trait;
use thirdboot_lifecycle::{Cluster, ClusterName};

use crate::{HostState, StoreError};

/// A cluster as it is kept. What is secret of it is sealed by the caller first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterState {
    /// Counts the changes of the row: an update of an older version is refused.
    pub version: u64,
    /// Its description, who began it and who is joining.
    pub cluster: Cluster,
    /// Its tokens, sealed.
    pub tokens: Vec<u8>,
    /// Its kubeconfig, sealed, once it was handed in.
    pub kubeconfig: Option<Vec<u8>>,
}

/// Why a cluster was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The store itself.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No cluster of that name.
    #[error("no such cluster")]
    NoSuchCluster,
    /// The cluster changed since the version that the caller saw.
    #[error("the cluster changed meanwhile: its version is {current}, the request was made for {expected}")]
    Outdated {
        /// The row's version.
        current: u64,
        /// What the caller saw.
        expected: u64,
    },
    /// Hosts belong to it.
    #[error("{0} belongs to it, and perhaps others do")]
    InUse(String),
}

/// Verbs for clusters. A change is guarded by the version that its maker saw: of two that were decided on the same
/// state one is refused, and decides again.
#[async_trait]
pub trait Clusters: Send + Sync + 'static {
    /// Adds a cluster, whose version is 1 then.
    ///
    /// # Errors
    /// `Taken` when the name is in use.
    async fn add_cluster(&self, cluster: ClusterState) -> Result<ClusterState, StoreError>;

    /// The cluster of that name.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn cluster(&self, name: &ClusterName) -> Result<Option<ClusterState>, StoreError>;

    /// Every cluster, in the order of their names.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn clusters(&self) -> Result<Vec<ClusterState>, StoreError>;

    /// Replaces a cluster, `state.version` being what its maker saw. Returns it with its new version. Where `begins` is
    /// said, a copy of the data from before is recognised as an older one.
    ///
    /// # Errors
    /// `Outdated` when somebody else was faster.
    async fn save_cluster(&self, state: ClusterState, begins: bool) -> Result<ClusterState, ClusterError>;

    /// Removes a cluster that no host belongs to.
    ///
    /// # Errors
    /// `InUse` names a host of it.
    async fn remove_cluster(&self, name: &ClusterName, expected_version: u64) -> Result<(), ClusterError>;

    /// The hosts that belong to a cluster, in the order of their names.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn hosts_of(&self, name: &ClusterName) -> Result<Vec<HostState>, StoreError>;
}
