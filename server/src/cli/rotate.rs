//! `thirdboot rotate-key`: another master key, without stranding a host.

use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use thirdboot_lifecycle::KnownBy;
use thirdboot_store::{HostFilter, HostState, Store as _};
use thirdboot_store_sqlite::maintenance::{self, Sealed};
use thirdboot_store_sqlite::{OpenOptions, SqliteStore};

use super::data_dir::DataDir;
use super::{Failure, Output, now};
use crate::cluster;
use crate::secrets::{Keys, MASTER_KEY_VARIABLE, Secrets};

/// Hosts read at once.
const PAGE: u32 = 500;
/// Names that are listed.
const MAX_NAMED: usize = 20;

/// Another master key.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage. See docs/backup.md.")]
#[command(mut_arg("json", |json| json.help("Print what was done, as JSON: short for --output json. This command asks no API")))]
pub struct RotateOptions {
    #[command(flatten)]
    data_dir: DataDir,
    /// Make no new key, but give up the former ones: their secrets open nothing any more.
    #[arg(long)]
    forget_former: bool,
    /// Also while hosts hold secrets of a former key: they are refused until they are armed again.
    #[arg(long, requires = "forget_former")]
    force: bool,
    #[command(flatten)]
    output: Output,
}

/// What was done, for programs.
#[derive(Debug, Serialize)]
struct Done<'a> {
    /// The file with the master key.
    file: String,
    /// Whether a new key was made.
    rotated: bool,
    /// Former keys that were given up.
    forgotten: usize,
    /// Documents and secrets of clusters that the present key seals now.
    resealed: u64,
    /// Hosts that hold secrets of a former key: good until it is forgotten, refused from then on.
    holders: Vec<&'a str>,
}

impl RotateOptions {
    pub(super) async fn run(self) -> Result<(), Failure> {
        if std::env::var_os(MASTER_KEY_VARIABLE).is_some() {
            return Err(Failure::Usage(format!(
                "{MASTER_KEY_VARIABLE} holds the master key: rotate it there, as docs/backup.md says"
            )));
        }
        let file = self.data_dir.master_key()?;
        let keys = Keys::read(&file)?.with_context(|| format!("{}: no such file", file.display()))?;
        let store = self.data_dir.store()?;
        // Takes the database's lock: no server runs with the old key meanwhile.
        let hosts = hosts(store.clone()).await?;
        if self.forget_former {
            forget(keys, &file, &store, &hosts, self.force, &self.output).await
        } else {
            rotate(keys, &file, &store, &hosts, &self.output).await
        }
    }
}

async fn hosts(options: OpenOptions) -> Result<Vec<HostState>, anyhow::Error> {
    let (store, _) = SqliteStore::open(options).await?;
    let mut hosts: Vec<HostState> = Vec::new();
    loop {
        let filter = HostFilter {
            after: hosts.last().map(|state| state.host.name.clone()),
            limit: PAGE,
            ..HostFilter::default()
        };
        let page = store.hosts(&filter).await?;
        hosts.extend(page.items);
        if !page.more {
            break;
        }
    }
    store.close().await;
    Ok(hosts)
}

/// The file first: whatever happens after it, both keys are known.
async fn rotate(
    keys: Keys,
    file: &Path,
    store: &OpenOptions,
    hosts: &[HostState],
    output: &Output,
) -> Result<(), Failure> {
    let rotated_at = now();
    let keys = keys.rotated(rotated_at)?;
    keys.write(file)?;
    let resealed = reseal(&keys, store).await?;
    let done = Done {
        file: file.display().to_string(),
        rotated: true,
        forgotten: 0,
        resealed,
        holders: holders(hosts, rotated_at),
    };
    output.print(&done, || {
        let file = file.display();
        let told = format!("{file}: a new master key; documents and secrets of clusters: {resealed} sealed anew\n");
        if done.holders.is_empty() {
            return told
                + "no host holds a secret of the former key: `thirdboot rotate-key --forget-former` gives it up\n";
        }
        let (count, names) = (done.holders.len(), listed(&done.holders));
        format!(
            "{told}the former key still opens what it made: {count} hosts hold secrets of it until they are armed again \
             ({names})\n"
        )
    })
}

async fn forget(
    keys: Keys,
    file: &Path,
    store: &OpenOptions,
    hosts: &[HostState],
    force: bool,
    output: &Output,
) -> Result<(), Failure> {
    let mut done = Done {
        file: file.display().to_string(),
        rotated: false,
        forgotten: 0,
        resealed: 0,
        holders: Vec::new(),
    };
    let Some(latest) = keys.former.iter().map(|former| former.rotated_at).max() else {
        return output.print(&done, || "there is no former key\n".to_owned());
    };
    let holders = holders(hosts, latest);
    if !holders.is_empty() && !force {
        return Err(Failure::Other(anyhow::anyhow!(
            "{} hosts hold secrets of a former key and would be refused: {}. Arm them again, or give them up with --force",
            holders.len(),
            listed(&holders)
        )));
    }
    // Nothing may be left that only a former key opens.
    done.resealed = reseal(&keys, store).await?;
    done.forgotten = keys.former.len();
    done.holders = holders;
    let keys = Keys {
        former: Vec::new(),
        ..keys
    };
    keys.write(file)?;
    output.print(&done, || {
        let told = format!(
            "{}: {} former keys are forgotten; documents and secrets of clusters: {} sealed anew\n",
            file.display(),
            done.forgotten,
            done.resealed
        );
        if done.holders.is_empty() {
            return told;
        }
        format!(
            "{told}refused from now on until armed again: {}\n",
            listed(&done.holders)
        )
    })
}

async fn reseal(keys: &Keys, store: &OpenOptions) -> Result<u64, anyhow::Error> {
    let secrets = Secrets::with(keys);
    let resealed = maintenance::reseal(&store.db_path, |sealed| {
        let renewed = match sealed {
            Sealed::Document {
                host,
                run,
                kind,
                sealed,
            } => secrets
                .unseal(host, run, kind, sealed)
                .and_then(|plain| secrets.seal(host, run, kind, &plain)),
            Sealed::Answer { caller, key, sealed } => secrets
                .unseal_answer(caller, key, sealed)
                .and_then(|plain| secrets.seal_answer(caller, key, &plain)),
            Sealed::Cluster {
                name,
                is_kubeconfig,
                sealed,
            } => cluster::seal_anew(&secrets, name, is_kubeconfig, sealed),
        };
        renewed.map_err(|error| error.to_string())
    });
    Ok(resealed.await?)
}

/// Who was given secrets of a key that was rotated away then: by arming before, or with a boot URL of its own.
fn holders(hosts: &[HostState], rotated_at: Timestamp) -> Vec<&str> {
    let holds = |state: &&HostState| {
        let has_run = state
            .run
            .as_ref()
            .is_some_and(|run| run.permit.issued_at <= rotated_at && run.was_claimed() | !run.stage.is_end());
        !state.host.retired && (has_run || state.host.known_by == KnownBy::Key)
    };
    let holders = hosts.iter().filter(holds);
    holders.map(|state| state.host.name.as_str()).collect()
}

fn listed(names: &[&str]) -> String {
    let mut listed: Vec<&str> = names.iter().copied().take(MAX_NAMED).collect();
    if names.len() > MAX_NAMED {
        listed.push("…");
    }
    listed.join(", ")
}
