//! Clusters: their secrets, what is seen of them from here, and who joins when.
//!
//! Who may begin and whose turn it is, `thirdboot_lifecycle` decides; here is what that needs to know. A join never
//! waits for a cluster: what it goes by was seen by the [`worker`] a moment ago. Reboot locks are asked for in the moment
//! ([`KubeNodes`]), and their handlers wait a few seconds at most (`crate::fleetlock`).

mod access;
mod drain;
mod join;
mod material;
mod nodes;
mod place;
mod probe;
mod sealed;
mod tokens;
mod watched;
pub(crate) mod worker;

pub(crate) use access::Access;
pub(crate) use drain::KubeNodes;
pub(crate) use join::seat;
pub(crate) use material::{K3S, has_binary};
pub(crate) use place::place;
pub(crate) use sealed::{open_access, open_tokens, seal_access, seal_anew, seal_tokens};
pub(crate) use tokens::Tokens;
pub(crate) use watched::ApiSeen;
pub(crate) use watched::{Seen, Watched};

#[cfg(test)]
mod fake;
#[cfg(test)]
pub(crate) use fake::handed_in;
