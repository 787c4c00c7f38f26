//! The hardware: it powers on and does what it is told.

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, StatusCode};
use uuid::Uuid;

use super::fetch;
use super::hardware::Hardware;
use super::ignition::Config;
use super::installed::InstalledSystem;
use super::live::LiveSystem;
use super::script::{Script, Verdict, expand};

/// What an install left on the disk.
#[derive(Clone, Debug)]
pub struct Installation {
    /// The installed config.
    pub config: Config,
    /// The checksum of the deployment that boots next.
    pub deployment: String,
}

/// A machine in the rack.
#[derive(Debug)]
pub struct Machine {
    /// What it is made of.
    pub hardware: Hardware,
    /// The URL its firmware boots from.
    pub firmware_url: String,
    /// What is on its disk.
    pub disk: Option<Installation>,
    client: Client,
}

impl Machine {
    /// A machine whose firmware has a boot URL.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(firmware_url: impl Into<String>, hardware: Hardware) -> Result<Self> {
        let client = fetch::client()?;
        Ok(Self {
            hardware,
            firmware_url: firmware_url.into(),
            disk: None,
            client,
        })
    }

    /// Puts the machine behind a proxy that answers for every name.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn through(mut self, proxy: &str) -> Result<Self> {
        self.client = fetch::client_through(proxy)?;
        Ok(self)
    }

    /// The client that its firmware and its systems fetch with.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Powers on and asks for the script, following the first script's chain.
    ///
    /// # Errors
    /// When no script comes, or it is not one of Thirdboot's.
    pub async fn power_on(&self) -> Result<Script> {
        let mut url = expand(&self.firmware_url, |name| self.hardware.setting(name));
        // The first script only gathers and chains; the second one decides.
        for _ in 0..2 {
            let answer = fetch::get(&self.client, &url).await?;
            ensure!(answer.status == StatusCode::OK, "{url}: {}", answer.status);
            ensure!(
                answer.header("content-type").starts_with("text/plain"),
                "{url}: not text"
            );
            let text = answer.text();
            if Script::decides(&text) {
                return Script::read(&text);
            }
            url = self.chained(&text)?;
        }
        bail!("{url}: chains for ever")
    }

    /// The URL that a gathering script chains to.
    fn chained(&self, text: &str) -> Result<String> {
        ensure!(text.starts_with("#!ipxe\n"), "no script: {text:?}");
        let line = text
            .lines()
            .find(|l| l.trim_start().starts_with("chain "))
            .with_context(|| format!("chains nowhere: {text:?}"))?;
        let url = line.split_whitespace().find(|w| w.starts_with("http"));
        let url = url.with_context(|| format!("no absolute URL in {line:?}"))?;
        Ok(expand(url, |name| self.hardware.setting(name)))
    }

    /// From the live system to ready, all three boots.
    ///
    /// # Errors
    /// When anything is refused on the way.
    pub async fn provision(&mut self, joins: bool) -> Result<()> {
        let mut live = self.boot_live().await?;
        live.install(self).await?;
        self.boot_disk().await?.layer(self).await?;
        self.boot_disk().await?.come_up(joins).await
    }

    /// Powers on into the live system.
    ///
    /// # Errors
    /// When the script does not install, or something it names cannot be had.
    pub async fn boot_live(&self) -> Result<LiveSystem> {
        let script = self.power_on().await?;
        ensure!(
            matches!(script.verdict, Verdict::Install { .. }),
            "no install: {}",
            script.text
        );
        LiveSystem::start(self.client.clone(), self.hardware.clone(), &script).await
    }

    /// Powers on into what is on the disk.
    ///
    /// # Errors
    /// When the script says otherwise, or nothing is installed.
    pub async fn boot_disk(&self) -> Result<InstalledSystem> {
        let script = self.power_on().await?;
        ensure!(
            matches!(script.verdict, Verdict::Local { .. }),
            "not the disk: {}",
            script.text
        );
        let disk = self.disk.as_ref().context("No bootable device")?;
        InstalledSystem::start(self.client.clone(), disk, Uuid::new_v4())
    }
}
