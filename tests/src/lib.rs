//! What the end-to-end tests are told with.
//!
//! [`Site`] is one running server with its data folder, its assets and an admin's client;
//! [`host`] is a machine that knows docs/boot-protocol.md and nothing else of Thirdboot. The
//! stories are in `tests/`.

pub mod admin;
pub mod assets;
pub mod bound;
pub mod firewall;
pub mod host;
pub mod ignition;
pub mod metadata;
pub mod metal;
pub mod proxy;
pub mod secrets;
pub mod server;
pub mod site;
pub mod standins;
pub mod terraform;
pub mod vm;
pub mod wait;
pub mod zincati;

pub use admin::Admin;
pub use host::Machine;
pub use server::TestServer;
pub use site::Site;
