//! The storage as a whole: what lies below what.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Check;
use crate::ignition::{Config, Disk, Filesystem, Link, Storage};

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
        // Of several disks with one device the last one counts.
        let disks: HashMap<&str, &Disk> = storage.disks.iter().map(|disk| (disk.device.as_str(), disk)).collect();
        self.each("filesystems", &storage.filesystems, |check, filesystem| {
            check.on_disk(filesystem, disks.get(filesystem.device.as_str()).copied());
            check.filesystem(filesystem);
        });
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

    /// What happens to a disk that has a filesystem of its own.
    fn on_disk(&mut self, filesystem: &Filesystem, disk: Option<&Disk>) {
        let Some(disk) = disk else { return };
        if !disk.partitions.is_empty() {
            self.warning(
                "device",
                "this filesystem is written over the partitions of the same disk",
            );
        } else if filesystem.wipe_filesystem != Some(true) && disk.wipe_table == Some(true) {
            self.warning("device", "the disk is wiped, and this filesystem with it");
        }
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
        for (key, owner) in [("user", &link.user), ("group", &link.group)] {
            let said = [("id", owner.id.is_some()), ("name", owner.name.is_some())];
            for (part, _) in said.into_iter().filter(|(_, said)| *said) {
                self.at(key, |check| {
                    check.warning(part, "a hard link has the owner of what it leads to");
                });
            }
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
                check(this, &node.path);
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
