//! Clusters: what an admin describes, who may begin one, and whose turn it is to join.
//!
//! The rules here see to it that a cluster is begun once. They are functions of what the store keeps and of what was
//! seen of the cluster from here; docs/clusters.md tells the stories behind them.

mod begin;
mod check;
mod join;
mod labels;
mod spec;
mod state;

pub use begin::{BeginRefused, hand_in, move_init, take_kubeconfig};
pub use check::{InvalidCluster, changed_after_begin, check_cluster};
pub use join::{
    Api, Decision, MAX_AGENTS_AT_ONCE, Member, RETRY_LOOKING_S, RETRY_TURN_S, Seeker, Sight, decide_join, live_slots,
};
pub use labels::{Effect, InvalidLabel, InvalidTaint, NodeLabels, Taint};
pub use spec::{Binary, ClusterSpec, FlannelBackend, K3s, NodeSettings};
pub use state::{Cluster, Holder, Init, Slot};
