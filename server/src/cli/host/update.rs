//! `thirdboot host update`: parts of a description.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};
use thirdboot_api::control::{Arch, DiskBoot, HostPatch, KnownBy, Platform, Role};

use super::changed;
use super::label;
use crate::cli::input::input;
use crate::cli::{Connection, Failure};

/// What changes; what is left out stays.
#[derive(Debug, Args)]
pub(super) struct UpdateOptions {
    /// The host's name.
    name: String,
    /// Read a JSON merge patch (RFC 7396) of the description from this file (network included), as the API takes it; `-`
    /// is standard input. Flags go on top of it.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// MACs of its network cards, all of them (repeat it, or separate by commas).
    #[arg(long = "mac", value_name = "MAC", value_delimiter = ',')]
    macs: Option<Vec<String>>,
    /// SMBIOS serial; empty for none, so that the next live boot pins it.
    #[arg(long)]
    serial: Option<String>,
    /// SMBIOS UUID; empty for none, so that the next live boot pins it.
    #[arg(long)]
    uuid: Option<String>,
    /// What it becomes at its next install: server, agent or runner.
    #[arg(long)]
    role: Option<Role>,
    /// The cluster that a server or an agent joins; empty for none.
    #[arg(long)]
    cluster: Option<String>,
    /// Its processor's architecture: `x86_64` or aarch64.
    #[arg(long)]
    arch: Option<Arch>,
    /// Where it stands: metal or equinix-metal.
    #[arg(long)]
    platform: Option<Platform>,
    /// The provider's id of the machine; empty for none.
    #[arg(long, value_name = "ID")]
    device: Option<String>,
    /// Whether the provider's metadata service answers the machine.
    #[arg(long, value_name = "BOOL")]
    metadata: Option<bool>,
    /// How its requests are recognised: key or address.
    #[arg(long)]
    known_by: Option<KnownBy>,
    /// OpenSSH public keys of the user core, all of them (repeat it; empty for none).
    #[arg(long = "ssh-key", value_name = "KEY")]
    ssh_keys: Option<Vec<String>>,
    /// A label to set, or to take away when nothing follows the = (repeat it).
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Packages to layer, all of them (repeat it; empty for none).
    #[arg(long = "package", value_name = "PACKAGE")]
    packages: Option<Vec<String>>,
    /// Its disk: a path, a serial or a WWN; empty for the only eligible one.
    #[arg(long, value_name = "DISK")]
    disk: Option<String>,
    /// How iPXE hands over to the disk: exit, exit-1, sanboot or chain-efi.
    #[arg(long)]
    disk_boot: Option<DiskBoot>,
    /// A version of the operating system to pin; empty for the mirror's current one.
    #[arg(long, value_name = "VERSION")]
    os_version: Option<String>,
    /// Kernel consoles, all of them, the primary one last (repeat it; empty for none).
    #[arg(long = "console", value_name = "CONSOLE")]
    consoles: Option<Vec<String>>,
    /// Only when its description is still this version: an `etag` that was read, or `*` for any.
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
}

impl UpdateOptions {
    pub(super) async fn run(self, connection: &Connection) -> Result<(), Failure> {
        let client = connection.client()?;
        let before = client.host(&self.name).await?;
        let seen = self.if_match.clone().unwrap_or_else(|| before.etag.clone());
        let patch = self.patch()?;
        match client.update_host(&before.name, &patch, &seen).await {
            Ok(after) => changed::print(connection, &before, &after),
            Err(error) => Err(changed::refused(&client, &before, &seen, error).await),
        }
    }

    /// The file's patch, with what the flags say on top.
    fn patch(self) -> Result<HostPatch, Failure> {
        let mut patch = match &self.file {
            None => Map::new(),
            Some(file) => read(file)?,
        };
        let mut set = |name: &str, value: Option<Value>| patch.extend(value.map(|value| (name.to_owned(), value)));
        set("macs", list(self.macs));
        set("serial", text(self.serial));
        set("uuid", text(self.uuid));
        set("role", self.role.map(|role| json!(role)));
        set("cluster", text(self.cluster));
        set("arch", self.arch.map(|arch| json!(arch)));
        set("platform", self.platform.map(|platform| json!(platform)));
        if self.device.as_ref().is_some_and(String::is_empty) {
            set("provider", Some(Value::Null));
        }
        set("known_by", self.known_by.map(|known_by| json!(known_by)));
        set("ssh_keys", list(self.ssh_keys));
        set("packages", list(self.packages));
        let labels = self
            .labels
            .into_iter()
            .map(|(key, value)| (key, text(Some(value)).unwrap_or_default()));
        let install = [
            ("disk", text(self.disk)),
            ("disk_boot", self.disk_boot.map(|disk_boot| json!(disk_boot))),
            ("version", text(self.os_version)),
            ("console", list(self.consoles)),
        ];
        let install = install
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let provider = [
            (
                "device",
                self.device.filter(|device| !device.is_empty()).map(Value::from),
            ),
            ("metadata", self.metadata.map(Value::from)),
        ];
        let provider = provider
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        within(&mut patch, "provider", provider);
        within(&mut patch, "labels", labels);
        within(&mut patch, "install", install);
        if patch.is_empty() {
            return Err(Failure::Usage(
                "nothing to change was named: give a flag, or `thirdboot host edit`".to_owned(),
            ));
        }
        Ok(HostPatch(patch))
    }
}

/// Empty means none.
fn text(value: Option<String>) -> Option<Value> {
    value.map(|value| if value.is_empty() { Value::Null } else { json!(value) })
}

/// The whole list; one empty item means none.
fn list(values: Option<Vec<String>>) -> Option<Value> {
    values.map(|values| match values.as_slice() {
        [only] if only.is_empty() => json!([]),
        _ => json!(values),
    })
}

/// Puts these into a part of the patch.
fn within(patch: &mut Map<String, Value>, name: &str, fields: impl Iterator<Item = (String, Value)>) {
    let mut fields = fields.peekable();
    if fields.peek().is_none() {
        return;
    }
    let part = patch.entry(name).or_insert_with(|| json!({}));
    if !part.is_object() {
        *part = json!({});
    }
    if let Some(part) = part.as_object_mut() {
        part.extend(fields);
    }
}

fn read(file: &Path) -> Result<Map<String, Value>, Failure> {
    serde_json::from_str(&input("--file", file)?)
        .map_err(|error| Failure::Usage(format!("--file {}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: UpdateOptions,
    }

    fn patch(line: &str) -> Result<Value, String> {
        let words = ["x", "a1"].into_iter().chain(line.split_whitespace());
        let options = Line::try_parse_from(words).map_err(|error| error.to_string())?.options;
        let HostPatch(patch) = options.patch().map_err(|failure| failure.to_string())?;
        Ok(Value::Object(patch))
    }

    #[test]
    fn only_what_is_named_is_sent() {
        assert_eq!(patch("--role agent").unwrap(), json!({"role": "agent"}));
        let many = "--label rack= --label site=b --disk= --disk-boot exit-1 --package vim --package jq --serial= --uuid= --ssh-key=";
        let expected = json!({
            "labels": {"rack": null, "site": "b"}, "install": {"disk": null, "disk_boot": "exit-1"},
            "packages": ["vim", "jq"], "serial": null, "uuid": null, "ssh_keys": []
        });
        assert_eq!(patch(many).unwrap(), expected);
        assert_eq!(
            patch("--device d1 --metadata true").unwrap(),
            json!({"provider": {"device": "d1", "metadata": true}})
        );
        assert_eq!(patch("--device=").unwrap(), json!({"provider": null}));
        assert!(patch("").unwrap_err().contains("nothing to change"));
    }

    #[test]
    fn a_files_patch_goes_below_the_flags() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("patch.json");
        let named = format!("--file {} --label rack=2 --role agent", file.display());
        std::fs::write(&file, r#"{"labels": {"rack": "1", "row": "7"}, "role": "server"}"#).unwrap();
        let expected = json!({"labels": {"rack": "2", "row": "7"}, "role": "agent"});
        assert_eq!(patch(&named).unwrap(), expected);
        std::fs::write(&file, "[1]").unwrap();
        assert!(patch(&named).unwrap_err().starts_with("--file "));
    }
}
