//! Every rule of Butane and Ignition that this crate follows, by cases of its own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::format_push_string,
    clippy::format_collect,
    reason = "what fails in these functions fails the test, and documents are put together from pieces"
)]

mod boot_device;
mod checks;
mod contents;
mod document;
mod hostile;
mod inputs;
mod merge;
mod mount_units;
mod mutations;
mod nodes;
mod trees;
mod validate;
mod yaml;

use serde_json::Value;
use thirdboot_butane::{Options, Report, translate};

/// A document of version 1.`minor` with `body` below the header, which takes two lines.
fn document(minor: u8, body: &str) -> String {
    format!("variant: fcos\nversion: 1.{minor}.0\n{body}")
}

/// What a document translates to.
fn json(minor: u8, body: &str) -> Value {
    json_with(minor, body, &Options::default())
}

fn json_with(minor: u8, body: &str, options: &Options) -> Value {
    match translate(document(minor, body).as_bytes(), options) {
        Ok((json, _)) => serde_json::from_slice(&json).unwrap(),
        Err(report) => panic!("1.{minor} refuses:\n{body}\n{report}"),
    }
}

/// What is found in a document, valid or not: `error 3:1` and the like.
fn findings(minor: u8, body: &str) -> Vec<String> {
    findings_with(minor, body, &Options::default())
}

fn findings_with(minor: u8, body: &str, options: &Options) -> Vec<String> {
    places(&match translate(document(minor, body).as_bytes(), options) {
        Ok((_, report)) | Err(report) => report,
    })
}

fn places(report: &Report) -> Vec<String> {
    report
        .entries
        .iter()
        .map(|entry| format!("{} {}:{}", entry.kind, entry.line, entry.column))
        .collect()
}

/// Whether a document is accepted.
fn accepts(minor: u8, body: &str) -> bool {
    translate(document(minor, body).as_bytes(), &Options::default()).is_ok()
}
