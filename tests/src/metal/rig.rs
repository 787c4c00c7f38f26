//! The room that machines stand in: a server, packages, and a folder that keeps what was seen.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::machine::{Heard, Powered};
use super::mirror::Mirror;
use super::serial::{self, Serial};
use super::{Card, Disk, Machine, cluster, os, timeline};
use crate::Admin;
use crate::server::{Settings, TestServer};
use crate::vm::{Firmware, LOOPBACK};

/// The folder of all runs; each story has one of its own in it, of its last run.
const RUNS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/metal");

/// Outer bound of a wait.
const LIMIT: Duration = Duration::from_secs(1800);

/// A machine that says nothing for so long, on its port or to the server, is dead.
const SILENCE: Duration = Duration::from_secs(420);

/// How often the server is asked.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A room. What happened in it is written down when a machine is switched off, and when a wait fails.
#[derive(Debug)]
pub struct Rig {
    /// The server.
    pub server: TestServer,
    /// Its control plane.
    pub admin: Admin,
    /// The packages that machines layer.
    pub packages: Mirror,
    /// What is kept: logs, events, the timeline.
    pub folder: PathBuf,
    base: String,
    heard: Heard,
}

impl Rig {
    /// A room for a story.
    ///
    /// # Errors
    /// When the stand-in OS was not built or the server does not start.
    pub async fn for_story(story: &str) -> Result<Self> {
        let folder = Self::folder(story)?;
        let assets = folder.join("assets");
        cluster::assets(&assets)?;
        Self::of(folder, &assets).await
    }

    /// A room with other images.
    ///
    /// # Errors
    /// When the stand-in OS was not built or the server does not start.
    pub async fn with_assets(story: &str, assets: &Path) -> Result<Self> {
        Self::of(Self::folder(story)?, assets).await
    }

    /// A new folder in place of that of the story's last run.
    fn folder(story: &str) -> Result<PathBuf> {
        fs::create_dir_all(RUNS)?;
        let folder = fs::canonicalize(RUNS)?.join(story);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(folder.join("server"))?;
        Ok(folder)
    }

    async fn of(folder: PathBuf, assets: &Path) -> Result<Self> {
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let base = format!("http://{LOOPBACK}:{port}");
        let server = TestServer::start(Settings {
            data_dir: folder.join("server"),
            assets_dir: assets.to_owned(),
            boot_listen: format!("127.0.0.1:{port}"),
            control_listen: "127.0.0.1:0".to_owned(),
            log: "info".to_owned(),
            // An outage of seconds, not of minutes.
            arguments: ["--address-source", "127.0.0.0/8", "--boot-url", &base]
                .into_iter()
                .chain(["--boot-retries", "30", "--boot-retry-pause", "2"])
                // The nodes' VLAN ends in the wires between them: nobody here can ask their API.
                .chain(["--blind-to-clusters", "true"])
                .map(str::to_owned)
                .collect(),
        })
        .await?;
        let admin = Admin::new(&server.endpoints.control, &server.admin_token()?)?;
        let packages = Mirror::of(&os::folder()?.join("packages")).await?;
        println!("metal: what is seen is kept in {}", folder.display());
        Ok(Self {
            server,
            admin,
            packages,
            folder,
            base,
            heard: Heard::default(),
        })
    }

    /// Machine `n`, with one empty disk and no further cards.
    ///
    /// # Errors
    /// When the disk cannot be made.
    pub fn machine(&self, n: u8) -> Result<Machine> {
        let name = format!("m{n}");
        let disk = Disk::empty(self.folder.join(format!("{name}.disk")), &format!("DISK-{n}"))?;
        Ok(Machine {
            firmware: Firmware::Bios,
            uuid: format!("3f2a0000-0000-4000-8000-0000000000{n:02x}"),
            serial: format!("SN-{n:04}"),
            mac: format!("52:54:00:0{n}:00:ff"),
            cards: Vec::new(),
            disks: vec![disk],
            boot_url: format!("{}/boot.ipxe", self.base),
            repository: self.packages.address.port(),
            folder: self.folder.clone(),
            heard: Arc::clone(&self.heard),
            name,
        })
    }

    /// The description of a machine: a runner that layers one package, on its own cards.
    pub fn description(machine: &Machine) -> Value {
        let cards = machine.cards.iter().map(|card: &Card| &card.mac);
        let macs: Vec<&String> = std::iter::once(&machine.mac).chain(cards).collect();
        json!({
            "name": machine.name, "macs": macs, "role": "runner", "known_by": "address", "packages": ["htop"],
            "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPJyZaraVOOlFs4QMLzv1hJHdrDtkG1UqHbJfFJJ8Bmz admin@sample"],
            "install": {"console": ["tty0", "ttyS0,115200n8"]},
        })
    }

    /// Tells the server of the packages.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn offer_packages(&self) -> Result<()> {
        let key = fs::read_to_string(os::folder()?.join("packages/RPM-GPG-KEY-standin"))?;
        let url = format!("http://{LOOPBACK}:{}/", self.packages.address.port());
        self.admin.offer_packages(&url, &key).await
    }

    /// Has a stage tell what it waits for after a minute, and not after ten or more; it is never given up.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn stalls_after_a_minute(&self, stage: &str) -> Result<()> {
        let soon = json!({"stages": {stage: {"stall_s": 60, "give_up_s": null}}});
        let (status, answer) = self
            .admin
            .ask(Method::PATCH, "/api/v1/settings/deadlines", Some(&soon))
            .await?;
        ensure!(status.is_success(), "{status} {answer}");
        Ok(())
    }

    /// Waits until a host's run is in a stage, or past it: fails at once when the run fails, the
    /// boot is dead or the machine off.
    ///
    /// # Errors
    /// As said.
    pub async fn reach(&self, powered: &Powered, host: &str, stage: &str) -> Result<Value> {
        let from = powered.serial.now();
        self.watch(powered, &format!("{host} is {stage}"), async || {
            if let Some(end) = powered.serial.end(from) {
                bail!("the boot is dead: {end}");
            }
            let seen = self.admin.host(host).await?;
            let at = seen["run"]["stage"].as_str().unwrap_or_default();
            if at == stage || rank(at) > rank(stage) {
                return Ok(Some(seen));
            }
            if matches!(at, "failed" | "cancelled") {
                bail!("{host} ended: {}, {}", seen["run"]["failed"], seen["diagnosis"]);
            }
            Ok(None)
        })
        .await
    }

    /// Waits until a host's run is in a stage, and fails when it is past it already: a fault finds it there.
    ///
    /// # Errors
    /// As said.
    pub async fn find_in(&self, powered: &Powered, host: &str, stage: &str) -> Result<()> {
        let seen = self.reach(powered, host, stage).await?;
        let at = &seen["run"]["stage"];
        ensure!(at == stage, "{host} was not found {stage}: it is {at} already");
        Ok(())
    }

    /// Waits for a word on the serial port: fails at once on one after which nothing good follows, unless that is the
    /// word that is waited for.
    ///
    /// # Errors
    /// As said, and when the machine goes off or falls silent.
    pub async fn hear(&self, powered: &Powered, from: usize, word: &str) -> Result<usize> {
        self.watch(powered, &format!("{word:?} on the serial port"), async || {
            let found = powered.serial.find(from, word);
            if found.is_none()
                && !serial::is_end(word)
                && let Some(end) = powered.serial.end(from)
            {
                bail!("the boot is dead: {end}");
            }
            Ok(found.map(|(at, _)| at))
        })
        .await
    }

    /// Asks again and again, as long as the machine shows any sign of life.
    ///
    /// # Errors
    /// When asking fails, the machine is off or silent, or the outer bound passed.
    pub async fn watch<T>(
        &self,
        powered: &Powered,
        what: &str,
        mut ask: impl AsyncFnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let start = Instant::now();
        let (mut last, mut heard) = (start, powered.serial.now());
        let why = loop {
            match ask().await {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {}
                Err(error) => break format!("{error:#}"),
            }
            if powered.serial.closed() {
                break "the machine is off".to_owned();
            }
            let now = powered.serial.now();
            if now != heard {
                (last, heard) = (Instant::now(), now);
            }
            if last.elapsed() > SILENCE {
                break format!("nothing was said for {} s", SILENCE.as_secs());
            }
            if start.elapsed() > LIMIT {
                break format!("not within {} s", LIMIT.as_secs());
            }
            sleep(LOOK_EVERY).await;
        };
        // What is kept is of help; why it failed matters more.
        if let Err(error) = self.keep().await {
            eprintln!("metal: what was seen cannot be kept: {error:#}");
        }
        bail!(
            "{what}: {why}\n{}  kept in {}",
            powered.serial.tail(),
            self.folder.display()
        )
    }

    /// Pulls the plug of a machine, and writes down what was seen.
    ///
    /// # Errors
    /// When it cannot be killed or the folder cannot be written.
    pub async fn off(&self, powered: Powered) -> Result<Serial> {
        let serial = powered.pull_the_plug().await?;
        self.keep().await?;
        Ok(serial)
    }

    /// Writes down the events of every machine that was on, and the timeline of all of them.
    ///
    /// # Errors
    /// When the folder cannot be written.
    async fn keep(&self) -> Result<()> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut moments = Vec::new();
        for (name, serial) in &heard {
            moments.extend(timeline::of_serial(name, &serial.lines()));
        }
        for name in heard.iter().map(|(name, _)| name).collect::<BTreeSet<_>>() {
            // A machine that nobody described has none, and a server that was taken away says nothing.
            let events = self.admin.events(name).await.unwrap_or_default();
            let file = self.folder.join(format!("{name}.events.json"));
            fs::write(file, serde_json::to_string_pretty(&events)?)?;
            moments.extend(timeline::of_events(name, &events));
        }
        moments.sort_by_key(|moment| moment.at);
        fs::write(self.folder.join("timeline.txt"), timeline::text(&moments))?;
        fs::write(self.folder.join("timeline.svg"), timeline::svg(&moments))?;
        Ok(())
    }

    /// The stages that a host's current run went through, in order.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn stages(&self, host: &str) -> Result<Vec<String>> {
        let mut stages: Vec<String> = Vec::new();
        for event in self.admin.events(host).await? {
            let stage = event["stage"].as_str().unwrap_or_default();
            if !stage.is_empty() && event["refused"].is_null() && stages.last().map(String::as_str) != Some(stage) {
                stages.push(stage.to_owned());
            }
        }
        Ok(stages)
    }

    /// The answer's status to a GET of a URL as machines see it.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn status_of(&self, url: &str) -> Result<u16> {
        let url = url.replace(LOOPBACK, "127.0.0.1");
        let answer = crate::host::fetch::client()?.get(&url).send().await;
        Ok(answer.context(url)?.status().as_u16())
    }
}

/// The stages of a run, in order.
pub const STAGES: [&str; 12] = [
    "armed",
    "netbooting",
    "live",
    "installing",
    "installed",
    "first-boot",
    "layering",
    "layered",
    "layered-boot",
    "networked",
    "joining",
    "ready",
];

fn rank(stage: &str) -> usize {
    STAGES.iter().position(|s| *s == stage).unwrap_or_default()
}
