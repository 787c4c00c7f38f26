//! Clusters as a story needs them. Strict: what nobody set up is not there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use thirdboot_lifecycle::ClusterName;

use crate::App;

use super::super::nodes::{DrainLook, NodeLook, Nodes, Trouble};

/// A node and its pods.
#[derive(Debug, Clone, Default)]
pub(super) struct FakeNode {
    pub(super) look: NodeLook,
    /// Pods that have to leave.
    pub(super) pods: usize,
    /// Those that a budget holds back.
    pub(super) blocked: Vec<String>,
    /// How often it was asked to let its pods go.
    pub(super) evictions: usize,
    /// Of which cluster it is.
    cluster: String,
}

/// The cluster `prod`, and those that a story puts beside it.
#[derive(Debug, Default)]
pub(super) struct FakeNodes {
    nodes: Mutex<BTreeMap<String, FakeNode>>,
    is_silent: Mutex<bool>,
    /// The cluster whose API takes a question and never answers.
    hangs: Mutex<Option<String>>,
}

impl FakeNodes {
    /// A cluster of these nodes, all of them Ready.
    pub(super) fn of(names: &[&str]) -> Arc<Self> {
        let fake = Self::default();
        fake.add("prod", names);
        Arc::new(fake)
    }

    /// Nodes of another cluster, all of them Ready.
    pub(super) fn add(&self, cluster: &str, names: &[&str]) {
        for name in names {
            let look = NodeLook {
                ready: true,
                ..NodeLook::default()
            };
            let node = FakeNode {
                look,
                cluster: cluster.to_owned(),
                ..FakeNode::default()
            };
            self.nodes().insert((*name).to_owned(), node);
        }
    }

    fn nodes(&self) -> MutexGuard<'_, BTreeMap<String, FakeNode>> {
        self.nodes.lock().unwrap()
    }

    pub(super) fn change(&self, node: &str, change: impl FnOnce(&mut FakeNode)) {
        change(self.nodes().get_mut(node).unwrap());
    }

    pub(super) fn node(&self, node: &str) -> FakeNode {
        self.nodes()[node].clone()
    }

    pub(super) fn is_cordoned(&self, node: &str) -> bool {
        self.node(node).look.is_cordoned_by_us
    }

    /// Its API does not answer any more, or does again.
    pub(super) fn silence(&self, is_silent: bool) {
        *self.is_silent.lock().unwrap() = is_silent;
    }

    /// The API of this cluster takes questions from now on and does not answer them.
    pub(super) fn hang(&self, cluster: &str) {
        *self.hangs.lock().unwrap() = Some(cluster.to_owned());
    }

    /// Whether the API of this cluster answers at all; never, where it hangs.
    async fn answers(&self, cluster: &ClusterName) -> bool {
        let hangs = self.hangs.lock().unwrap().as_deref() == Some(cluster.as_str());
        if hangs {
            std::future::pending::<()>().await;
        }
        let is_known = self.nodes().values().any(|node| node.cluster == cluster.as_str());
        is_known && !*self.is_silent.lock().unwrap()
    }

    async fn on<T>(
        &self,
        cluster: &ClusterName,
        node: &str,
        act: impl FnOnce(&mut FakeNode) -> T + Send,
    ) -> Result<T, Trouble> {
        if !self.answers(cluster).await {
            return Err(Trouble("no answer".into()));
        }
        match self
            .nodes()
            .get_mut(node)
            .filter(|node| node.cluster == cluster.as_str())
        {
            Some(node) => Ok(act(node)),
            None => Err(Trouble(format!("nodes \"{node}\" not found"))),
        }
    }
}

#[async_trait]
impl Nodes for FakeNodes {
    async fn look(&self, _: &App, cluster: &ClusterName) -> Option<BTreeMap<String, NodeLook>> {
        if !self.answers(cluster).await {
            return None;
        }
        let nodes = self.nodes();
        Some(
            nodes
                .iter()
                .filter(|(_, node)| node.cluster == cluster.as_str())
                .map(|(name, node)| (name.clone(), node.look.clone()))
                .collect(),
        )
    }

    async fn cordon(&self, _: &App, cluster: &ClusterName, node: &str) -> Result<(), Trouble> {
        self.on(cluster, node, |node| node.look.is_cordoned_by_us = true).await
    }

    async fn uncordon(&self, _: &App, cluster: &ClusterName, node: &str) -> Result<(), Trouble> {
        self.on(cluster, node, |node| node.look.is_cordoned_by_us = false).await
    }

    async fn evict(&self, _: &App, cluster: &ClusterName, node: &str) -> Result<DrainLook, Trouble> {
        self.on(cluster, node, |node| {
            assert!(node.look.is_cordoned_by_us, "drained without being cordoned");
            node.evictions += 1;
            DrainLook {
                left: node.pods,
                blocked: node.blocked.clone(),
            }
        })
        .await
    }
}
