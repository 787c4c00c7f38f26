//! What is asked of a cluster when one of its nodes is about to be away.

use std::collections::BTreeMap;

use async_trait::async_trait;
use thirdboot_lifecycle::ClusterName;

use crate::App;

/// A node, as its cluster's API tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct NodeLook {
    /// Whether its kubelet is well.
    pub(crate) ready: bool,
    /// The kernel's id of the boot that its kubelet runs in.
    pub(crate) boot_id: Option<String>,
    /// Whether it was cordoned from here.
    pub(crate) is_cordoned_by_us: bool,
}

/// How a drain stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct DrainLook {
    /// Pods that are still there.
    pub(crate) left: usize,
    /// Those whose disruption budget does not allow it now, as `namespace/name`.
    pub(crate) blocked: Vec<String>,
}

impl DrainLook {
    /// In words, for people.
    pub(crate) fn says(&self) -> String {
        let pods = if self.left == 1 { "pod" } else { "pods" };
        match self.blocked.as_slice() {
            [] => format!("{} {pods} left to leave its node", self.left),
            [first, ..] => format!(
                "{} {pods} left to leave its node, {} of which a disruption budget holds back: {first}",
                self.left,
                self.blocked.len()
            ),
        }
    }
}

/// Why a cluster did not do it, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Trouble(pub(crate) String);

/// Clusters' nodes.
#[async_trait]
pub(crate) trait Nodes: Send + Sync + 'static {
    /// Every node of a cluster by name; none when its API does not answer here.
    async fn look(&self, app: &App, cluster: &ClusterName) -> Option<BTreeMap<String, NodeLook>>;

    /// Lets no new pods onto a node. One that a person cordoned stays theirs.
    async fn cordon(&self, app: &App, cluster: &ClusterName, node: &str) -> Result<(), Trouble>;

    /// Lets pods onto a node again, if it was cordoned from here.
    async fn uncordon(&self, app: &App, cluster: &ClusterName, node: &str) -> Result<(), Trouble>;

    /// Asks every pod that has to go to go, and says what is left. Mirror pods and those of daemon sets stay.
    async fn evict(&self, app: &App, cluster: &ClusterName, node: &str) -> Result<DrainLook, Trouble>;
}

/// No cluster answers.
#[cfg(test)]
pub(crate) struct NoNodes;

#[cfg(test)]
#[async_trait]
impl Nodes for NoNodes {
    async fn look(&self, _: &App, _: &ClusterName) -> Option<BTreeMap<String, NodeLook>> {
        None
    }

    async fn cordon(&self, _: &App, cluster: &ClusterName, _: &str) -> Result<(), Trouble> {
        Err(Trouble(format!("the API of {cluster} does not answer here")))
    }

    async fn uncordon(&self, _: &App, cluster: &ClusterName, _: &str) -> Result<(), Trouble> {
        Err(Trouble(format!("the API of {cluster} does not answer here")))
    }

    async fn evict(&self, _: &App, cluster: &ClusterName, _: &str) -> Result<DrainLook, Trouble> {
        Err(Trouble(format!("the API of {cluster} does not answer here")))
    }
}
