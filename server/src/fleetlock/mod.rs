//! Reboot locks: who may be disrupted now. Zincati and the monthly reboot ask by the FleetLock protocol, a new install
//! by its claim; the store decides (`thirdboot_lifecycle::decide_lock`), and what takes time is the [`worker`]'s.

mod asking;
mod book;
mod drains;
mod errands;
mod nodes;
mod patience;
mod wire;
pub(crate) mod worker;

pub(crate) use asking::{before_claim, claim_was_refused};
pub(crate) use book::LockBook;
#[cfg(test)]
pub(crate) use nodes::NoNodes;
pub(crate) use nodes::{DrainLook, NodeLook, Nodes, Trouble};
pub(crate) use wire::{pre_reboot, steady_state};

#[cfg(test)]
mod stories;
