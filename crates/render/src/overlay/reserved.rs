//! Paths and units that a template may not touch, by name.

use thirdboot_butane::{Path, Report, ignition::Config};

use super::rules::{at, refuse};

/// Something that is not a template's to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserved {
    /// A path, or the name of a unit. `*` at the end stands for anything; a path stands for all below it, too.
    pub pattern: &'static str,
    /// Whose it is, and what to do instead.
    pub why: &'static str,
}

const fn reserved(pattern: &'static str, why: &'static str) -> Reserved {
    Reserved { pattern, why }
}

const OURS: &str = "Thirdboot's own: what proves each boot";
const UPDATES: &str = "how updates are locked and switched on is Thirdboot's";
const VOLATILE: &str = "gone at the next boot: Ignition writes the disk";
const READ_ONLY: &str = "read-only on Fedora CoreOS; /usr/local and /etc can be written";
const KERNEL: &str = "no file system of the disk";

/// Every reserved path and unit, in the order of the documentation.
pub const RESERVED: &[Reserved] = &[
    reserved("/etc/thirdboot", OURS),
    reserved("/var/lib/thirdboot", OURS),
    reserved("/usr/local/bin/thirdboot-*", OURS),
    reserved("/usr/local/lib/thirdboot*", OURS),
    reserved("thirdboot-*", OURS),
    reserved(
        "/etc/coreos/installer.d",
        "what the installer writes is decided by the permit",
    ),
    reserved(
        "coreos-installer*",
        "what the installer writes is decided by the permit",
    ),
    reserved("/etc/hostname", "set the host's name"),
    reserved("/etc/.ignition-result.json", "Ignition says there how it went"),
    reserved(
        "/etc/NetworkManager/system-connections",
        "describe the host's network: it is proven against that",
    ),
    reserved(
        "/etc/yum.repos.d/thirdboot-*",
        "repositories are kept by Thirdboot; others are yours",
    ),
    reserved(
        "/etc/pki/rpm-gpg/RPM-GPG-KEY-thirdboot-*",
        "repositories are kept by Thirdboot; others are yours",
    ),
    reserved("/etc/chrony.conf", "set the host's time servers"),
    reserved("/etc/zincati/config.d/50-identity.toml", UPDATES),
    reserved("/etc/zincati/config.d/55-updates-strategy.toml", UPDATES),
    reserved("/etc/zincati/config.d/90-disable-updates.toml", UPDATES),
    reserved("/etc/zincati/config.d/95-updates-off.toml", UPDATES),
    reserved(
        "/etc/rancher/k3s/config.yaml",
        "k3s is configured by the join; registries.yaml and manifests are yours",
    ),
    reserved(
        "/etc/rancher/k3s/config.yaml.d",
        "k3s is configured by the join; registries.yaml and manifests are yours",
    ),
    reserved("/usr/local/bin/k3s", "k3s is installed by the join"),
    reserved("k3s*", "k3s is started by the join"),
    reserved("/etc/systemd/network/50-flannel.link", "k3s needs it"),
    reserved("podman.socket", "a runner is ready when it answers"),
    reserved("/run", VOLATILE),
    reserved("/tmp", VOLATILE),
    reserved("/usr", READ_ONLY),
    reserved("/bin", READ_ONLY),
    reserved("/sbin", READ_ONLY),
    reserved("/lib", READ_ONLY),
    reserved("/lib64", READ_ONLY),
    reserved("/ostree", READ_ONLY),
    reserved("/sysroot", READ_ONLY),
    reserved("/dev", KERNEL),
    reserved("/proc", KERNEL),
    reserved("/sys", KERNEL),
];

/// Links of Fedora CoreOS: the same file by another path.
const ALIASES: [(&str, &str); 8] = [
    ("/var/usrlocal", "/usr/local"),
    ("/var/run", "/run"),
    ("/var/home", "/home"),
    ("/var/opt", "/opt"),
    ("/var/srv", "/srv"),
    ("/var/mnt", "/mnt"),
    ("/var/roothome", "/root"),
    ("/var/lock", "/run/lock"),
];

/// Folders that a file system of one's own may be mounted on although something reserved lies below.
const MOUNTABLE: [&str; 4] = ["/", "/boot", "/var", "/var/lib"];

/// Where systemd looks for units on a disk.
const UNIT_FOLDERS: [&str; 5] = [
    "/etc/systemd/system",
    "/etc/systemd/system.control",
    "/etc/systemd/system.attached",
    "/usr/local/lib/systemd/system",
    "/etc/systemd/system-generators",
];

/// Drop-ins of a whole kind of units count for ours, too.
const KINDS: [&str; 6] = ["service", "timer", "target", "socket", "mount", "path"];

/// The list as a Markdown table.
#[must_use]
pub fn reserved_table() -> String {
    let mut table = String::from("| reserved | why |\n|---|---|\n");
    for Reserved { pattern, why } in RESERVED {
        table.extend(["| `", pattern, "` | ", why, " |\n"]);
    }
    table
}

pub(super) fn broken(config: &Config, report: &mut Report) {
    let storage = &config.storage;
    for (index, file) in storage.files.iter().enumerate() {
        node(report, at(&["storage", "files"]).join(index).join("path"), &file.path);
    }
    for (index, directory) in storage.directories.iter().enumerate() {
        node(
            report,
            at(&["storage", "directories"]).join(index).join("path"),
            &directory.path,
        );
    }
    for (index, link) in storage.links.iter().enumerate() {
        let here = at(&["storage", "links"]).join(index);
        node(report, here.join("path"), &link.path);
        let target = link.target.as_deref().unwrap_or_default();
        let target = clean(&if target.starts_with('/') {
            target.to_owned()
        } else {
            beside(&link.path, target)
        });
        // Masking and aliases of other units stay possible: /dev/null is nobody's file.
        if target != "/dev/null"
            && !target.starts_with("/usr/")
            && let Some(why) = why_not_path(&target)
        {
            refuse(
                report,
                here.join("target"),
                format!("the link leads to {target}, which is reserved: {why}"),
            );
        }
    }
    for (index, filesystem) in storage.filesystems.iter().enumerate() {
        if let Some(path) = &filesystem.path {
            mounted(report, at(&["storage", "filesystems"]).join(index).join("path"), path);
        }
    }
    for (index, unit) in config.systemd.units.iter().enumerate() {
        let here = at(&["systemd", "units"]).join(index).join("name");
        if let Some(why) = why_not_unit(&unit.name) {
            refuse(
                report,
                here.clone(),
                format!("the unit {} is reserved: {why}", unit.name),
            );
        }
        if let Some(path) = mount_point(&unit.name) {
            mounted(report, here, &path);
        }
    }
}

/// A node may not be reserved, lie below what is, or stand above it.
fn node(report: &mut Report, here: Path, path: &str) {
    if let Some(why) = why_not_path(path) {
        refuse(report, here, format!("{path} is reserved: {why}"));
    } else if let Some(found) = below(path) {
        refuse(
            report,
            here,
            format!("{path} holds {}, which is reserved: {}", found.pattern, found.why),
        );
    }
}

fn mounted(report: &mut Report, here: Path, path: &str) {
    if !MOUNTABLE.contains(&path) {
        node(report, here, path);
    }
}

/// Why a path is reserved, if it is.
fn why_not_path(path: &str) -> Option<&'static str> {
    let path = real(path);
    let found = RESERVED
        .iter()
        .find(|reserved| match reserved.pattern.strip_suffix('*') {
            Some(prefix) => prefix.starts_with('/') && path.starts_with(prefix),
            None if reserved.pattern == "/usr" => is_in(&path, "/usr") && !is_in(&path, "/usr/local"),
            None => is_in(&path, reserved.pattern),
        });
    found.map(|reserved| reserved.why).or_else(|| why_not_unit_file(&path))
}

/// What reserved thing lies below `path`. /usr/local is a folder of its own.
fn below(path: &str) -> Option<&'static Reserved> {
    let path = real(path);
    let holds = |reserved: &&Reserved| {
        reserved.pattern.starts_with('/') && is_in(reserved.pattern.trim_end_matches('*'), &path)
    };
    RESERVED.iter().find(holds)
}

/// A unit's file, drop-in or link by its path.
fn why_not_unit_file(path: &str) -> Option<&'static str> {
    let folder = UNIT_FOLDERS.into_iter().find(|folder| is_in(path, folder))?;
    if folder.ends_with("generators") {
        return Some("a generator can change every unit");
    }
    if path == folder {
        return Some("it holds units that are Thirdboot's");
    }
    path[folder.len()..].split('/').find_map(|part| {
        let unit = [".d", ".wants", ".requires", ".upholds"]
            .iter()
            .find_map(|suffix| part.strip_suffix(suffix));
        match unit {
            Some(kind) if KINDS.contains(&kind) => Some("it would count for Thirdboot's own units, too"),
            unit => why_not_unit(unit.unwrap_or(part)),
        }
    })
}

/// Why a unit is reserved, if it is.
fn why_not_unit(name: &str) -> Option<&'static str> {
    let found = RESERVED
        .iter()
        .find(|reserved| match reserved.pattern.strip_suffix('*') {
            Some(prefix) => !prefix.starts_with('/') && name.starts_with(prefix),
            None => name == reserved.pattern,
        });
    found.map(|reserved| reserved.why)
}

/// The path that a mount unit mounts on: systemd writes `/` as `-` and other bytes as `\x2d`.
fn mount_point(unit: &str) -> Option<String> {
    let name = unit
        .strip_suffix(".mount")
        .or_else(|| unit.strip_suffix(".automount"))?;
    let mut path = String::from("/");
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        let escape = rest
            .strip_prefix("\\x")
            .and_then(|tail| u8::from_str_radix(tail.get(..2)?, 16).ok());
        if let Some(byte) = escape {
            path.push(char::from(byte));
            rest = &rest[4..];
        } else {
            path.push(if c == '-' { '/' } else { c });
            rest = &rest[c.len_utf8()..];
        }
    }
    Some(if path == "//" { "/".to_owned() } else { path })
}

/// The path without Fedora CoreOS's own links.
fn real(path: &str) -> String {
    let alias = ALIASES.iter().find(|(alias, _)| is_in(path, alias));
    alias.map_or_else(
        || path.to_owned(),
        |(alias, real)| format!("{real}{}", &path[alias.len()..]),
    )
}

fn is_in(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || folder.ends_with('/'))
}

/// `target`, seen from the folder that `link` lies in.
fn beside(link: &str, target: &str) -> String {
    format!("{}/{target}", link.rsplit_once('/').map_or("", |(folder, _)| folder))
}

fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
