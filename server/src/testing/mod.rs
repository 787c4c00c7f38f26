//! One line of set-up: both planes over a real store in a temporary folder, on a clock that a test moves.

mod asking;
mod browser;
mod clusters;
mod document;
mod logged;
mod machines;
pub(crate) mod mirror;
mod reply;
mod site;
mod upstream;

pub(crate) use browser::{PASSWORD, form_token};
pub(crate) use clusters::K3S_BYTES;
pub(crate) use document::fits;
pub(crate) use logged::Logged;
pub(crate) use machines::{BOOT_ID, mac};
pub(crate) use mirror::{VERSION, bytes as sample_bytes};
pub(crate) use reply::Reply;
pub(crate) use site::TestApp;
pub(crate) use upstream::Upstream;
