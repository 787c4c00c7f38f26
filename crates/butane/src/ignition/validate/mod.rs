//! Ignition's own rules, as functions of the specification's version.

mod disks;
mod luks;
mod network;
mod nodes;
mod storage;
mod units;

use super::Config;
use super::{Version, merge};
use crate::path::{Path, Segment};
use crate::report::{Kind, Report, Stage};

/// Checks a config by the rules of `version`, which it must itself name.
pub fn validate(config: &Config, version: Version) -> Report {
    let mut report = merge::duplicates(config);
    report.merge(check(config, version));
    report.at_stage(Stage::Result)
}

/// Reads and checks a config by the rules of the version it names. Unknown keys are warnings.
pub fn validate_slice(json: &[u8]) -> Report {
    let (config, mut report) = match super::from_slice(json) {
        Ok(read) => read,
        Err(report) => return report,
    };
    match config.ignition.version.parse() {
        Ok(version) => report.merge(validate(&config, version)),
        Err(error) => {
            let path = crate::path::place!["ignition", "version"];
            report.merge(Report::error(path, error.to_string()).at_stage(Stage::Result));
        }
    }
    report
}

/// All rules but the one about duplicates.
fn check(config: &Config, version: Version) -> Report {
    let mut check = Check {
        minor: version.minor(),
        path: Path::root(),
        report: Report::new(),
    };
    check.at("ignition", |check| {
        if config.ignition.version != version.to_string() {
            check.error("version", format!("the version must be {version}"));
        }
        check.network(&config.ignition);
    });
    check.at("storage", |check| check.storage(&config.storage));
    check.at("systemd", |check| check.systemd(&config.systemd));
    check.unit_paths(config);
    check.report
}

/// Where the checking stands.
struct Check {
    minor: u8,
    path: Path,
    report: Report,
}

impl Check {
    /// Checks something one step down.
    fn at(&mut self, segment: impl Into<Segment>, inside: impl FnOnce(&mut Self)) {
        self.path.push(segment);
        inside(self);
        self.path.pop();
    }

    /// Checks every item of a list.
    fn each<T>(&mut self, key: &'static str, list: &[T], inside: impl Fn(&mut Self, &T)) {
        self.at(key, |check| {
            for (index, item) in list.iter().enumerate() {
                check.at(index, |check| inside(check, item));
            }
        });
    }

    fn error_here(&mut self, message: impl Into<String>) {
        self.report.push(Kind::Error, self.path.clone(), message);
    }

    fn error(&mut self, key: &'static str, message: impl Into<String>) {
        self.at(key, |check| check.error_here(message));
    }

    fn warning(&mut self, key: &'static str, message: impl Into<String>) {
        let path = self.path.join(key);
        self.report.push(Kind::Warning, path, message);
    }

    /// Notes an error at `key` if there is one.
    fn error_if(&mut self, key: &'static str, message: Option<&'static str>) {
        if let Some(message) = message {
            self.error(key, message);
        }
    }
}

/// Whether there is a text that is not empty.
fn filled(text: Option<&String>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}

/// What is wrong with the path of a file or device, if anything.
fn path_error(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("a path is missing");
    }
    if !path.starts_with('/') {
        return Some("the path must begin with a slash");
    }
    let clean = path == "/" || path[1..].split('/').all(|part| !matches!(part, "" | "." | ".."));
    (!clean).then_some("the path must not hold empty parts, `.` or `..`, nor end with a slash")
}
