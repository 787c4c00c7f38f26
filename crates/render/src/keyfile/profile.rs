//! The text of one connection profile.

use std::fmt::{Display, Write as _};

use ipnet::IpNet;
use sha2::{Digest as _, Sha256};
use thirdboot_lifecycle::{Host, Route};

use super::Keyfile;

/// Keyfile text under construction.
pub(super) struct Profile {
    id: String,
    text: String,
}

impl Profile {
    pub(super) fn new(host: &Host, id: &str, kind: &str) -> Self {
        Self::with_priority(host, id, kind, 10)
    }

    /// Of two profiles that fit a port, NetworkManager takes the one of higher priority.
    pub(super) fn with_priority(host: &Host, id: &str, kind: &str, priority: i32) -> Self {
        let mut profile = Self {
            id: id.to_owned(),
            text: String::new(),
        };
        profile.section("connection");
        profile.set("id", id);
        profile.set("uuid", profile_uuid(host, id));
        profile.set("type", kind);
        profile.set("autoconnect-priority", priority);
        profile
    }

    pub(super) fn section(&mut self, name: &str) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        // A String takes every write.
        let _ = writeln!(self.text, "{gap}[{name}]");
    }

    pub(super) fn set(&mut self, key: &str, value: impl Display) {
        let _ = writeln!(self.text, "{key}={value}");
    }

    /// Values with a semicolon behind each, if there are any.
    pub(super) fn list(&mut self, key: &str, values: impl IntoIterator<Item = impl Display>) {
        let mut all = String::new();
        for value in values {
            // A String takes every write.
            let _ = write!(all, "{value};");
        }
        if !all.is_empty() {
            self.set(key, all);
        }
    }

    pub(super) fn addresses<'a>(&mut self, addresses: impl IntoIterator<Item = &'a IpNet>) {
        for (at, address) in (1..).zip(addresses) {
            self.set(&format!("address{at}"), address);
        }
    }

    pub(super) fn routes<'a>(&mut self, routes: impl IntoIterator<Item = &'a Route>) {
        for (at, route) in (1..).zip(routes) {
            self.set(&format!("route{at}"), format_args!("{},{}", route.to, route.via));
        }
    }

    pub(super) fn into_keyfile(self) -> Keyfile {
        Keyfile {
            name: format!("{}.nmconnection", self.id),
            text: self.text,
        }
    }
}

/// A profile's UUID follows from host and profile: rendering twice gives the same bytes.
pub(super) fn profile_uuid(host: &Host, id: &str) -> String {
    let digest = Sha256::digest(format!("thirdboot connection {} {id}", host.name).as_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80; // version 8: made by a rule of one's own
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}
