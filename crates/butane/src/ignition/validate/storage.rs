//! The storage as a whole: what lies below what.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Check;
use crate::ignition::types::{Config, Link, Storage};

impl Check {
    pub(super) fn storage(&mut self, storage: &Storage) {
        let links = Links::new(&storage.links);
        self.each("directories", &storage.directories, |check, directory| {
            check.below(&links, &directory.path);
            check.directory(directory);
        });
        self.each("disks", &storage.disks, Self::disk);
        self.each("files", &storage.files, |check, file| {
            check.below(&links, &file.path);
            check.file(file);
        });
        self.each("filesystems", &storage.filesystems, Self::filesystem);
        let directories: HashMap<&str, usize> =
            storage
                .directories
                .iter()
                .fold(HashMap::new(), |mut counts, directory| {
                    *counts.entry(directory.path.as_str()).or_default() += 1;
                    counts
                });
        self.each("links", &storage.links, |check, link| {
            check.below(&links, &link.path);
            check.link(link);
            check.link_target(link, &directories);
        });
        self.each("luks", &storage.luks, Self::luks);
        self.each("raid", &storage.raid, Self::raid);
    }

    fn below(&mut self, links: &Links<'_>, path: &str) {
        for _ in 0..links.above(path) {
            self.error_here("this path leads through a link that the config declares");
        }
    }

    fn link_target(&mut self, link: &Link, directories: &HashMap<&str, usize>) {
        let target = link.target.as_deref().unwrap_or_default();
        if target.is_empty() && self.minor >= 3 {
            self.error("target", "a link needs a target");
            return;
        }
        if link.hard != Some(true) {
            return;
        }
        let target = if target.starts_with('/') {
            clean(target)
        } else {
            clean(&format!("{}/{target}", link.path))
        };
        for _ in 0..directories.get(target.as_str()).copied().unwrap_or(0) {
            self.error_here("a hard link cannot lead to a directory");
        }
    }

    /// A node where a unit's file will be written.
    pub(super) fn unit_paths(&mut self, config: &Config) {
        let mut taken = HashSet::new();
        for unit in &config.systemd.units {
            if super::filled(unit.contents.as_ref()) {
                taken.insert(format!("/etc/systemd/system/{}", unit.name));
            }
            for dropin in &unit.dropins {
                if super::filled(dropin.contents.as_ref()) {
                    taken.insert(format!("/etc/systemd/system/{}.d/{}", unit.name, dropin.name));
                }
            }
        }
        let check = |check: &mut Self, path: &str| {
            if taken.contains(path) {
                check.error("path", "a unit or drop-in of this config is written to the same path");
            }
        };
        let storage = &config.storage;
        self.at("storage", |this| {
            this.each("files", &storage.files, |this, node| check(this, &node.path));
            this.each("directories", &storage.directories, |this, node| {
                check(this, &node.path)
            });
            this.each("links", &storage.links, |this, node| check(this, &node.path));
        });
    }
}

/// The paths of all links, for asking what lies above a path.
struct Links<'c> {
    counts: HashMap<&'c str, usize>,
    lengths: BTreeSet<usize>,
}

impl<'c> Links<'c> {
    fn new(links: &'c [Link]) -> Self {
        let mut counts = HashMap::new();
        for link in links {
            *counts.entry(link.path.as_str()).or_default() += 1;
        }
        let lengths = counts.keys().map(|path| path.len()).collect();
        Self { counts, lengths }
    }

    /// How many links lie above `path`.
    fn above(&self, path: &str) -> usize {
        self.lengths
            .range(..path.len())
            .filter(|len| path.as_bytes().get(**len) == Some(&b'/'))
            .filter_map(|len| self.counts.get(path.get(..*len)?))
            .sum()
    }
}

/// The shortest name of an absolute path.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
