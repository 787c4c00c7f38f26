//! `thirdboot host add`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use thirdboot_api::control::{Arch, DiskBoot, HostSpec, InstallSpec, KnownBy, Platform, ProviderSpec, Role};

use crate::cli::input::input;
use crate::cli::{Connection, Failure, now, table};

/// What a file says and flags do not repeat.
const DESCRIBED_BY_FLAGS: [&str; 17] = [
    "name",
    "macs",
    "serial",
    "uuid",
    "role",
    "cluster",
    "arch",
    "platform",
    "device",
    "metadata",
    "known_by",
    "ssh_keys",
    "labels",
    "packages",
    "disk",
    "disk_boot",
    "consoles",
];

/// A description on the command line, or in a file.
#[derive(Debug, Args)]
pub(super) struct AddOptions {
    /// Its name: an RFC 1123 label, unique in the fleet.
    #[arg(required_unless_present = "file")]
    name: Option<String>,
    /// Read the whole description from a JSON file as the API takes it (network included); `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = DESCRIBED_BY_FLAGS)]
    file: Option<PathBuf>,
    /// MAC of a network card (repeat it, or separate by commas).
    #[arg(long = "mac", value_name = "MAC", value_delimiter = ',')]
    macs: Vec<String>,
    /// SMBIOS serial; without it the first live boot pins it.
    #[arg(long)]
    serial: Option<String>,
    /// SMBIOS UUID; without it the first live boot pins it.
    #[arg(long)]
    uuid: Option<String>,
    /// What it becomes: server, agent or runner.
    #[arg(long, default_value_t)]
    role: Role,
    /// The cluster that a server or an agent joins.
    #[arg(long)]
    cluster: Option<String>,
    /// Its processor's architecture: `x86_64` or aarch64.
    #[arg(long, default_value_t)]
    arch: Arch,
    /// Where it stands: metal or equinix-metal.
    #[arg(long, default_value_t)]
    platform: Platform,
    /// The provider's id of the machine, where the platform has a provider to be asked.
    #[arg(long, value_name = "ID")]
    device: Option<String>,
    /// The provider's metadata service answers the machine.
    #[arg(long, requires = "device")]
    metadata: bool,
    /// How its requests are recognised: by its own boot URL (key), or by MAC, serial and UUID (address).
    #[arg(long, default_value_t)]
    known_by: KnownBy,
    /// OpenSSH public key of the user core (repeat it).
    #[arg(long = "ssh-key", value_name = "KEY")]
    ssh_keys: Vec<String>,
    /// Label (repeat it).
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Package to layer on the second boot (repeat it).
    #[arg(long = "package", value_name = "PACKAGE")]
    packages: Vec<String>,
    /// Its disk: a path below /dev/disk/by-id/ or by-path/, a serial or a WWN; without it the only eligible one.
    #[arg(long, value_name = "DISK")]
    disk: Option<String>,
    /// How iPXE hands over to the disk: exit, exit-1, sanboot or chain-efi.
    #[arg(long, default_value_t)]
    disk_boot: DiskBoot,
    /// Kernel console such as ttyS1,115200n8 (repeat it, the primary one last).
    #[arg(long = "console", value_name = "CONSOLE")]
    consoles: Vec<String>,
}

pub(in crate::cli) fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

impl AddOptions {
    pub(super) async fn run(self, connection: &Connection) -> Result<(), Failure> {
        let spec = match &self.file {
            Some(file) => read(file)?,
            None => self.spec(),
        };
        let host = connection.client()?.add_host(&spec).await?;
        let output = &connection.output;
        output.print(&host, || table::host(&host, now(), output.columns()))
    }

    fn spec(self) -> HostSpec {
        HostSpec {
            name: self.name.unwrap_or_default(),
            macs: self.macs,
            serial: self.serial,
            uuid: self.uuid,
            arch: self.arch,
            platform: self.platform,
            provider: self.device.map(|device| ProviderSpec {
                device,
                metadata: self.metadata,
            }),
            role: self.role,
            cluster: self.cluster,
            known_by: self.known_by,
            install: InstallSpec {
                disk: self.disk,
                disk_boot: self.disk_boot,
                console: self.consoles,
                ..InstallSpec::default()
            },
            ssh_keys: self.ssh_keys,
            packages: self.packages,
            labels: self.labels.into_iter().collect::<BTreeMap<_, _>>(),
            ..HostSpec::default()
        }
    }
}

/// The error names line, column and field.
fn read(file: &Path) -> Result<HostSpec, Failure> {
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
        options: AddOptions,
    }

    fn parse(line: &str) -> Result<HostSpec, String> {
        let words = std::iter::once("add").chain(line.split_whitespace());
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        Ok(line.options.spec())
    }

    #[test]
    fn a_line_describes_a_host() {
        let spec = parse(
            "agent-1 --mac 02:00:00:00:00:01,02:00:00:00:00:02 --mac 02:00:00:00:00:03 --role server --cluster demo \
             --label rack=r7 --label x= --package htop --disk S1 --disk-boot exit-1 --console ttyS1,115200n8 --known-by key",
        )
        .unwrap();
        insta::assert_json_snapshot!(spec);
    }

    #[test]
    fn a_wrong_word_is_told_the_right_ones() {
        let error = parse("a --role boss").unwrap_err();
        assert!(error.contains("expected server, agent, runner"), "{error}");
        assert!(parse("a --label rack").unwrap_err().contains("expected KEY=VALUE"));
        assert!(parse("").unwrap_err().contains("required"));
        assert!(parse("a --file x").unwrap_err().contains("cannot be used"));
    }
}
