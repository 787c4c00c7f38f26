//! Files, directories, links, and the plain parts of the storage.

use super::Translator;
use crate::ignition::{Directory, Disk, File, Filesystem, Link, Owner, Partition, Raid, Storage};
use crate::schema;

/// Up to this minor version Ignition writes some texts even when nothing is said.
const LAST_WITH_PLAIN_TEXTS: u8 = 3;

impl Translator<'_> {
    pub(super) fn storage(&mut self, from: &schema::Storage) {
        let plain_texts = self.minor <= LAST_WITH_PLAIN_TEXTS;
        // Where nothing is said, an empty text stands in older versions.
        let text = |value: &Option<String>| {
            if plain_texts {
                Some(value.clone().unwrap_or_default())
            } else {
                value.clone()
            }
        };
        self.config.storage = self.at("storage", "storage", |this| Storage {
            directories: from.directories.iter().map(directory).collect(),
            disks: from.disks.iter().map(disk).collect(),
            files: this.each("files", "files", &from.files, Self::file),
            filesystems: from.filesystems.iter().map(filesystem).collect(),
            links: from.links.iter().map(|from| link(from, text(&from.target))).collect(),
            luks: this.each("luks", "luks", &from.luks, Self::luks),
            raid: from.raid.iter().map(|from| raid(from, text(&from.level))).collect(),
        });
    }

    fn file(&mut self, from: &schema::File) -> File {
        File {
            group: group(&from.group),
            overwrite: from.overwrite,
            path: from.path.clone(),
            user: user(&from.user),
            append: self.each("append", "append", &from.append, Self::resource),
            contents: self.at("contents", "contents", |this| this.resource(&from.contents)),
            mode: from.mode,
        }
    }
}

pub(super) fn user(from: &schema::NodeUser) -> Owner {
    Owner {
        id: from.id,
        name: from.name.clone(),
    }
}

pub(super) fn group(from: &schema::NodeGroup) -> Owner {
    Owner {
        id: from.id,
        name: from.name.clone(),
    }
}

fn directory(from: &schema::Directory) -> Directory {
    Directory {
        group: group(&from.group),
        overwrite: from.overwrite,
        path: from.path.clone(),
        user: user(&from.user),
        mode: from.mode,
    }
}

fn link(from: &schema::Link, target: Option<String>) -> Link {
    Link {
        group: group(&from.group),
        overwrite: from.overwrite,
        path: from.path.clone(),
        user: user(&from.user),
        hard: from.hard,
        target,
    }
}

fn disk(from: &schema::Disk) -> Disk {
    Disk {
        device: from.device.clone(),
        partitions: from
            .partitions
            .iter()
            .map(|from| Partition {
                guid: from.guid.clone(),
                label: from.label.clone(),
                number: from.number,
                resize: from.resize,
                should_exist: from.should_exist,
                size_mib: from.size_mib,
                start_mib: from.start_mib,
                type_guid: from.type_guid.clone(),
                wipe_partition_entry: from.wipe_partition_entry,
            })
            .collect(),
        wipe_table: from.wipe_table,
    }
}

fn filesystem(from: &schema::Filesystem) -> Filesystem {
    Filesystem {
        device: from.device.clone(),
        format: from.format.clone(),
        label: from.label.clone(),
        mount_options: from.mount_options.clone(),
        options: from.options.clone(),
        path: from.path.clone(),
        uuid: from.uuid.clone(),
        wipe_filesystem: from.wipe_filesystem,
    }
}

fn raid(from: &schema::Raid, level: Option<String>) -> Raid {
    Raid {
        devices: from.devices.clone(),
        level,
        name: from.name.clone(),
        options: from.options.clone(),
        spares: from.spares,
    }
}
