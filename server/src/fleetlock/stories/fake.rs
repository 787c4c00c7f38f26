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
}

/// One cluster, `prod`.
#[derive(Debug, Default)]
pub(super) struct FakeNodes {
    nodes: Mutex<BTreeMap<String, FakeNode>>,
    is_silent: Mutex<bool>,
}

impl FakeNodes {
    /// A cluster of these nodes, all of them Ready.
    pub(super) fn of(names: &[&str]) -> Arc<Self> {
        let fake = Self::default();
        for name in names {
            let look = NodeLook {
                ready: true,
                ..NodeLook::default()
            };
            let node = FakeNode {
                look,
                ..FakeNode::default()
            };
            fake.nodes().insert((*name).to_owned(), node);
        }
        Arc::new(fake)
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

    fn on<T>(&self, cluster: &ClusterName, node: &str, act: impl FnOnce(&mut FakeNode) -> T) -> Result<T, Trouble> {
        if *self.is_silent.lock().unwrap() || cluster.as_str() != "prod" {
            return Err(Trouble("no answer".into()));
        }
        match self.nodes().get_mut(node) {
            Some(node) => Ok(act(node)),
            None => Err(Trouble(format!("nodes \"{node}\" not found"))),
        }
    }
}

#[async_trait]
impl Nodes for FakeNodes {
    async fn look(&self, _: &App, cluster: &ClusterName) -> Option<BTreeMap<String, NodeLook>> {
        if *self.is_silent.lock().unwrap() || cluster.as_str() != "prod" {
            return None;
        }
        let nodes = self.nodes();
        Some(
            nodes
                .iter()
                .map(|(name, node)| (name.clone(), node.look.clone()))
                .collect(),
        )
    }

    async fn cordon(&self, _: &App, cluster: &ClusterName, node: &str) -> Result<(), Trouble> {
        self.on(cluster, node, |node| node.look.is_cordoned_by_us = true)
    }

    async fn uncordon(&self, _: &App, cluster: &ClusterName, node: &str) -> Result<(), Trouble> {
        self.on(cluster, node, |node| node.look.is_cordoned_by_us = false)
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
    }
}
