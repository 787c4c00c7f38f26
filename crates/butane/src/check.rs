//! Butane's own rules for a document, before anything is translated.

mod boot_device;
mod mode;

use crate::ignition::{self, Version};
use crate::path::{Path, Segment};
use crate::report::{Kind, Report};
use crate::schema::{Config, Filesystem, Reference, Resource, Storage, Unit};

/// The one disk whose partitions may be reused by label.
const BOOT_DISK: &str = "/dev/disk/by-id/coreos-boot-disk";

/// Checks a document of version 1.`minor`, which translates to `target`.
pub(crate) fn check(config: &Config, minor: u8, target: Version) -> Report {
    let mut check = Check {
        minor,
        target,
        path: Path::root(),
        report: Report::new(),
    };
    check.config(config);
    check.report
}

struct Check {
    minor: u8,
    target: Version,
    path: Path,
    report: Report,
}

impl Check {
    fn at(&mut self, segment: impl Into<Segment>, inside: impl FnOnce(&mut Self)) {
        self.path.push(segment);
        inside(self);
        self.path.pop();
    }

    fn each<T>(&mut self, key: &'static str, list: &[T], inside: impl Fn(&mut Self, &T)) {
        self.at(key, |check| {
            for (index, item) in list.iter().enumerate() {
                check.at(index, |check| inside(check, item));
            }
        });
    }

    fn push(&mut self, kind: Kind, key: &'static str, message: impl Into<String>) {
        let path = self.path.join(key);
        self.report.push(kind, path, message);
    }

    fn error(&mut self, key: &'static str, message: impl Into<String>) {
        self.push(Kind::Error, key, message);
    }

    fn warning(&mut self, key: &'static str, message: impl Into<String>) {
        self.push(Kind::Warning, key, message);
    }

    fn config(&mut self, config: &Config) {
        self.at("ignition", |check| {
            check.at("config", |check| {
                check.each("merge", &config.ignition.config.merge, Self::further_config);
                check.at("replace", |check| check.further_config(&config.ignition.config.replace));
            });
            check.at("security", |check| {
                check.at("tls", |check| {
                    let authorities = &config.ignition.security.tls.certificate_authorities;
                    check.each("certificate_authorities", authorities, |check, authority| {
                        check.resource(&authority.0);
                    });
                });
            });
        });
        self.at("storage", |check| {
            check.storage(&config.storage, &config.boot_device.mirror.devices);
        });
        self.at("systemd", |check| {
            check.each("units", &config.systemd.units, Self::unit);
        });
        self.at("boot_device", |check| check.boot_device(&config.boot_device));
        self.at("grub", |check| {
            check.each("users", &config.grub.users, |check, user| {
                if user.name.is_empty() {
                    check.error("name", "a GRUB user needs a name");
                }
                if user.password_hash.as_ref().is_none_or(String::is_empty) {
                    check.error("password_hash", "a GRUB user needs a password hash");
                }
            });
        });
    }

    fn storage(&mut self, storage: &Storage, mirror: &[String]) {
        self.each("disks", &storage.disks, |check, disk| {
            // The disks of a mirror are wiped.
            let fresh = disk.wipe_table == Some(true) || mirror.contains(&disk.device);
            if check.minor < 6 || disk.device == BOOT_DISK || fresh {
                return;
            }
            check.each("partitions", &disk.partitions, |check, partition| {
                if partition.number == 0 && partition.label.is_some() {
                    check.warning(
                        "number",
                        format!("without a number a partition is never reused, save on {BOOT_DISK} or with wipe_table"),
                    );
                }
            });
        });
        self.each("directories", &storage.directories, |check, directory| {
            check.mode(directory.mode, true);
        });
        self.each("files", &storage.files, |check, file| {
            check.mode(file.mode, false);
            check.at("contents", |check| check.resource(&file.contents));
            check.each("append", &file.append, Self::resource);
        });
        self.each("filesystems", &storage.filesystems, Self::filesystem);
        self.each("luks", &storage.luks, |check, luks| {
            check.at("key_file", |check| check.resource(&luks.key_file));
        });
        self.each("trees", &storage.trees, |check, tree| {
            if tree.local.is_empty() {
                let path = check.path.clone();
                check.report.push(Kind::Error, path, "a tree needs a local directory");
            }
        });
    }

    fn mode(&mut self, mode: Option<i64>, directory: bool) {
        if mode.is_some_and(|mode| mode::looks_decimal(mode, directory)) {
            self.warning(
                "mode",
                "this mode is unusual, and usual if it were octal; write a zero before it",
            );
        }
    }

    fn filesystem(&mut self, filesystem: &Filesystem) {
        if filesystem.with_mount_unit != Some(true) {
            return;
        }
        let (path, format) = (
            filesystem.path.as_deref(),
            filesystem.format.as_deref().unwrap_or_default(),
        );
        let allowed = |path: &str| {
            ["/etc", "/var"].iter().any(|top| {
                path.strip_prefix(top)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        if self.minor >= 6 && path.is_some_and(|path| !allowed(path)) {
            self.error("path", "with a mount unit the path must lie below /etc or /var");
        }
        if format.is_empty() {
            self.error("format", "a mount unit needs the format");
        } else if path.unwrap_or_default().is_empty() && !(format == "swap" && self.minor >= SWAP_SINCE) {
            self.error("path", "a mount unit needs a path");
        }
    }

    fn unit(&mut self, unit: &Unit) {
        const BOTH: &str = "say either contents or contents_local, not both";
        if unit.contents.is_some() && unit.contents_local.is_some() {
            self.error("contents_local", BOTH);
        }
        self.each("dropins", &unit.dropins, |check, dropin| {
            if dropin.contents.is_some() && dropin.contents_local.is_some() {
                check.error("contents_local", BOTH);
            }
        });
    }

    /// Says whether there is at most one source.
    fn resource_is_single(&mut self, resource: &Resource) -> bool {
        let given = [
            ("local", resource.local.is_some()),
            ("inline", resource.inline.is_some()),
            ("source", resource.source.is_some()),
        ];
        let mut given = given.into_iter().filter(|(_, given)| *given);
        let (first, last) = (given.next(), given.next_back());
        match (first, last) {
            (Some(_), Some((last, _))) => {
                // Version 1.0 blames the inline content in any case.
                self.error(
                    if self.minor == 0 { "inline" } else { last },
                    "say only one of inline, local and source",
                );
                false
            }
            _ => true,
        }
    }

    fn resource(&mut self, resource: &Resource) {
        self.resource_is_single(resource);
    }

    /// A further config: what is written inline must be valid by itself.
    fn further_config(&mut self, reference: &Reference) {
        if !self.resource_is_single(&reference.0) {
            return;
        }
        let Some(inline) = &reference.0.inline else { return };
        match ignition::read_config(&inline.0) {
            Err(message) => {
                self.report.push(Kind::Error, Path::root(), message);
                self.error("inline", "this is not an Ignition config");
            }
            Ok((config, unknown)) => {
                let version = &config.ignition.version;
                if is_version(version) && *version != self.target.to_string() {
                    let path = self.path.clone();
                    let message = format!(
                        "a config of version {version} is not checked; this document's is {}",
                        self.target
                    );
                    self.report.push(Kind::Warning, path, message);
                    return;
                }
                self.report.merge(ignition::validate(&config, self.target));
                self.report.merge(unknown);
            }
        }
    }
}

/// Since which minor version a mount unit can be that of a swap device.
pub(crate) const SWAP_SINCE: u8 = 4;

/// Whether `text` is a version at all, be it one nobody knows.
fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let mut parts = core.split('.');
    let numbers = parts
        .by_ref()
        .take(3)
        .filter(|part| part.parse::<i64>().is_ok())
        .count();
    numbers == 3 && parts.next().is_none()
}
