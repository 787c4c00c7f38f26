//! Only a permit says what may be wiped. A template may shape the disk that was just installed, and use what it finds
//! on others; it never destroys anything there.

use std::collections::BTreeSet;

use thirdboot_butane::{Report, ignition::Config};

use super::rules::{at, refuse};

/// Ignition's own name of the disk that the system was installed to.
const BOOT_DISK: &str = "/dev/disk/by-id/coreos-boot-disk";

const WHY: &str = "only a permit says which disks may be wiped: a template may do this to the installed disk alone \
                   (/dev/disk/by-id/coreos-boot-disk)";

pub(super) fn broken(config: &Config, report: &mut Report) {
    let storage = &config.storage;
    let ours = installed_devices(config);
    for (index, disk) in storage
        .disks
        .iter()
        .enumerate()
        .filter(|(_, disk)| disk.device != BOOT_DISK)
    {
        let here = at(&["storage", "disks"]).join(index);
        if disk.wipe_table == Some(true) {
            refuse(report, here.join("wipeTable"), WHY);
        }
        for (nth, partition) in disk.partitions.iter().enumerate() {
            let said = [
                ("wipePartitionEntry", partition.wipe_partition_entry == Some(true)),
                ("shouldExist", partition.should_exist == Some(false)),
                ("resize", partition.resize == Some(true)),
            ];
            for (key, _) in said.into_iter().filter(|(_, is_said)| *is_said) {
                refuse(report, here.join("partitions").join(nth).join(key), WHY);
            }
        }
    }
    for (index, filesystem) in storage.filesystems.iter().enumerate() {
        if filesystem.wipe_filesystem == Some(true) && !ours.contains(&filesystem.device) {
            refuse(
                report,
                at(&["storage", "filesystems"]).join(index).join("wipeFilesystem"),
                WHY,
            );
        }
    }
    for (index, luks) in storage.luks.iter().enumerate() {
        let device = luks.device.clone().unwrap_or_default();
        if luks.wipe_volume == Some(true) && !ours.contains(&device) {
            refuse(report, at(&["storage", "luks"]).join(index).join("wipeVolume"), WHY);
        }
    }
    for (index, _) in storage.raid.iter().enumerate() {
        // Ignition makes arrays with --force, whatever the disks held.
        refuse(
            report,
            at(&["storage", "raid"]).join(index),
            format!("an array is made over whatever its disks hold; {WHY}"),
        );
    }
}

/// The root partition, the partitions that the config makes on the installed disk, and what is encrypted on those.
fn installed_devices(config: &Config) -> BTreeSet<String> {
    let mut devices: BTreeSet<String> = [by_label("root")].into();
    for disk in config.storage.disks.iter().filter(|disk| disk.device == BOOT_DISK) {
        devices.extend(
            disk.partitions
                .iter()
                .filter_map(|partition| partition.label.as_deref())
                .map(by_label),
        );
    }
    // One level: a volume in a volume is nobody's use.
    let inside = config
        .storage
        .luks
        .iter()
        .filter(|luks| luks.device.as_ref().is_some_and(|device| devices.contains(device)));
    let mapped: Vec<String> = inside
        .flat_map(|luks| {
            [
                format!("/dev/mapper/{}", luks.name),
                format!("/dev/disk/by-id/dm-name-{}", luks.name),
            ]
        })
        .collect();
    devices.extend(mapped);
    devices
}

fn by_label(label: &str) -> String {
    format!("/dev/disk/by-partlabel/{label}")
}
