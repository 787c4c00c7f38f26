//! Templates go on top of the installed config by Ignition's merge rules: in the order of their numbers, then of their
//! names; what a later one says wins.

use std::collections::BTreeSet;

use thirdboot_butane::ignition::{Config, Version, merge, validate};
use thirdboot_lifecycle::Host;

use super::{Fault, Template, facts};

/// The templates of one host, in the order in which they are merged.
#[derive(Debug, Clone, Copy)]
pub struct Overlay<'a>(pub &'a [&'a Template]);

impl Overlay<'_> {
    /// None.
    pub const NONE: Self = Self(&[]);

    /// What of `host` these templates can see, with its role: two hosts with the same get the same on top of the same.
    #[must_use]
    pub fn sight(&self, host: &Host) -> Vec<u8> {
        let all = facts::of(host);
        let mut sight = host.role.as_str().as_bytes().to_vec();
        for template in self.0 {
            sight.push(0);
            sight.extend(template.name.as_bytes());
            sight.push(0);
            sight.extend(facts::projection(&all, &template.used));
        }
        sight
    }
}

/// Renders and merges.
pub(crate) fn on_top(base: Config, overlay: Overlay<'_>, host: &Host) -> Result<Config, Vec<Fault>> {
    let facts = facts::of(host);
    let mut whole = base;
    for template in overlay.0 {
        let mut config = template.render_with(&facts)?;
        // Ignition lifts an older config to the newer version before it merges.
        let newer = version(&whole).max(version(&config)).to_string();
        whole.ignition.version.clone_from(&newer);
        config.ignition.version = newer;
        whole = merge(&whole, &config);
    }
    if overlay.0.is_empty() {
        return Ok(whole);
    }
    let report = validate(&whole, version(&whole));
    let mut faults: Vec<Fault> = report
        .errors()
        .map(|entry| Fault::whole(&overlay.names(), format!("merged: {entry}")))
        .collect();
    faults.extend(nested(&whole).map(|what| Fault::whole(&overlay.names(), what)));
    if faults.is_empty() { Ok(whole) } else { Err(faults) }
}

impl Overlay<'_> {
    fn names(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|template| template.name()).collect();
        names.join(" + ")
    }
}

fn version(config: &Config) -> Version {
    config.ignition.version.parse().unwrap_or(Version::NEWEST)
}

/// A node below a file: Ignition finds that out on the machine, where it is too late.
fn nested(config: &Config) -> Option<String> {
    let storage = &config.storage;
    let files: BTreeSet<&str> = storage.files.iter().map(|file| file.path.as_str()).collect();
    let nodes = (storage.files.iter().map(|file| &file.path))
        .chain(storage.directories.iter().map(|directory| &directory.path))
        .chain(storage.links.iter().map(|link| &link.path));
    for path in nodes {
        let above = path
            .match_indices('/')
            .map(|(at, _)| &path[..at])
            .find(|above| files.contains(above));
        if let Some(file) = above {
            return Some(format!("{path} lies below the file {file}"));
        }
    }
    None
}
