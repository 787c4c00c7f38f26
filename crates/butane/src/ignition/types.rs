//! The structs of a config, as in specification 3.6.

use serde::{Deserialize, Serialize};

use super::shape::record;

record! {
    /// A whole config.
    Config {
        /// Ignition's own settings.
        ignition: Ignition = "ignition" always,
        /// The kernel's command line (3.3).
        kernel_arguments: KernelArguments = "kernelArguments",
        /// Users and groups.
        passwd: Passwd = "passwd",
        /// Disks, filesystems and files.
        storage: Storage = "storage",
        /// Units.
        systemd: Systemd = "systemd",
    }
}

record! {
    /// Ignition's own settings.
    Ignition {
        /// Further configs.
        config: IgnitionConfig = "config",
        /// Proxies for all requests (3.1).
        proxy: Proxy = "proxy",
        /// Whom to trust.
        security: Security = "security",
        /// How long to wait.
        timeouts: Timeouts = "timeouts",
        /// The version of the specification.
        version: String = "version" always,
    }
}

record! {
    /// Further configs.
    IgnitionConfig {
        /// Configs merged onto this one, in order.
        merge: Vec<Resource> = "merge",
        /// A config used instead of this one.
        replace: Resource = "replace",
    }
}

record! {
    /// Proxies.
    Proxy {
        /// For plain requests.
        http_proxy: Option<String> = "httpProxy",
        /// For requests over TLS.
        https_proxy: Option<String> = "httpsProxy",
        /// Hosts asked directly.
        no_proxy: Vec<String> = "noProxy",
    }
}

record! {
    /// Whom to trust.
    Security {
        /// Certificates.
        tls: Tls = "tls",
    }
}

record! {
    /// Certificates.
    Tls {
        /// Further authorities.
        certificate_authorities: Vec<Resource> = "certificateAuthorities",
    }
}

record! {
    /// How long to wait, in seconds.
    Timeouts {
        /// For the headers of a response.
        http_response_headers: Option<i64> = "httpResponseHeaders",
        /// For a request in all.
        http_total: Option<i64> = "httpTotal",
    }
}

record! {
    /// A content and where it comes from.
    Resource {
        /// `""` or `"gzip"`.
        compression: Option<String> = "compression",
        /// Headers of the request (3.1).
        http_headers: Vec<HttpHeader> = "httpHeaders",
        /// The URL.
        source: Option<String> = "source",
        /// How the content is checked.
        verification: Verification = "verification",
    }
}

record! {
    /// A header of a request.
    HttpHeader {
        /// The name.
        name: String = "name" always,
        /// The value; none takes the header of a parent config away.
        value: Option<String> = "value",
    }
}

record! {
    /// How a content is checked.
    Verification {
        /// `sha512-…` or, from 3.1, `sha256-…`, over the decompressed bytes.
        hash: Option<String> = "hash",
    }
}

record! {
    @data
    /// The kernel's command line.
    KernelArguments {
        /// Arguments that must be there.
        should_exist: Vec<String> = "shouldExist",
        /// Arguments that must not be there.
        should_not_exist: Vec<String> = "shouldNotExist",
    }
}

record! {
    /// Users and groups.
    Passwd {
        /// Groups.
        groups: Vec<PasswdGroup> = "groups",
        /// Users.
        users: Vec<PasswdUser> = "users",
    }
}

record! {
    /// A group.
    PasswdGroup {
        /// Its number.
        gid: Option<i64> = "gid",
        /// Its name.
        name: String = "name" always,
        /// Its password, encrypted.
        password_hash: Option<String> = "passwordHash",
        /// Whether it is to be (3.2).
        should_exist: Option<bool> = "shouldExist",
        /// Whether it is a system's group.
        system: Option<bool> = "system",
    }
}

record! {
    /// A user.
    PasswdUser {
        /// A remark.
        gecos: Option<String> = "gecos",
        /// Further groups.
        groups: Vec<String> = "groups",
        /// The home directory.
        home_dir: Option<String> = "homeDir",
        /// The name.
        name: String = "name" always,
        /// Leaves the home directory out.
        no_create_home: Option<bool> = "noCreateHome",
        /// Leaves the login records alone.
        no_log_init: Option<bool> = "noLogInit",
        /// Makes no group of the same name.
        no_user_group: Option<bool> = "noUserGroup",
        /// The password, encrypted.
        password_hash: Option<String> = "passwordHash",
        /// The group.
        primary_group: Option<String> = "primaryGroup",
        /// The shell.
        shell: Option<String> = "shell",
        /// Whether the user is to be (3.2).
        should_exist: Option<bool> = "shouldExist",
        /// Public keys that may log in.
        ssh_authorized_keys: Vec<String> = "sshAuthorizedKeys",
        /// Whether it is a system's user.
        system: Option<bool> = "system",
        /// The number.
        uid: Option<i64> = "uid",
    }
}

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

record! {
    /// Units.
    Systemd {
        /// Units.
        units: Vec<Unit> = "units",
    }
}

record! {
    /// A unit.
    Unit {
        /// Its text.
        contents: Option<String> = "contents",
        /// Its drop-ins.
        dropins: Vec<Dropin> = "dropins",
        /// Whether it is enabled.
        enabled: Option<bool> = "enabled",
        /// Whether it is masked.
        mask: Option<bool> = "mask",
        /// Its name.
        name: String = "name" always,
    }
}

record! {
    /// A drop-in.
    Dropin {
        /// Its text.
        contents: Option<String> = "contents",
        /// Its name.
        name: String = "name" always,
    }
}
