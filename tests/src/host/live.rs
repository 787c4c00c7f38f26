//! Boot 1: the live system, from the kernel's fetch to the written disk.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::cpio::Entry;
use super::fetch::{self, Fetched};
use super::hardware::Hardware;
use super::ignition::{self, Config};
use super::machine::{Installation, Machine};
use super::reporter::{Event, Identity, Reporter};
use super::script::Script;

/// Where the live config carries the installed one.
pub const INSTALLED_CONFIG: &str = "/etc/thirdboot/installed.ign";

/// How long Ignition asks for the live config before a test calls it stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// The live system of one boot.
#[derive(Debug)]
pub struct LiveSystem {
    /// Its config, verified as the pointer says.
    pub config: Config,
    /// Where that config came from.
    pub config_url: String,
    /// That config, byte for byte.
    pub document: Vec<u8>,
    /// `/config.ign` as the initrd brought it.
    pub pointer: Vec<u8>,
    /// Everything that the initrd brought.
    pub initrd: Vec<Entry>,
    /// Speaks under the live secret.
    pub reporter: Reporter,
    /// The machine it runs on.
    pub hardware: Hardware,
}

impl LiveSystem {
    /// Loads what the script names, as iPXE, the initramfs and Ignition do.
    ///
    /// # Errors
    /// When the machine would not come up as the config says.
    pub async fn start(client: Client, hardware: Hardware, script: &Script) -> Result<Self> {
        let (kernel, _) = script.kernel.as_ref().context("no kernel")?;
        fetch::image(&client, kernel).await?;
        let mut unpacked = Vec::new();
        for initrd in &script.initrds {
            let image = fetch::image(&client, &initrd.url).await?;
            if initrd.name == "config" {
                unpacked = super::cpio::read(&image)?;
            }
        }
        let rootfs = script.argument("coreos.live.rootfs_url").context("no rootfs URL")?;
        load_rootfs(&client, rootfs).await?;

        let pointer = unpacked
            .iter()
            .find(|e| e.name == "config.ign")
            .context("no /config.ign")?;
        ensure!(pointer.mode == 0o100_600, "config.ign has mode {:o}", pointer.mode);
        let config = Config::read(&pointer.data)?;
        let children = config.children();
        ensure!(children.len() == 1, "the pointer has {} children", children.len());
        let child = &children[0];
        let authorities = config.authorities()?;
        let fetcher = if authorities.is_empty() {
            client.clone()
        } else {
            fetch::client_trusting(&authorities)?
        };
        let bytes = fetch::config(&fetcher, &child.url, PATIENCE).await?;
        ignition::verify(&bytes, child.hash.as_deref().context("the pointer pins no hash")?)?;

        let config = Config::read(&bytes)?;
        let identity = Identity::of(&config)?;
        let reporter = Reporter::new(identity.client(client)?, identity, Uuid::new_v4());
        Ok(Self {
            config,
            config_url: child.url.clone(),
            document: bytes,
            pointer: pointer.data.clone(),
            initrd: unpacked,
            reporter,
            hardware,
        })
    }

    /// The live system's first words: what it runs on.
    pub fn event(&self) -> Event {
        let hardware = self.hardware.claim(self.reporter.identity.run, self.reporter.boot_id);
        let facts = json!({"dmi": hardware["dmi"], "macs": hardware["macs"], "disks": hardware["disks"]});
        Event::new("live").with("facts", facts)
    }

    /// Asks for the right to write the first disk.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn claim(&self) -> Result<Fetched> {
        let run = self.reporter.identity.run;
        let claim = self.hardware.claim(run, self.reporter.boot_id);
        self.reporter.post("/v1/claim", &claim).await
    }

    /// Claims, and fails when it was not granted; gives which attempt it is.
    ///
    /// # Errors
    /// When the claim is not granted.
    pub async fn claim_granted(&self) -> Result<u64> {
        let answer = self.claim().await?;
        ensure!(
            answer.status == StatusCode::OK,
            "claim: {} {}",
            answer.status,
            answer.text()
        );
        let body: Value = serde_json::from_slice(&answer.body)?;
        ensure!(body["granted"] == true, "200 without a grant: {body}");
        body["attempt"].as_u64().context("no attempt number")
    }

    /// The installed config, byte for byte.
    ///
    /// # Errors
    /// When it is not in the live config.
    pub fn installed_document(&self) -> Result<Vec<u8>> {
        self.config.file(INSTALLED_CONFIG)
    }

    /// The installed config that travels inside the live one.
    ///
    /// # Errors
    /// When it is not there, or needs a network before its root is up.
    pub fn installed_config(&self) -> Result<Config> {
        let config = Config::read(&self.installed_document()?)?;
        let remote = config.remote_sources();
        ensure!(remote.is_empty(), "the installed config has remote sources: {remote:?}");
        Ok(config)
    }

    /// What the installer says when it is done.
    ///
    /// # Errors
    /// When there is no installed config.
    pub fn installed(&self) -> Result<Event> {
        let digest = ignition::sha256(&self.installed_document()?);
        let disk = self.hardware.disks.first().context("no disk")?;
        Ok(Event::new("installed").with(
            "facts",
            json!({
                "image": "sample-metal.x86_64.raw.xz", "version": "43.20260901.3.0",
                "disk_serial": disk.serial, "config_sha256": digest,
            }),
        ))
    }

    /// The whole of boot 1: reports, claims, writes the disk, reports it.
    ///
    /// # Errors
    /// When the claim is not granted or a report is refused.
    pub async fn install(&mut self, machine: &mut Machine) -> Result<()> {
        self.reporter.tell(self.event()).await?;
        self.claim_granted().await?;
        for percent in [0, 50, 100] {
            self.reporter.tell(Event::installing(percent)).await?;
        }
        let config = self.installed_config()?;
        machine.disk = Some(Installation {
            config,
            deployment: "base".repeat(16),
        });
        let stage = self.reporter.tell(self.installed()?).await?;
        ensure!(stage == "installed", "stage {stage} after the install");
        Ok(())
    }
}

/// As the live image's script does: a HEAD first, then one download.
async fn load_rootfs(client: &Client, url: &str) -> Result<()> {
    let head = fetch::ask(client, Method::HEAD, url).await?;
    ensure!(head.status == StatusCode::OK, "HEAD {url}: {}", head.status);
    ensure!(head.body.is_empty(), "HEAD {url} has a body");
    let body = fetch::image(client, url).await?;
    ensure!(
        head.header("content-length") == body.len().to_string(),
        "{url}: length differs"
    );
    Ok(())
}
