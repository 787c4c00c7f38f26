//! `thirdboot assets …`: the server's mirror. The server does the work; here is only who watches.

mod bars;
mod pulls;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;
use thirdboot_api::control::{AddFileBody, Arch, AssetsView, PullBody, PullState, PullView};

use super::table::table;
use super::{Connection, Failure};

/// How often progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// The mirror, over the API.
#[derive(Debug, Args)]
#[command(after_help = super::EXIT_CODES)]
pub struct AssetsCommand {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Have the server download the latest version of a stream. Ctrl-C ends the watching, not the download.
    Pull {
        /// The stream: stable, testing, next.
        stream: String,
        /// For which machines: `x86_64` or aarch64.
        #[arg(long, default_value_t)]
        arch: Arch,
        /// Also the disk image, for hosts to install rather than the one that the live system carries.
        #[arg(long)]
        image: bool,
        /// Arm no host with it that does not pin it.
        #[arg(long)]
        keep_current: bool,
    },
    /// Add a file with a hash: k3s, firmware, whatever units fetch. Everybody on the boot plane may fetch it.
    Add {
        /// A URL that the server downloads, or a file here.
        source: String,
        /// Its SHA-256 in hex.
        #[arg(long, value_name = "HEX")]
        sha256: String,
        /// Its name in the mirror; none means the last part of the source.
        #[arg(long)]
        name: Option<String>,
    },
    /// Show versions and files, and who needs them.
    List,
    /// List what was downloaded since the server's start, and what is under way, the latest first.
    Pulls,
    /// Watch a download until it has ended.
    Watch {
        /// Its number.
        id: u64,
    },
    /// End a download. What is there of it stays for the next one.
    Cancel {
        /// Its number.
        id: u64,
    },
    /// Remove a file, or with `--arch` a version that nobody needs.
    Remove {
        /// The file's name, or the version.
        name: String,
        /// The version's architecture.
        #[arg(long)]
        arch: Option<Arch>,
    },
}

impl AssetsCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let connection = &self.connection;
        let client = connection.client()?;
        match self.action {
            Action::Pull {
                stream,
                arch,
                image,
                keep_current,
            } => {
                let body = PullBody {
                    stream,
                    arch,
                    image,
                    keep_current,
                };
                let begun = client.pull_assets(&body).await?;
                watch(connection, begun).await
            }
            Action::Add { source, sha256, name } => {
                if source.starts_with("http://") || source.starts_with("https://") {
                    let body = AddFileBody {
                        url: source,
                        sha256,
                        name,
                    };
                    let begun = client.add_asset_url(&body).await?;
                    return watch(connection, begun).await;
                }
                let path = PathBuf::from(&source);
                let last = path.file_name().map(|name| name.to_string_lossy().into_owned());
                let name = name.or(last).unwrap_or_default();
                let file = tokio::fs::File::open(&path)
                    .await
                    .map_err(|error| Failure::Usage(format!("{source}: {error}")))?;
                let added = client.put_asset_file(&name, &sha256, file).await?;
                connection
                    .output
                    .print(&added, || format!("{}: {} bytes\n", added.name, added.size))
            }
            Action::List => {
                let assets = client.assets().await?;
                connection
                    .output
                    .print(&assets, || listed(&assets, connection.output.columns()))
            }
            Action::Pulls => {
                let pulls = client.asset_pulls().await?.items;
                let output = &connection.output;
                output.print(&pulls, || pulls::table(&pulls, output.columns()))
            }
            Action::Watch { id } => watch(connection, client.asset_pull(id).await?).await,
            Action::Cancel { id } => {
                let pull = client.cancel_asset_pull(id).await?;
                connection
                    .output
                    .print(&pull, || format!("{id}: {}\n", pulls::how(&pull)))
            }
            Action::Remove { name, arch: None } => {
                client.remove_asset_file(&name).await?;
                connection
                    .output
                    .print(&json!({"removed": name}), || format!("{name}: removed\n"))
            }
            Action::Remove { name, arch: Some(arch) } => {
                client.remove_asset_version(arch, &name).await?;
                connection
                    .output
                    .print(&json!({"removed": name}), || format!("{name}: removed\n"))
            }
        }
    }
}

/// Looks until it has ended.
async fn watch(connection: &Connection, begun: PullView) -> Result<(), Failure> {
    let client = connection.client()?;
    let mut bars = bars::Bars::default();
    let mut pull = begun;
    while !pull.state.is_end() {
        bars.show(&pull);
        tokio::time::sleep(LOOK_EVERY).await;
        pull = client.asset_pull(pull.id).await?;
    }
    bars.show(&pull);
    bars.end();
    connection.output.print(&pull, || ended(&pull))?;
    if pull.state == PullState::Done {
        return Ok(());
    }
    let why = pull.failed.as_deref().unwrap_or("it has ended");
    Err(Failure::Other(anyhow::anyhow!("{why}")))
}

fn ended(pull: &PullView) -> String {
    if pull.state != PullState::Done {
        return String::new();
    }
    let what = match (&pull.version, pull.files.as_slice()) {
        (Some(version), _) => format!("{version} is in the mirror"),
        (None, [file, ..]) => format!("{} is in the mirror", file.name),
        (None, []) => "done".to_owned(),
    };
    match pull.pruned.as_slice() {
        [] => format!("{what}\n"),
        pruned => format!("{what}; removed: {}\n", pruned.join(", ")),
    }
}

fn listed(assets: &AssetsView, columns: Option<u16>) -> String {
    let mut table = table(&["ARCH", "VERSION OR FILE", "MIB", "WHAT FOR"], columns);
    for version in &assets.versions {
        let what_for = version.links.iter().chain(&version.needed_by);
        table.add_row([
            version.arch.clone(),
            version.version.clone(),
            mib(version.bytes),
            what_for.cloned().collect::<Vec<_>>().join(", "),
        ]);
    }
    for file in &assets.files {
        table.add_row([
            String::new(),
            file.name.clone(),
            mib(file.size),
            format!("/files/{}, sha256 {}", file.name, file.sha256),
        ]);
    }
    if assets.versions.is_empty() && assets.files.is_empty() {
        return "nothing is mirrored: thirdboot assets pull stable\n".to_owned();
    }
    super::table::text(&table)
}

fn mib(bytes: u64) -> String {
    format!("{}", bytes.div_ceil(1 << 20))
}
