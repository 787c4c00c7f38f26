//! `thirdboot rotate-key`: another master key, without stranding a host.

use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use thirdboot_lifecycle::KnownBy;
use thirdboot_store::{HostFilter, HostState, Store as _};
use thirdboot_store_sqlite::maintenance::{self, Sealed};
use thirdboot_store_sqlite::{OpenOptions, SqliteStore};

use super::data_dir::DataDir;
use super::{Failure, now};
use crate::cluster;
use crate::secrets::{Keys, MASTER_KEY_VARIABLE, Secrets};

/// Hosts read at once.
const PAGE: u32 = 500;
/// Names that are listed.
const MAX_NAMED: usize = 20;

/// Another master key.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage. See docs/backup.md.")]
pub struct RotateOptions {
    #[command(flatten)]
    data_dir: DataDir,
    /// Make no new key, but give up the former ones: their secrets open nothing any more.
    #[arg(long)]
    forget_former: bool,
    /// Also while hosts hold secrets of a former key: they are refused until they are armed again.
    #[arg(long, requires = "forget_former")]
    force: bool,
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
            forget(keys, &file, &store, &hosts, self.force).await
        } else {
            rotate(keys, &file, &store, &hosts).await
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
async fn rotate(keys: Keys, file: &Path, store: &OpenOptions, hosts: &[HostState]) -> Result<(), Failure> {
    let rotated_at = now();
    let keys = keys.rotated(rotated_at)?;
    keys.write(file)?;
    let resealed = reseal(&keys, store).await?;
    println!(
        "{}: a new master key; documents and secrets of clusters: {resealed} sealed anew",
        file.display()
    );
    let holders = holders(hosts, rotated_at);
    if holders.is_empty() {
        println!("no host holds a secret of the former key: `thirdboot rotate-key --forget-former` gives it up");
    } else {
        println!(
            "the former key still opens what it made: {} hosts hold secrets of it until they are armed again ({})",
            holders.len(),
            listed(&holders)
        );
    }
    Ok(())
}

async fn forget(keys: Keys, file: &Path, store: &OpenOptions, hosts: &[HostState], force: bool) -> Result<(), Failure> {
    let Some(latest) = keys.former.iter().map(|former| former.rotated_at).max() else {
        println!("there is no former key");
        return Ok(());
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
    let resealed = reseal(&keys, store).await?;
    let count = keys.former.len();
    let keys = Keys {
        former: Vec::new(),
        ..keys
    };
    keys.write(file)?;
    println!(
        "{}: {count} former keys are forgotten; documents and secrets of clusters: {resealed} sealed anew",
        file.display()
    );
    if !holders.is_empty() {
        println!("refused from now on until armed again: {}", listed(&holders));
    }
    Ok(())
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
fn holders(hosts: &[HostState], rotated_at: Timestamp) -> Vec<&HostState> {
    let holds = |state: &&HostState| {
        let has_run = state
            .run
            .as_ref()
            .is_some_and(|run| run.permit.issued_at <= rotated_at && run.was_claimed() | !run.stage.is_end());
        !state.host.retired && (has_run || state.host.known_by == KnownBy::Key)
    };
    hosts.iter().filter(holds).collect()
}

fn listed(hosts: &[&HostState]) -> String {
    let mut names: Vec<&str> = hosts
        .iter()
        .take(MAX_NAMED)
        .map(|state| state.host.name.as_str())
        .collect();
    if hosts.len() > MAX_NAMED {
        names.push("…");
    }
    names.join(", ")
}
