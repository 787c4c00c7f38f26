//! Butane (variant `fcos`, versions 1.0 to 1.7) to Ignition (3.0 to 3.6), Ignition's merge and Ignition's validation.
//!
//! Pure: no network, no clock. Files are read only if [`Options::files_dir`] says from where.
//!
//! ```
//! use thirdboot_butane::{Options, translate};
//!
//! let butane = b"variant: fcos
//! version: 1.5.0
//! storage:
//!   files:
//!     - path: /etc/hostname
//!       mode: 0644
//!       contents: {inline: node-1}
//! ";
//! let (json, report) = translate(butane, &Options::default())?;
//! assert!(report.is_empty());
//! assert!(String::from_utf8_lossy(&json).contains(r#""source":"data:,node-1""#));
//! # Ok::<(), thirdboot_butane::Report>(())
//! ```
//!
//! # How a document is read
//!
//! The YAML reader is this crate's own (the module `yaml`): a scanner and a grammar after libyaml's, which is what
//! Butane's reader descends from, over an arena of nodes. It was chosen over the crates there are for what has to come
//! together here: the very same documents must be accepted and refused as Butane does (tabs, simple keys of at most
//! 1024 characters, one `%YAML 1.1`), every node must know its line and column in characters, aliases must stay
//! aliases so that their expansion can be counted, scalars must keep their style because `"0644"` is no number but
//! `0644` is, and nothing in a hostile document may panic, recurse or take more than linear time. `saphyr-parser`
//! speaks YAML 1.2 and accepts other documents; `libyaml-safer` speaks libyaml's YAML, but panics on some texts and
//! looks through all open simple keys for each token.
//!
//! # Limits
//!
//! Nesting ends at 10,000 levels, merges (`<<`) at 64. What is read through aliases is bounded by Butane's own ratio
//! and, beyond that, by 200,000 nodes and 16 MiB of text.

#[cfg(feature = "cli")]
pub mod cli;

mod check;
mod dataurl;
mod decode;
mod document;
mod excerpt;
pub mod ignition;
mod options;
mod path;
mod report;
mod schema;
mod text;
mod translate;
mod yaml;

pub use document::{Document, Position};
pub use excerpt::excerpt;
pub use options::Options;
pub use path::{Path, Segment};
pub use report::{Entry, Kind, Report, Stage};

/// Translates a Butane document to Ignition's JSON.
///
/// # Errors
/// The report says what is wrong with the document. With [`Options::strict`] a warning is enough.
pub fn translate(bytes: &[u8], options: &Options) -> Result<(Vec<u8>, Report), Report> {
    Document::parse(bytes)?.translate(options)
}

/// Translates a Butane document to an Ignition config.
///
/// # Errors
/// The report says what is wrong with the document. With [`Options::strict`] a warning is enough.
pub fn translate_config(bytes: &[u8], options: &Options) -> Result<(ignition::Config, Report), Report> {
    Document::parse(bytes)?.translate_config(options)
}
