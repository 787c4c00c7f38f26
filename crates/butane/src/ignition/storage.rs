//! Disks, filesystems and files of a config, as in specification 3.6.

use serde::{Deserialize, Serialize};

use super::shape::record;
use super::types::Resource;

record! {
    @data
    /// Disks, filesystems and files.
    Storage {
        /// Directories.
        directories: Vec<Directory> = "directories",
        /// Disks.
        disks: Vec<Disk> = "disks",
        /// Files.
        files: Vec<File> = "files",
        /// Filesystems.
        filesystems: Vec<Filesystem> = "filesystems",
        /// Links.
        links: Vec<Link> = "links",
        /// Encrypted volumes (3.2).
        luks: Vec<Luks> = "luks",
        /// Arrays of disks.
        raid: Vec<Raid> = "raid",
    }
}

record! {
    /// Who owns a node: a user or a group, by number or by name.
    Owner {
        /// The number.
        id: Option<i64> = "id",
        /// The name.
        name: Option<String> = "name",
    }
}

record! {
    /// A directory.
    Directory {
        /// The group.
        group: Owner = "group",
        /// Whether what is there is removed first.
        overwrite: Option<bool> = "overwrite",
        /// Where.
        path: String = "path" always,
        /// The owner.
        user: Owner = "user",
        /// The permissions.
        mode: Option<i64> = "mode",
    }
}

record! {
    /// A file.
    File {
        /// The group.
        group: Owner = "group",
        /// Whether what is there is removed first.
        overwrite: Option<bool> = "overwrite",
        /// Where.
        path: String = "path" always,
        /// The owner.
        user: Owner = "user",
        /// Contents added at the end.
        append: Vec<Resource> = "append" append,
        /// The content.
        contents: Resource = "contents",
        /// The permissions.
        mode: Option<i64> = "mode",
    }
}

record! {
    /// A link.
    Link {
        /// The group.
        group: Owner = "group",
        /// Whether what is there is removed first.
        overwrite: Option<bool> = "overwrite",
        /// Where.
        path: String = "path" always,
        /// The owner.
        user: Owner = "user",
        /// Whether it is a hard link.
        hard: Option<bool> = "hard",
        /// What it points to.
        target: Option<String> = "target",
    }
}

record! {
    /// A disk.
    Disk {
        /// The device.
        device: String = "device" always,
        /// The partitions.
        partitions: Vec<Partition> = "partitions",
        /// Whether the partition table is wiped first.
        wipe_table: Option<bool> = "wipeTable",
    }
}

record! {
    /// A partition.
    Partition {
        /// Its GUID.
        guid: Option<String> = "guid",
        /// Its label.
        label: Option<String> = "label",
        /// Its number; 0 means the next free one.
        number: i64 = "number",
        /// Whether it may be resized (3.2).
        resize: Option<bool> = "resize",
        /// Whether it is to be.
        should_exist: Option<bool> = "shouldExist",
        /// Its size; 0 means all there is.
        size_mib: Option<i64> = "sizeMiB",
        /// Where it begins; 0 means the largest free block.
        start_mib: Option<i64> = "startMiB",
        /// The GUID of its type.
        type_guid: Option<String> = "typeGuid",
        /// Whether one that does not match is deleted.
        wipe_partition_entry: Option<bool> = "wipePartitionEntry",
    }
}

record! {
    /// A filesystem.
    Filesystem {
        /// The device.
        device: String = "device" always,
        /// `ext4`, `btrfs`, `xfs`, `vfat`, `swap` or, from 3.3, `none`.
        format: Option<String> = "format",
        /// Its label.
        label: Option<String> = "label",
        /// Options for mounting it while Ignition runs (3.1).
        mount_options: Vec<String> = "mountOptions" append,
        /// Options for making it.
        options: Vec<String> = "options" append,
        /// Where it is mounted while Ignition runs.
        path: Option<String> = "path",
        /// Its UUID.
        uuid: Option<String> = "uuid",
        /// Whether what is there is wiped.
        wipe_filesystem: Option<bool> = "wipeFilesystem",
    }
}

record! {
    /// An array of disks.
    Raid {
        /// Its devices.
        devices: Vec<String> = "devices",
        /// Its level.
        level: Option<String> = "level",
        /// Its name.
        name: String = "name" always,
        /// Options for making it.
        options: Vec<String> = "options" append,
        /// How many devices are spares.
        spares: Option<i64> = "spares",
    }
}

record! {
    /// An encrypted volume.
    Luks {
        /// IBM's CEX secure keys (3.5).
        cex: Option<Cex> = "cex",
        /// What unlocks it.
        clevis: Option<Clevis> = "clevis",
        /// The device.
        device: Option<String> = "device",
        /// Whether discards pass through (3.4).
        discard: Option<bool> = "discard",
        /// The key.
        key_file: Resource = "keyFile",
        /// Its label.
        label: Option<String> = "label",
        /// Its name.
        name: String = "name" always,
        /// Options for opening it (3.4).
        open_options: Vec<String> = "openOptions" append,
        /// Options for making it.
        options: Vec<String> = "options" append,
        /// Its UUID.
        uuid: Option<String> = "uuid",
        /// Whether what is there is wiped.
        wipe_volume: Option<bool> = "wipeVolume",
    }
}

record! {
    /// IBM's CEX secure keys.
    Cex {
        /// Whether they are used.
        enabled: Option<bool> = "enabled",
    }
}

record! {
    /// What unlocks a volume.
    Clevis {
        /// A pin of the writer's own.
        custom: Option<ClevisCustom> = "custom",
        /// Tang servers.
        tang: Vec<Tang> = "tang",
        /// How many of the pins suffice.
        threshold: Option<i64> = "threshold",
        /// The machine's TPM.
        tpm2: Option<bool> = "tpm2",
    }
}

record! {
    /// A Clevis pin of the writer's own.
    ClevisCustom {
        /// Its config.
        config: Option<String> = "config",
        /// Whether it needs the network.
        needs_network: Option<bool> = "needsNetwork",
        /// Its name.
        pin: Option<String> = "pin",
    }
}

record! {
    /// A Tang server.
    Tang {
        /// Its advertisement, for provisioning without reaching it (3.4).
        advertisement: Option<String> = "advertisement",
        /// The thumbprint of its key.
        thumbprint: Option<String> = "thumbprint",
        /// Its URL.
        url: String = "url",
    }
}
