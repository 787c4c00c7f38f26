//! Ignition's own settings, users, groups and units.

use super::{Reference, record};

record! {
    /// Ignition's own settings.
    Ignition, "a mapping for Ignition" {
        config: IgnitionConfig,
        proxy: Proxy = since 1,
        security: Security,
        timeouts: Timeouts,
    }
}

record! {
    /// Further configs.
    IgnitionConfig, "a mapping with `merge` or `replace`" {
        merge: Vec<Reference>,
        replace: Reference,
    }
}

record! {
    /// Proxies for all requests.
    #[expect(clippy::struct_field_names, reason = "the fields are named as the document's keys are")]
    Proxy, "a mapping for proxies" {
        http_proxy: Option<String>,
        https_proxy: Option<String>,
        no_proxy: Vec<String>,
    }
}

record! {
    /// Whom to trust.
    Security, "a mapping for security" {
        tls: Tls,
    }
}

record! {
    /// Further certificate authorities.
    Tls, "a mapping for TLS" {
        certificate_authorities: Vec<Reference>,
    }
}

record! {
    /// How long to wait, in seconds.
    Timeouts, "a mapping for timeouts" {
        http_response_headers: Option<i64>,
        http_total: Option<i64>,
    }
}

record! {
    /// Users and groups.
    Passwd, "a mapping with users and groups" {
        groups: Vec<PasswdGroup>,
        users: Vec<PasswdUser>,
    }
}

record! {
    /// A group.
    PasswdGroup, "a mapping for a group" {
        gid: Option<i64>,
        name: String,
        password_hash: Option<String>,
        should_exist: Option<bool> = since 2,
        system: Option<bool>,
    }
}

record! {
    /// A user.
    PasswdUser, "a mapping for a user" {
        gecos: Option<String>,
        groups: Vec<String>,
        home_dir: Option<String>,
        name: String,
        no_create_home: Option<bool>,
        no_log_init: Option<bool>,
        no_user_group: Option<bool>,
        password_hash: Option<String>,
        primary_group: Option<String>,
        should_exist: Option<bool> = since 2,
        ssh_authorized_keys: Vec<String>,
        ssh_authorized_keys_local: Vec<String> = since 5,
        shell: Option<String>,
        system: Option<bool>,
        uid: Option<i64>,
    }
}

record! {
    /// Units.
    Systemd, "a mapping with units" {
        units: Vec<Unit>,
    }
}

record! {
    /// A unit.
    Unit, "a mapping for a unit" {
        contents: Option<String>,
        contents_local: Option<String> = since 5,
        dropins: Vec<Dropin>,
        enabled: Option<bool>,
        mask: Option<bool>,
        name: String,
    }
}

record! {
    /// A drop-in of a unit.
    Dropin, "a mapping for a drop-in" {
        contents: Option<String>,
        contents_local: Option<String> = since 5,
        name: String,
    }
}
