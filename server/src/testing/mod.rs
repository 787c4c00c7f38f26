//! One line of set-up: both planes over a real store in a temporary folder, on a clock that a test moves.

mod browser;
mod clusters;
mod logged;
pub(crate) mod mirror;
mod reply;
mod site;
mod upstream;

pub(crate) use browser::PASSWORD;
pub(crate) use clusters::K3S_BYTES;
pub(crate) use logged::Logged;
pub(crate) use mirror::{VERSION, bytes as sample_bytes};
pub(crate) use reply::Reply;
pub(crate) use site::{BOOT_ID, TestApp, mac};
pub(crate) use upstream::Upstream;
