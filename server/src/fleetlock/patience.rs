//! How long a handler waits for a cluster: one that is slow may not hold up who asks here.

use std::collections::BTreeMap;
use std::time::Duration;

use thirdboot_lifecycle::ClusterName;
use thirdboot_store::HostState;

use super::asking::cluster_of;
use super::nodes::NodeLook;
use super::worker::is_back;
use crate::App;

/// An API that takes longer has not answered the handler that asked.
pub(super) const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 5 });

/// A cluster's API that was asked and did not answer in time. One that is out of reach is told at once, and is no such.
#[derive(Debug, thiserror::Error)]
#[error("the API of {cluster} did not answer within {limit_s} s", limit_s = PATIENCE.as_secs())]
pub(super) struct Slow {
    cluster: ClusterName,
}

impl Slow {
    fn of(cluster: &ClusterName) -> Self {
        let cluster = cluster.clone();
        Self { cluster }
    }
}

/// The nodes of this host's cluster; none where it is in none, or its API is out of reach.
///
/// # Errors
/// When the API takes too long.
pub(super) async fn nodes_beside(app: &App, state: &HostState) -> Result<Option<BTreeMap<String, NodeLook>>, Slow> {
    let Some(cluster) = cluster_of(state) else {
        return Ok(None);
    };
    let look = tokio::time::timeout(PATIENCE, app.nodes.look(app, cluster));
    look.await.map_err(|_| Slow::of(cluster))
}

/// Whether this host is well again, as its cluster says.
///
/// # Errors
/// Says why it is not, for people.
pub(super) async fn is_well_again(app: &App, state: &HostState) -> Result<(), String> {
    let Some(cluster) = cluster_of(state) else {
        return Ok(());
    };
    let back = tokio::time::timeout(PATIENCE, is_back(app, state, cluster));
    back.await.unwrap_or_else(|_| Err(Slow::of(cluster).to_string()))
}
