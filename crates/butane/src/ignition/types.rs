//! The structs of a config, as in specification 3.6.

use serde::{Deserialize, Serialize};

use super::shape::record;
use super::storage::Storage;

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
