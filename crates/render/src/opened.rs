//! A finished config as a person looks at it: part by part, contents decoded. For previews and comparisons.

use std::io::Read as _;

use serde::Serialize;
use serde_json::{Map, Value};
use thirdboot_butane::ignition::{Config, Resource, decode_data_url, from_slice};

/// No content unpacks to more: a few KiB of zeros must not fill the memory.
const MAX_CONTENT_BYTES: u64 = 16 << 20;

/// A file, unit, user or other part of a config.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// `file`, `unit`, `user` …
    pub kind: &'static str,
    /// Path or name.
    pub name: String,
    /// Everything that is said of it beside its content, by Ignition's names; modes are octal text.
    pub settings: Map<String, Value>,
    /// Its content, decoded and unpacked.
    pub content: Option<Vec<u8>>,
}

/// A config that cannot be taken apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the config cannot be read: {0}")]
pub struct NotOpened(String);

/// Takes a config apart, in its own order.
///
/// # Errors
/// Bytes that are no Ignition config, or a content that cannot be decoded.
pub fn opened(document: &[u8]) -> Result<Vec<Part>, NotOpened> {
    let (config, _) = from_slice(document).map_err(|report| NotOpened(report.to_string()))?;
    parts(&config)
}

fn parts(config: &Config) -> Result<Vec<Part>, NotOpened> {
    let mut parts = Vec::new();
    let arguments = &config.kernel_arguments;
    if !arguments.should_exist.is_empty() || !arguments.should_not_exist.is_empty() {
        parts.push(part("kernel-arguments", "kernel arguments", arguments, &[]));
    }
    let (passwd, storage) = (&config.passwd, &config.storage);
    parts.extend(
        passwd
            .users
            .iter()
            .map(|user| part("user", &user.name, user, &["name"])),
    );
    parts.extend(
        passwd
            .groups
            .iter()
            .map(|group| part("group", &group.name, group, &["name"])),
    );
    parts.extend(
        storage
            .disks
            .iter()
            .map(|disk| part("disk", &disk.device, disk, &["device"])),
    );
    parts.extend(
        storage
            .raid
            .iter()
            .map(|raid| part("raid", &raid.name, raid, &["name"])),
    );
    // A key is a secret without a form by which it could be recognised.
    parts.extend(
        storage
            .luks
            .iter()
            .map(|luks| part("luks", &luks.name, luks, &["name", "keyFile"])),
    );
    for filesystem in &storage.filesystems {
        parts.push(part("filesystem", &filesystem.device, filesystem, &["device"]));
    }
    for directory in &storage.directories {
        parts.push(part("directory", &directory.path, directory, &["path"]));
    }
    parts.extend(
        storage
            .links
            .iter()
            .map(|link| part("link", &link.path, link, &["path"])),
    );
    for file in &storage.files {
        let mut whole = content(&file.contents)?;
        for more in &file.append {
            whole.get_or_insert_default().extend(content(more)?.unwrap_or_default());
        }
        let mut part = part("file", &file.path, file, &["path", "contents", "append"]);
        if !file.append.is_empty() {
            let appends_to_what_is_there = file.contents.source.is_none();
            part.settings
                .insert("append".to_owned(), appends_to_what_is_there.into());
        }
        part.content = whole;
        parts.push(part);
    }
    for unit in &config.systemd.units {
        let mut whole = part("unit", &unit.name, unit, &["name", "contents", "dropins"]);
        whole.content = unit.contents.clone().map(String::into_bytes);
        parts.push(whole);
        for dropin in &unit.dropins {
            let mut whole = part(
                "dropin",
                &format!("{}.d/{}", unit.name, dropin.name),
                dropin,
                &["name", "contents"],
            );
            whole.content = dropin.contents.clone().map(String::into_bytes);
            parts.push(whole);
        }
    }
    Ok(parts)
}

/// A part without content, and without these settings.
fn part(kind: &'static str, name: &str, said: &impl Serialize, without: &[&str]) -> Part {
    let mut settings = match serde_json::to_value(said) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    };
    settings.retain(|key, _| !without.contains(&key.as_str()));
    if let Some(mode) = settings.get_mut("mode")
        && let Some(bits) = mode.as_i64()
    {
        *mode = format!("{bits:04o}").into();
    }
    Part {
        kind,
        name: name.to_owned(),
        settings,
        content: None,
    }
}

fn content(resource: &Resource) -> Result<Option<Vec<u8>>, NotOpened> {
    let Some(source) = resource.source.as_deref() else {
        return Ok(None);
    };
    if source.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let packed = decode_data_url(source).map_err(|why| NotOpened(why.to_owned()))?;
    if resource.compression.as_deref() != Some("gzip") {
        return Ok(Some(packed));
    }
    let mut whole = Vec::new();
    let unpacked = flate2::read::GzDecoder::new(packed.as_slice())
        .take(MAX_CONTENT_BYTES)
        .read_to_end(&mut whole);
    unpacked.map_err(|error| NotOpened(error.to_string()))?;
    Ok(Some(whole))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::{documents, samples, samples::Run};

    #[test]
    fn a_config_is_taken_apart_and_decoded() {
        let run = Run::new(samples::install());
        let documents = documents(&run.facts(&samples::full_host())).unwrap();
        let parts = opened(&documents.installed).unwrap();
        let mut text = String::new();
        for part in &parts {
            let size = part
                .content
                .as_ref()
                .map_or_else(|| "-".to_owned(), |content| content.len().to_string());
            let _ = writeln!(
                text,
                "{} {} {} {size}",
                part.kind,
                part.name,
                Value::Object(part.settings.clone())
            );
        }
        insta::assert_snapshot!(text);
        let hostname = parts.iter().find(|part| part.name == "/etc/hostname").unwrap();
        assert_eq!(hostname.content.as_deref(), Some(b"node1\n".as_slice()));
    }

    #[test]
    fn what_cannot_be_read_says_so() {
        assert!(opened(b"x").is_err());
        let broken = br#"{"ignition":{"version":"3.3.0"},"storage":{"files":[{"path":"/a","contents":{"source":"data:;base64,!"}}]}}"#;
        assert!(opened(broken).is_err());
    }
}
