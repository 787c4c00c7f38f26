//! An installed machine's disk, and its boots.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::{Child, Command};
use uuid::Uuid;

use super::succeeded;
use crate::ignition::Tree;

const MACHINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/standins/machine.sh");

/// How a boot ends that ends in a reboot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// An orderly shutdown, which finalises a staged deployment.
    Orderly,
    /// Somebody pulls the plug instead.
    PowerCut,
}

/// A disk with what Ignition wrote, and what was written since.
#[derive(Debug)]
pub struct Disk {
    tree: Tree,
    folder: PathBuf,
}

/// A machine that is up. Dropping it pulls the plug.
#[derive(Debug)]
pub struct Powered(Child);

impl Disk {
    /// The disk of machine `name` in this folder.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn of(tree: Tree, folder: &Path, name: &str) -> Result<Self> {
        let folder = folder.join(name);
        fs::create_dir(&folder)?;
        Ok(Self { tree, folder })
    }

    fn powered(&self, end: &str) -> Command {
        let mut machine = Command::new("unshare");
        machine
            .args(["--mount", "--pid", "--fork", "--kill-child", "bash", MACHINE])
            .arg(&self.folder)
            .arg(self.tree.path("/"))
            .arg(Uuid::new_v4().to_string())
            .arg(end)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        machine
    }

    /// Boots it until it reboots by itself.
    ///
    /// # Errors
    /// When a unit's program fails, or none of them reboots.
    pub async fn boot_until(&self, end: End) -> Result<()> {
        let end = match end {
            End::Orderly => "orderly",
            End::PowerCut => "power-cut",
        };
        succeeded("the boot", &self.powered(end).output().await?)
    }

    /// Boots it, to stay up.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn boot(&self) -> Result<Powered> {
        let log = fs::File::create(self.folder.join("console"))?;
        let mut machine = self.powered("stay");
        machine.stdout(log.try_clone()?).stderr(log);
        machine.spawn().map(Powered).context("unshare (package util-linux)")
    }

    /// Fails if the machine is off, saying what its console said.
    ///
    /// # Errors
    /// When it is off.
    pub fn is_up(&self, powered: &mut Powered) -> Result<()> {
        let said = fs::read_to_string(self.folder.join("console")).unwrap_or_default();
        ensure!(powered.0.try_wait()?.is_none(), "the machine is off:\n{said}");
        Ok(())
    }

    /// What its programs wrote to this file.
    ///
    /// # Errors
    /// When none of them wrote it.
    pub fn written(&self, path: &str) -> Result<String> {
        let file = self.folder.join("upper").join(path.trim_start_matches('/'));
        fs::read_to_string(&file).with_context(|| format!("nothing wrote {path}"))
    }
}
