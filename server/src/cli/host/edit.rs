//! `thirdboot host update` and `host edit`: a description that changes.

use std::process::Command;

use clap::Args;
use serde_json::Value;
use thirdboot_api::control::{Arch, DiskBoot, HostSpec, HostView, ImportAction, ImportBody, KnownBy, Platform, Role};

use super::label;
use crate::cli::{Connection, Failure};

/// What changes; what is left out stays.
#[derive(Debug, Args)]
pub(super) struct UpdateOptions {
    /// The host's name.
    name: String,
    /// MACs of its network cards, all of them (repeat it, or separate by commas).
    #[arg(long = "mac", value_name = "MAC", value_delimiter = ',')]
    macs: Option<Vec<String>>,
    /// SMBIOS serial.
    #[arg(long)]
    serial: Option<String>,
    /// SMBIOS UUID.
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
    /// How its requests are recognised: key or address.
    #[arg(long)]
    known_by: Option<KnownBy>,
    /// OpenSSH public keys of the user core, all of them (repeat it).
    #[arg(long = "ssh-key", value_name = "KEY")]
    ssh_keys: Option<Vec<String>>,
    /// A label to set, or to take away when nothing follows the = (repeat it).
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Packages to layer, all of them (repeat it).
    #[arg(long = "package", value_name = "PACKAGE")]
    packages: Option<Vec<String>>,
    /// Its disk: a path, a serial or a WWN; empty for the only eligible one.
    #[arg(long, value_name = "DISK")]
    disk: Option<String>,
    /// How iPXE hands over to the disk: exit, exit-1, sanboot or chain-efi.
    #[arg(long)]
    disk_boot: Option<DiskBoot>,
    /// Kernel consoles, all of them, the primary one last (repeat it).
    #[arg(long = "console", value_name = "CONSOLE")]
    consoles: Option<Vec<String>>,
}

impl UpdateOptions {
    pub(super) async fn run(self, connection: &Connection) -> Result<(), Failure> {
        let client = connection.client()?;
        let before = client.host(&self.name).await?;
        let spec = self.applied(described(&before)?);
        save(connection, spec).await
    }

    fn applied(self, mut spec: HostSpec) -> HostSpec {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        let text = |value: Option<String>| value.map(|value| Some(value).filter(|value| !value.is_empty()));
        set(&mut spec.macs, self.macs);
        set(&mut spec.serial, self.serial.map(Some));
        set(&mut spec.uuid, self.uuid.map(Some));
        set(&mut spec.role, self.role);
        set(&mut spec.cluster, text(self.cluster));
        set(&mut spec.arch, self.arch);
        set(&mut spec.platform, self.platform);
        set(&mut spec.known_by, self.known_by);
        set(&mut spec.ssh_keys, self.ssh_keys);
        set(&mut spec.packages, self.packages);
        set(&mut spec.install.disk, text(self.disk));
        set(&mut spec.install.disk_boot, self.disk_boot);
        set(&mut spec.install.console, self.consoles);
        for (key, value) in self.labels {
            if value.is_empty() {
                spec.labels.remove(&key);
            } else {
                spec.labels.insert(key, value);
            }
        }
        spec
    }
}

/// Opens the description in an editor, and takes what comes back.
pub(super) async fn edit(connection: &Connection, name: &str) -> Result<(), Failure> {
    let before = described(&connection.client()?.host(name).await?)?;
    let text = serde_saphyr::to_string(&before).map_err(anyhow::Error::from)?;
    let mut file = tempfile::Builder::new()
        .prefix("thirdboot-")
        .suffix(".yaml")
        .tempfile()
        .map_err(anyhow::Error::from)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(anyhow::Error::from)?;
    let editor = ["VISUAL", "EDITOR"]
        .into_iter()
        .find_map(crate::cli::connection::variable);
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    // As git does it: the variable may hold arguments.
    let status = Command::new("sh")
        .args(["-c", &format!("{editor} \"$1\""), "thirdboot"])
        .arg(file.path())
        .status()
        .map_err(|error| Failure::Usage(format!("{editor} cannot be started: {error}")))?;
    if !status.success() {
        return Err(Failure::Usage(format!(
            "{editor} ended with {status}: nothing was changed"
        )));
    }
    let edited = std::fs::read_to_string(file.path()).map_err(anyhow::Error::from)?;
    let taken = async {
        let spec: HostSpec = serde_saphyr::from_str(&edited).map_err(|error| Failure::Usage(error.to_string()))?;
        if spec.name != name {
            return Err(Failure::Usage(format!("name: a host keeps its name, expected {name}")));
        }
        save(connection, spec).await
    };
    taken.await.inspect_err(|_| {
        // What somebody typed is not lost with the mistake in it.
        if let Ok((_, path)) = file.keep() {
            eprintln!(
                "thirdboot: nothing was changed; what you wrote is in {}",
                path.display()
            );
        }
    })
}

/// A host as it would be described, by what the server shows.
fn described(view: &HostView) -> Result<HostSpec, Failure> {
    let fields = |value: Result<Value, serde_json::Error>| value.map_err(anyhow::Error::from);
    let (shown, mut spec) = (
        fields(serde_json::to_value(view))?,
        fields(serde_json::to_value(HostSpec::default()))?,
    );
    for (name, field) in spec.as_object_mut().into_iter().flatten() {
        if let Some(value) = shown.get(name) {
            *field = value.clone();
        }
    }
    Ok(serde_json::from_value(spec).map_err(anyhow::Error::from)?)
}

async fn save(connection: &Connection, spec: HostSpec) -> Result<(), Failure> {
    let client = connection.client()?;
    let name = spec.name.clone();
    let body = ImportBody {
        hosts: vec![spec],
        dry_run: false,
    };
    let done = client.import(&body).await.map_err(super::import::in_words_of_one)?;
    let host = client.host(&name).await?;
    let changes = done.hosts.first().filter(|host| host.action != ImportAction::Unchanged);
    connection.output.print(&host, || match changes {
        Some(host) => format!("{name}: changed {}\n", host.changes.join(", ")),
        None => format!("{name}: nothing changed\n"),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: UpdateOptions,
    }

    fn updated(line: &str) -> HostSpec {
        let view = json!({"name": "a1", "macs": ["52:54:00:00:00:01"], "role": "runner", "cluster": "lab", "version": 7,
            "labels": {"rack": "r1", "row": "2"}, "install": {"disk": "D1"}, "run": null, "packages": ["htop"]});
        let spec = described(&serde_json::from_value(view).unwrap()).unwrap();
        let words = ["x", "a1"].into_iter().chain(line.split_whitespace());
        Line::try_parse_from(words).unwrap().options.applied(spec)
    }

    #[test]
    fn what_is_not_named_stays() {
        let same = updated("");
        assert_eq!(
            (same.macs.as_slice(), same.role),
            (&["52:54:00:00:00:01".to_owned()][..], Role::Runner)
        );
        assert_eq!(
            (same.cluster.as_deref(), same.install.disk.as_deref()),
            (Some("lab"), Some("D1"))
        );
        let changed = updated("--role agent --label rack= --label site=b --disk= --package vim --package jq");
        assert_eq!((changed.role, changed.install.disk), (Role::Agent, None));
        assert_eq!(changed.packages, ["vim", "jq"]);
        let labels: Vec<_> = changed.labels.into_iter().collect();
        assert_eq!(labels, [("row".into(), "2".into()), ("site".into(), "b".into())]);
    }

    #[test]
    fn a_description_is_the_same_through_an_editor() {
        let spec = updated("");
        let text = serde_saphyr::to_string(&spec).unwrap();
        assert_eq!(serde_saphyr::from_str::<HostSpec>(&text).unwrap(), spec);
    }
}
