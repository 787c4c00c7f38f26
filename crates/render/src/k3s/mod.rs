//! What k3s reads and how it is run: its config, its unit, and the link file for flannel's interfaces.

mod config;
mod unit;

pub use config::{Membership, NodeConfig, node_config};
pub(crate) use unit::{FLANNEL_LINK, FLANNEL_LINK_PATH, unit};
