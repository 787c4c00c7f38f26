//! Thirdboot's server. The binary wires these rooms together; demo, benches and tests start them in-process.

pub mod api;
mod app;
pub mod assets;
pub mod boot;
mod bounded;
pub mod cli;
mod cluster;
pub mod fleetlock;
pub mod follow;
pub mod metrics;
mod observe;
mod page;
mod path;
pub mod people;
pub mod platform;
pub mod problem;
mod recent;
pub mod reconciler;
pub mod secrets;
pub mod serve;
pub mod settings;
pub mod templates;
#[cfg(test)]
mod testing;
pub mod tls;

pub use app::{App, Parts, Settings};
