//! The real Zincati, on a machine of its own: its config is what the host was installed with, its programs `rpm-ostree` and
//! `loginctl` are strict stand-ins, and its update graph comes from a small server that knows one update.

mod graph;

use std::fs::{self, File};
use std::io::PipeReader;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

pub use graph::Graph;

use crate::host::ignition::Config;
use crate::wait;

/// Checksum of what is installed first.
pub const OLD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// Checksum of the update.
pub const NEW: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
/// Zincati's five minutes become five seconds.
const SPEED: &str = "60";
/// Outer bound of everything that is waited for.
const LIMIT: Duration = Duration::from_secs(120);

/// What the rendered config must hold, and what Zincati is given.
const IDENTITY: &str = "/etc/zincati/config.d/50-identity.toml";
const LOCK: &str = "/etc/thirdboot/zincati.toml";

/// A machine with a Zincati. Dropping it kills that.
#[derive(Debug)]
pub struct ZincatiMachine {
    folder: TempDir,
    running: Option<Running>,
}

/// What a boot started.
#[derive(Debug)]
struct Running {
    child: Child,
    /// Every process of the machine holds the other end.
    gone: PipeReader,
}

impl ZincatiMachine {
    /// Machine `n` with the installed config that a host was served.
    ///
    /// # Errors
    /// When the config lacks what Zincati needs.
    pub fn new(n: u8, config: &Config, graph: &Graph) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("zincati-").tempdir()?;
        // The user zincati must get to what is below.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let at = |name: &str| folder.path().join(name);
        for name in ["bin", "state", "config.d"] {
            fs::create_dir(at(name))?;
        }
        for (name, text) in [
            ("rpm-ostree", include_str!("rpm-ostree")),
            ("loginctl", include_str!("loginctl")),
        ] {
            fs::write(at("bin").join(name), text)?;
            fs::set_permissions(at("bin").join(name), fs::Permissions::from_mode(0o755))?;
        }
        fs::write(at("state/booted"), OLD)?;
        fs::write(at("cmdline"), "ignition.platform.id=metal\n")?;
        fs::write(at("machine-id"), format!("{n:032x}\n"))?;
        let file = |path: &str| {
            config
                .file(path)
                .with_context(|| format!("the host's config has no {path}"))
        };
        fs::write(at("config.d/50-identity.toml"), file(IDENTITY)?)?;
        fs::write(at("config.d/55-updates-strategy.toml"), file(LOCK)?)?;
        ensure!(
            config.file_mode(LOCK) == Some(0o600),
            "everybody can read where the lock is"
        );
        let graph = format!("[cincinnati]\nbase_url = \"{}\"\n", graph.url);
        fs::write(at("config.d/60-graph.toml"), graph)?;
        Ok(Self { folder, running: None })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts Zincati, as a boot does.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn boot(&mut self) -> Result<()> {
        let program = std::env::var("ZINCATI").context("ZINCATI names the program: tests/run peers")?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/zincati/machine.sh");
        let log = File::options().create(true).append(true).open(self.at("log"))?;
        let (gone, held) = std::io::pipe()?;
        let child = Command::new("unshare")
            .arg("--mount")
            .args(["--kill-child", "--fork", "--pid", "--mount-proc"])
            .arg("bash")
            .arg(script)
            .arg(self.folder.path())
            .args([&program, SPEED])
            .stdout(log.try_clone()?)
            .stderr(log)
            .stdin(held)
            .kill_on_drop(true)
            .spawn()?;
        self.running = Some(Running { child, gone });
        Ok(())
    }

    /// The machine goes down; what was finalized is what boots next.
    ///
    /// # Errors
    /// When it does not run, or a process of it is left.
    pub async fn go_down(&mut self) -> Result<()> {
        let Running { mut child, gone } = self.running.take().context("it does not run")?;
        child.kill().await?;
        // At its end only when nobody holds it any more.
        let mut gone = pipe::Receiver::from_owned_fd(gone.into())?;
        let read = tokio::time::timeout(LIMIT, gone.read(&mut [0])).await;
        ensure!(read.context("a process of the machine is left")?? == 0, "it spoke");
        if let Ok(finalized) = fs::read_to_string(self.at("state/finalized")) {
            fs::write(self.at("state/booted"), finalized.trim())?;
            fs::remove_file(self.at("state/finalized"))?;
            fs::remove_file(self.at("state/staged"))?;
        }
        Ok(())
    }

    /// Whether it got past pre-reboot, and is about to go down.
    #[must_use]
    pub fn is_past_pre_reboot(&self) -> bool {
        self.at("state/finalized").exists()
    }

    /// Waits until it is about to go down.
    ///
    /// # Errors
    /// When it is not within two minutes: with its log.
    pub async fn until_past_pre_reboot(&self) -> Result<()> {
        let waited = wait::until("past pre-reboot", LIMIT, async || {
            Ok(self.is_past_pre_reboot().then_some(()))
        });
        waited.await.with_context(|| self.log())
    }

    /// What it wrote, all of it.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.at("log")).unwrap_or_default()
    }

    /// How `rpm-ostree` was called, in order.
    ///
    /// # Errors
    /// When it never was.
    pub fn calls(&self) -> Result<Vec<String>> {
        let calls = fs::read_to_string(self.at("state/calls"))?;
        Ok(calls.lines().map(str::to_owned).collect())
    }
}
