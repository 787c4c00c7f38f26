//! Disks, partitions, filesystems and arrays.

use std::collections::HashSet;

use super::{Check, filled, path_error};
use crate::ignition::{Disk, Filesystem, Partition, Raid};

/// The longest label of a partition, in bytes.
const PARTITION_LABEL_MAX: usize = 36;

impl Check {
    pub(super) fn disk(&mut self, disk: &Disk) {
        if disk.device.is_empty() {
            self.error("device", "a disk needs a device");
        } else {
            self.error_if("device", path_error(&disk.device));
            self.layout(&disk.partitions);
        }
        self.each("partitions", &disk.partitions, Self::partition);
    }

    /// How the partitions go together.
    fn layout(&mut self, partitions: &[Partition]) {
        self.at("partitions", |check| {
            let numbers = partitions
                .iter()
                .map(|partition| (partition.number != 0).then_some(partition.number));
            if let Some(index) = repeated(numbers) {
                check.at(index, |check| check.error_here("another partition has the same number"));
            }
            if let Some(index) = overlapping(partitions) {
                check.at(index, |check| check.error_here("partitions overlap"));
            }
            let absent = partitions.iter().any(|partition| partition.should_exist == Some(false));
            if absent && partitions.iter().any(|partition| partition.number == 0) {
                check.error_here("partitions without number do not go together with ones that should not exist");
            }
            if let Some(index) = repeated(partitions.iter().map(|partition| partition.label.as_deref())) {
                check.at(index, |check| check.error_here("another partition has the same label"));
            }
        });
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

/// The index of the first item that was there before.
fn repeated<T: std::hash::Hash + Eq>(items: impl Iterator<Item = Option<T>>) -> Option<usize> {
    let mut seen = HashSet::new();
    items
        .enumerate()
        .find_map(|(index, item)| item.is_some_and(|item| !seen.insert(item)).then_some(index))
}

/// Where a partition lies, if it says both where it begins and how large it is.
fn span(partition: &Partition) -> Option<(i64, i64)> {
    let (start, size) = (partition.start_mib?, partition.size_mib?);
    // A start of 0 means anywhere. A size of 0 means as far as there is room, so that only the start is known.
    let end = if size == 0 {
        start
    } else {
        start.saturating_add(size).saturating_sub(1)
    };
    (start != 0).then_some((start, end))
}

/// Of the first partition that shares a MiB with another one, the first such other one.
fn overlapping(partitions: &[Partition]) -> Option<usize> {
    let mut spans: Vec<(i64, i64, usize)> = partitions
        .iter()
        .enumerate()
        .filter_map(|(index, at)| span(at).map(|(from, to)| (from, to, index)))
        .collect();
    spans.sort_unstable();
    let mut reach: Option<(i64, usize)> = None;
    let mut first: Option<usize> = None;
    for &(start, end, index) in &spans {
        if let Some((reached, other)) = reach
            && start <= reached
        {
            first = Some(first.unwrap_or(index).min(index).min(other));
        }
        if reach.is_none_or(|(reached, _)| end > reached) {
            reach = Some((end, index));
        }
    }
    let first = first?;
    let (from, to) = partitions.get(first).and_then(span)?;
    partitions.iter().enumerate().find_map(|(index, other)| {
        let (start, end) = span(other)?;
        (index != first && start <= to && end >= from).then_some(index)
    })
}

fn is_guid(text: &str) -> bool {
    text.is_empty()
        || (text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            }))
}
