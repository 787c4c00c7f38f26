//! An installed machine's disk, and its boots.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use uuid::Uuid;

use crate::ignition::Tree;

const MACHINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/standins/machine.sh");

/// Outer bound of a boot that ends in a reboot: it layers some small packages.
const BOOT_LIMIT: Duration = Duration::from_secs(300);

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

    fn powered(&self, end: &str) -> Result<Child> {
        let log = fs::File::create(self.folder.join("console"))?;
        let mut machine = Command::new("unshare");
        machine
            .args(["--mount", "--pid", "--fork", "--kill-child", "bash", MACHINE])
            .arg(&self.folder)
            .arg(self.tree.path("/"))
            .arg(Uuid::new_v4().to_string())
            .arg(end)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        machine.spawn().context("unshare (package util-linux)")
    }

    /// What this boot said.
    fn console(&self) -> String {
        fs::read_to_string(self.folder.join("console")).unwrap_or_default()
    }

    /// Boots it until it reboots by itself.
    ///
    /// # Errors
    /// When a unit's program fails, none of them reboots, or the outer bound passes.
    pub async fn boot_until(&self, end: End) -> Result<()> {
        let end = match end {
            End::Orderly => "orderly",
            End::PowerCut => "power-cut",
        };
        let ended = timeout(BOOT_LIMIT, self.powered(end)?.wait()).await;
        let late = || {
            format!(
                "the boot has no end within {} s:\n{}",
                BOOT_LIMIT.as_secs(),
                self.console()
            )
        };
        let status = ended.with_context(late)??;
        ensure!(status.success(), "the boot: {status}\n{}", self.console());
        Ok(())
    }

    /// Boots it, to stay up.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn boot(&self) -> Result<Powered> {
        self.powered("stay").map(Powered)
    }

    /// Fails if the machine is off, saying what its console said.
    ///
    /// # Errors
    /// When it is off.
    pub fn is_up(&self, powered: &mut Powered) -> Result<()> {
        ensure!(
            powered.0.try_wait()?.is_none(),
            "the machine is off:\n{}",
            self.console()
        );
        Ok(())
    }

    /// Whether a unit starts at every boot.
    ///
    /// # Errors
    /// When the unit's link cannot be read.
    pub fn is_enabled(&self, unit: &str) -> Result<bool> {
        let wants = self.folder.join("upper/etc/systemd/system/multi-user.target.wants");
        match fs::read_link(wants.join(unit)) {
            Ok(target) => Ok(target.ends_with(unit)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
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
