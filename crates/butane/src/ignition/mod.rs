//! Ignition's own configs: typed, merged and validated by Ignition's rules.
//!
//! The structs follow specification 3.6. Older versions lack some fields; [`validate()`] knows which rules an older
//! version has. The crate `ignition-config` was weighed: it has a module for every version and neither merge nor
//! validation, so that every rule would have to be written seven times.

mod hash;
mod keys;
mod merge;
mod parse;
mod shape;
mod storage;
mod types;
mod unit;
mod url;
mod validate;
mod version;

pub use merge::merge;
pub(crate) use merge::{Origin, Side, merge_transcribed};
pub(crate) use parse::read_config;
pub use parse::{from_slice, to_vec};
pub use storage::*;
pub use types::*;
pub(crate) use url::unescape;
pub use validate::{validate, validate_slice};
pub use version::Version;

/// The bytes that a `data:` URL carries, still compressed if they were.
///
/// # Errors
/// Says what is wrong with the URL.
pub fn decode_data_url(url: &str) -> Result<Vec<u8>, &'static str> {
    crate::dataurl::check(url)
}
