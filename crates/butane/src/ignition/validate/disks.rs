//! Disks, partitions, filesystems and arrays.

use std::collections::HashSet;

use super::{Check, filled, path_error};
use crate::ignition::types::{Disk, Filesystem, Partition, Raid};

/// The longest label of a partition, in bytes.
const PARTITION_LABEL_MAX: usize = 36;

impl Check {
    pub(super) fn disk(&mut self, disk: &Disk) {
        if disk.device.is_empty() {
            self.error("device", "a disk needs a device");
        } else {
            self.error_if("device", path_error(&disk.device));
        }
        let partitions = &disk.partitions;
        let numbers = partitions
            .iter()
            .map(|partition| partition.number)
            .filter(|number| *number != 0);
        if twice(numbers) {
            self.error("partitions", "two partitions have the same number");
        }
        if twice(partitions.iter().filter_map(|partition| partition.label.as_deref())) {
            self.error("partitions", "two partitions have the same label");
        }
        if overlap(partitions) {
            self.error("partitions", "partitions overlap");
        }
        let absent = partitions.iter().any(|partition| partition.should_exist == Some(false));
        if absent && partitions.iter().any(|partition| partition.number == 0) {
            self.error(
                "partitions",
                "partitions without number and partitions that should not exist do not go together",
            );
        }
        self.each("partitions", partitions, Self::partition);
    }

    fn partition(&mut self, partition: &Partition) {
        let described = partition.label.is_some()
            || filled(partition.type_guid.as_ref())
            || filled(partition.guid.as_ref())
            || partition.start_mib.is_some()
            || partition.size_mib.is_some();
        if partition.should_exist == Some(false) && described {
            self.error_here("a partition that should not exist takes nothing but a number");
        }
        if partition.number == 0 && partition.label.is_none() {
            self.error_here("a partition needs a number from 1 on or a label");
        }
        if let Some(label) = &partition.label {
            if label.len() > PARTITION_LABEL_MAX {
                self.error("label", "a partition's label may not be longer than 36 bytes");
            } else if label.contains(':') {
                self.error("label", "a partition's label would be cut off at the colon");
            }
        }
        for (key, guid) in [("guid", &partition.guid), ("typeGuid", &partition.type_guid)] {
            if guid.as_deref().is_some_and(|guid| !is_guid(guid)) {
                self.error(key, "a GUID has the form 01234567-89AB-CDEF-EDCB-A98765432101");
            }
        }
    }

    pub(super) fn filesystem(&mut self, filesystem: &Filesystem) {
        if let Some(path) = filesystem.path.as_deref().filter(|path| !path.is_empty()) {
            self.error_if("path", path_error(path));
        }
        self.error_if("device", path_error(&filesystem.device));
        match filesystem.format.as_deref().filter(|format| !format.is_empty()) {
            None => {
                let described = filled(filesystem.path.as_ref())
                    || filled(filesystem.label.as_ref())
                    || filled(filesystem.uuid.as_ref())
                    || filesystem.wipe_filesystem == Some(true)
                    || !filesystem.options.is_empty()
                    || !filesystem.mount_options.is_empty();
                if described {
                    self.error("format", "a filesystem that says anything else must say its format");
                }
            }
            Some("ext4" | "btrfs" | "xfs" | "vfat" | "swap") => {}
            Some("none") if self.minor >= 3 => {}
            Some(_) => self.error("format", "the format must be ext4, btrfs, xfs, vfat or swap"),
        }
        if let Some(label) = filesystem.label.as_deref().filter(|label| !label.is_empty()) {
            self.label(label, filesystem.format.as_deref());
        }
    }

    fn label(&mut self, label: &str, format: Option<&str>) {
        let most = match format {
            None | Some("") => {
                self.error("label", "a label needs a format");
                return;
            }
            Some("ext4") => 16,
            Some("btrfs") => 256,
            Some("xfs") => 12,
            Some("swap") => 15,
            Some("vfat") => 11,
            Some(_) => return,
        };
        if label.len() > most {
            let format = format.unwrap_or_default();
            self.error(
                "label",
                format!("a label of {format} may not be longer than {most} bytes"),
            );
        }
    }

    pub(super) fn raid(&mut self, raid: &Raid) {
        match raid.level.as_deref().unwrap_or_default() {
            "" if self.minor >= 3 => self.error("level", "an array needs a level"),
            "linear" | "raid0" | "0" | "stripe" => {
                if raid.spares.is_some_and(|spares| spares != 0) {
                    self.error("level", "arrays of this level have no spares");
                }
            }
            "raid1" | "1" | "mirror" | "raid4" | "4" | "raid5" | "5" | "raid6" | "6" | "raid10" | "10" => {}
            _ => self.error(
                "level",
                "the level must be linear, raid0, raid1, raid4, raid5, raid6 or raid10",
            ),
        }
        if raid.devices.is_empty() && self.minor >= 3 {
            self.error("devices", "an array needs devices");
        }
        self.each("devices", &raid.devices, |check, device| {
            if let Some(message) = path_error(device) {
                check.error_here(message);
            }
        });
    }
}

fn twice<T: std::hash::Hash + Eq>(items: impl Iterator<Item = T>) -> bool {
    let mut seen = HashSet::new();
    items.into_iter().any(|item| !seen.insert(item))
}

/// Whether two partitions that say both where they begin and how large they are share a MiB.
fn overlap(partitions: &[Partition]) -> bool {
    let mut spans: Vec<(i64, i64)> = partitions
        .iter()
        .filter_map(|partition| {
            let (start, size) = (partition.start_mib?, partition.size_mib?);
            // Where it begins is not known for 0; how far it goes is not known for a size of 0.
            let end = if size == 0 {
                start
            } else {
                start.saturating_add(size).saturating_sub(1)
            };
            (start != 0).then_some((start, end))
        })
        .collect();
    spans.sort_unstable();
    let mut reached: Option<i64> = None;
    for (start, end) in spans {
        if reached.is_some_and(|reached| start <= reached) {
            return true;
        }
        reached = Some(reached.map_or(end, |reached| reached.max(end)));
    }
    false
}

fn is_guid(text: &str) -> bool {
    text.is_empty()
        || (text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            }))
}
