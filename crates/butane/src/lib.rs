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
//! `saphyr-parser` reads the YAML. It was chosen because its events come one by one (nothing recurses), know where they
//! stand and keep scalar styles, tags and aliases: `"0644"` is no number but `0644` is, and the expansion of aliases can
//! be counted. `libyaml-safer` is closer to Butane's own reader, but panics on some texts and looks through all open
//! simple keys for each token. The module `yaml` puts the events into an arena of nodes and makes up for what YAML 1.1
//! has and saphyr, which speaks YAML 1.2, has not: one `%YAML 1.1` only, all line breaks, no `\/`, no tab before a block
//! text, no key left out before a `:`, and the places that Butane names for block texts, lists and nulls.
//!
//! What still differs from Butane is rare. Refused here only: lists in brackets and mappings in braces nested deeper
//! than 255 levels, lines of a quoted text or of brackets indented no deeper than what they belong to, the escape `\'`,
//! a byte order mark inside the text, a line separator (U+2028, U+2029) outside quotes. Accepted here only: some tabs and
//! names of anchors that YAML 1.2 allows, and keys of more than 1024 characters in braces. Where YAML is wrong, line and
//! column are saphyr's.
//!
//! # Limits
//!
//! Nesting ends at 10,000 levels (255 in brackets and braces), merges (`<<`) at 64. What is read through aliases is bounded by Butane's own ratio
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
