//! Disks and what is put on them.

use super::{Directory, File, Link, Resource, Tree, record};

record! {
    /// All of the storage.
    Storage, "a mapping for the storage" {
        directories: Vec<Directory>,
        disks: Vec<Disk>,
        files: Vec<File>,
        filesystems: Vec<Filesystem>,
        links: Vec<Link>,
        luks: Vec<Luks> = since 2,
        raid: Vec<Raid>,
        trees: Vec<Tree> = since 1,
    }
}

record! {
    /// A disk and its partition table.
    Disk, "a mapping for a disk" {
        device: String,
        partitions: Vec<Partition>,
        wipe_table: Option<bool>,
    }
}

record! {
    /// A partition.
    Partition, "a mapping for a partition" {
        guid: Option<String>,
        label: Option<String>,
        number: i64,
        resize: Option<bool> = since 2,
        should_exist: Option<bool>,
        size_mib: Option<i64>,
        start_mib: Option<i64>,
        type_guid: Option<String>,
        wipe_partition_entry: Option<bool>,
    }
}

record! {
    /// A filesystem and, where wished, the unit that mounts it.
    #[expect(clippy::struct_field_names, reason = "the fields are named as the document's keys are")]
    Filesystem, "a mapping for a filesystem" {
        device: String,
        format: Option<String>,
        label: Option<String>,
        mount_options: Vec<String> = since 1,
        options: Vec<String>,
        path: Option<String>,
        uuid: Option<String>,
        wipe_filesystem: Option<bool>,
        with_mount_unit: Option<bool> = since 1,
    }
}

record! {
    /// An array of disks.
    Raid, "a mapping for a RAID array" {
        devices: Vec<String>,
        level: Option<String>,
        name: String,
        options: Vec<String>,
        spares: Option<i64>,
    }
}

record! {
    /// An encrypted volume.
    Luks, "a mapping for an encrypted volume" {
        cex: Cex = since 6,
        clevis: Option<Clevis>,
        device: Option<String>,
        discard: Option<bool> = since 5,
        key_file: Resource,
        label: Option<String>,
        name: String,
        open_options: Vec<String> = since 5,
        options: Vec<String>,
        uuid: Option<String>,
        wipe_volume: Option<bool>,
    }
}

record! {
    /// IBM's CEX secure keys.
    Cex, "a mapping for CEX" {
        enabled: Option<bool>,
    }
}

record! {
    /// What unlocks a volume.
    Clevis, "a mapping for Clevis" {
        custom: Option<ClevisCustom>,
        tang: Vec<Tang>,
        threshold: Option<i64>,
        tpm2: Option<bool>,
    }
}

record! {
    /// A Clevis pin of the writer's own.
    ClevisCustom, "a mapping for a custom Clevis pin" {
        config: Option<String>,
        needs_network: Option<bool>,
        pin: Option<String>,
    }
}

record! {
    /// A Tang server.
    Tang, "a mapping for a Tang server" {
        thumbprint: Option<String>,
        url: String,
        advertisement: Option<String> = since 5,
    }
}
