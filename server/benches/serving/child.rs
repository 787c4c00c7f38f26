//! The binary, in a process of its own.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::process::{Child, Command};

/// A start takes milliseconds.
const START_LIMIT: Duration = Duration::from_secs(60);

/// What Linux tells processor times in, on every architecture that we build for.
const TICK_MS: u64 = 10;

/// A running server.
pub(crate) struct Server {
    /// Address of the boot plane.
    pub(crate) boot: String,
    /// Address of the control plane.
    pub(crate) control: String,
    /// From the process's start until both listeners were open.
    pub(crate) start_time: Duration,
    child: Child,
}

impl Server {
    pub(crate) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let data_dir = folder.join("data");
        let begin = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_thirdboot"))
            .arg("serve")
            .arg("--data-dir")
            .arg(&data_dir)
            .arg("--assets-dir")
            .arg(folder.join("assets"))
            .args(["--boot-listen", "127.0.0.1:0", "--control-listen", "127.0.0.1:0"])
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        loop {
            if let Ok(text) = std::fs::read_to_string(data_dir.join("endpoints.json")) {
                let start_time = begin.elapsed();
                let told: serde_json::Value = serde_json::from_str(&text)?;
                let address = |plane: &str| {
                    let url = told[plane].as_str()?;
                    url.strip_prefix("http://").map(str::to_owned)
                };
                return Ok(Self {
                    boot: address("boot").context("endpoints.json")?,
                    control: address("control").context("endpoints.json")?,
                    start_time,
                    child,
                });
            }
            if let Some(status) = child.try_wait()? {
                bail!("the server ended with {status}");
            }
            anyhow::ensure!(begin.elapsed() < START_LIMIT, "the server does not start");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Resident memory now, in KiB.
    pub(crate) fn memory(&self) -> anyhow::Result<u64> {
        self.status("VmRSS:")
    }

    /// The most it ever was, in KiB.
    pub(crate) fn highest_memory(&self) -> anyhow::Result<u64> {
        self.status("VmHWM:")
    }

    /// Processor time that it took so far. What else runs on the machine does not count.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        let id = self.child.id().context("the server ended")?;
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
        // proc_pid_stat(5): after the name in brackets come state and, as the 12th and 13th from there, utime and stime.
        let (_, fields) = stat.rsplit_once(')').context("no name")?;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        let ticks = ticks.sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * TICK_MS))
    }

    fn status(&self, name: &str) -> anyhow::Result<u64> {
        let id = self.child.id().context("the server ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .context("no such line")?;
        let kib = line.split_whitespace().next().context("no number")?;
        Ok(kib.parse()?)
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("cannot be ended")
    }
}
