//! A fleet of simulated hosts over real HTTP.
//!
//! Each [`Machine`] does what a real one does, by docs/boot-protocol.md alone: it asks for its script, fetches what the
//! script names, unpacks the pointer, checks the live config's hash, reads its secrets out of the configs, claims,
//! reports with sequence numbers, keeps unsent reports over reboots, joins. A [`Fault`] makes it fail in one of the ways
//! that are seen in the field; each says what end it is meant to come to.
//!
//! Machines are made by a [`Fleet`]; what they do can be followed on its channel. Time is simulated by a [`Pace`]:
//! a minute of POST takes two seconds at a speed of 30.

mod cluster;
mod cpio;
mod fault;
mod fleet;
mod hardware;
mod ignition;
mod installed;
mod keyfile;
mod live;
mod machine;
mod pace;
mod progress;
mod reporter;
mod script;
#[cfg(test)]
mod tests;
mod updates;
mod wire;

pub use cluster::Clusters;
pub use fault::{Fault, Meant};
pub use fleet::Fleet;
pub use hardware::Hardware;
pub use machine::{Machine, Outcome};
pub use pace::Pace;
pub use progress::{Progress, Step};
pub use wire::Wire;
