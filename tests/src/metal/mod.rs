//! Virtual metal: whole machines, from power-on to ready, against the real server.
//!
//! A [`Rig`] is a server, a mirror of packages and a folder that keeps what was seen. A
//! [`Machine`] is hardware: firmware, network cards on wires, disks that outlive a power cut.
//! Switched on it is [`Powered`], and can be waited for and unplugged. What it boots is made by
//! `tests/metal/os` and described in docs/metal.md.

pub mod cluster;
pub mod disk;
pub mod lvm;
pub mod machine;
pub mod mirror;
pub mod os;
pub mod partner;
pub mod rig;
pub mod serial;
pub mod signatures;
pub mod timeline;

pub use disk::Disk;
pub use machine::{Card, Machine, Powered, Wire};
pub use rig::Rig;
