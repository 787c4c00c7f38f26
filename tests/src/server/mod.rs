//! The real server as a child process, with a data folder of its own.

pub mod binary;

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::process::Child;
use tokio::time::timeout;

use crate::{bound, wait};

/// Outer bound of a start; a start takes milliseconds.
const START_LIMIT: Duration = Duration::from_secs(30);
/// Outer bound of a clean stop.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// How the server is started.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its data folder.
    pub data_dir: PathBuf,
    /// Its assets.
    pub assets_dir: PathBuf,
    /// Address of the boot plane.
    pub boot_listen: String,
    /// Address of the control plane.
    pub control_listen: String,
    /// What it logs.
    pub log: String,
    /// Further arguments.
    pub arguments: Vec<String>,
}

/// Where a started server listens.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Base URL of the boot plane.
    pub boot: String,
    /// Base URL of the control plane.
    pub control: String,
}

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub struct TestServer {
    /// How it was started; a restart uses the same ports.
    pub settings: Settings,
    /// Where it listens.
    pub endpoints: Endpoints,
    child: Child,
}

impl TestServer {
    /// Starts the binary and waits until both listeners are open.
    ///
    /// # Errors
    /// When it ends, or does not say where it listens, within half a minute.
    pub async fn start(mut settings: Settings) -> Result<Self> {
        let child = spawn(&settings).await?;
        let mut server = Self {
            endpoints: Endpoints::none(),
            settings: settings.clone(),
            child,
        };
        server.endpoints = server.wait_until_open().await?;
        settings.boot_listen = address(&server.endpoints.boot);
        settings.control_listen = address(&server.endpoints.control);
        server.settings = settings;
        Ok(server)
    }

    async fn wait_until_open(&mut self) -> Result<Endpoints> {
        let file = endpoints_file(&self.settings.data_dir);
        wait::until("endpoints.json", START_LIMIT, async || {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}:\n{}", self.log()?);
            }
            // Written atomically: it is there whole, or not at all.
            fs::read(&file).ok().map(|bytes| Endpoints::read(&bytes)).transpose()
        })
        .await
    }

    /// Kills it as the kernel's OOM killer would.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("kill -9")
    }

    /// Asks it to stop, and waits until it did.
    ///
    /// # Errors
    /// When it does not stop within half a minute, or not cleanly.
    pub async fn stop(&mut self) -> Result<()> {
        let id = self.child.id().context("not running")?;
        let pid = Pid::from_raw(i32::try_from(id)?).context("no pid")?;
        kill_process(pid, Signal::TERM)?;
        let status = timeout(STOP_LIMIT, self.child.wait())
            .await
            .context("ignores SIGTERM")??;
        ensure!(status.success(), "stopped with {status}:\n{}", self.log()?);
        Ok(())
    }

    /// Starts it again on the same folder and the same ports.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_again(&mut self) -> Result<()> {
        self.child = spawn(&self.settings).await?;
        self.wait_until_open().await?;
        Ok(())
    }

    /// Everything it has logged.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(log_file(&self.settings.data_dir))?).into_owned())
    }

    /// The token of the first start.
    ///
    /// # Errors
    /// When there is none, or others can read it.
    pub fn admin_token(&self) -> Result<String> {
        use std::os::unix::fs::PermissionsExt as _;
        let file = self.settings.data_dir.join("admin-token");
        let mode = fs::metadata(&file)?.permissions().mode() & 0o777;
        ensure!(mode == 0o600, "admin-token has mode {mode:o}");
        Ok(fs::read_to_string(file)?.trim().to_owned())
    }
}

impl Endpoints {
    fn none() -> Self {
        Self {
            boot: String::new(),
            control: String::new(),
        }
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        let value: Value = serde_json::from_slice(bytes)?;
        let url = |key: &str| value[key].as_str().map(str::to_owned).context("endpoints.json");
        Ok(Self {
            boot: url("boot")?,
            control: url("control")?,
        })
    }
}

async fn spawn(settings: &Settings) -> Result<Child> {
    // What a killed server left behind would be taken for this start's word.
    let _ = fs::remove_file(endpoints_file(&settings.data_dir));
    let log = log_file(&settings.data_dir);
    let log: File = OpenOptions::new().create(true).append(true).open(log)?;
    let binary = binary::path().await?;
    bound::command(&binary)
        .arg("serve")
        .arg("--data-dir")
        .arg(&settings.data_dir)
        .arg("--assets-dir")
        .arg(&settings.assets_dir)
        .args(["--boot-listen", &settings.boot_listen])
        .args(["--control-listen", &settings.control_listen])
        .args(&settings.arguments)
        .env("RUST_LOG", &settings.log)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("{} cannot be started", binary.display()))
}

fn endpoints_file(data_dir: &Path) -> PathBuf {
    data_dir.join("endpoints.json")
}

/// Beside the data folder, so that the folder holds what the server made and nothing else.
fn log_file(data_dir: &Path) -> PathBuf {
    data_dir.with_extension("log")
}

fn address(url: &str) -> String {
    url.trim_start_matches("http://").trim_end_matches('/').to_owned()
}
