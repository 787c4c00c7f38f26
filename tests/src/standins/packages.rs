//! A repository of small real packages, signed, as the fleet's hosts are told of it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use tokio::process::{Child, Command};

use super::succeeded;
use crate::{Site, wait};

/// Where it is served, in a network of the test's own.
const AUTHORITY: &str = "[::1]:8090";

/// The repository. Dropping it ends its server.
#[derive(Debug)]
pub struct Packages {
    key: String,
    serving: Child,
}

impl Packages {
    /// Makes and serves them.
    ///
    /// # Errors
    /// When a tool is missing.
    pub async fn serve(folder: &Path) -> Result<Self> {
        let made = folder.join("packages");
        fs::create_dir(&made)?;
        let recipe = concat!(env!("CARGO_MANIFEST_DIR"), "/metal/os/packages.sh");
        // Whatever agent gpg starts ends with it.
        let ran = Command::new("unshare")
            .args(["--pid", "--fork", "--kill-child", "--mount-proc", "bash", recipe])
            .env("work", &made)
            .output()
            .await?;
        succeeded("packages.sh (packages rpm, createrepo-c, gnupg)", &ran)?;
        let served = made.join("out/packages");
        let serving = Command::new("busybox")
            .args(["httpd", "-f", "-p", AUTHORITY, "-h"])
            .arg(&served)
            .kill_on_drop(true)
            .spawn()
            .context("busybox")?;
        let mut packages = Self {
            key: fs::read_to_string(served.join("RPM-GPG-KEY-standin"))?,
            serving,
        };
        let url = format!("http://{AUTHORITY}/repodata/repomd.xml");
        let limit = std::time::Duration::from_secs(30);
        wait::until("the packages are served", limit, async || {
            ensure!(packages.serving.try_wait()?.is_none(), "busybox httpd has ended");
            Ok(reqwest::get(&url)
                .await
                .ok()
                .filter(|answer| answer.status().is_success()))
        })
        .await?;
        Ok(packages)
    }

    /// Tells a site's server of them.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn offer(&self, site: &Site) -> Result<()> {
        let url = format!("http://{AUTHORITY}/");
        site.admin.offer_packages(&url, &self.key).await
    }
}
