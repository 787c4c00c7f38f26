//! Boots 2 and 3: the installed system, from its first boot to ready.

use std::time::Duration;

use thirdboot_api::boot::{ClusterBody, Download, JoinAnswer, JoinBody, JoinKind, ReportEvent};
use thirdboot_api::{ClientError, StageName};

use crate::cluster::Begun;
use crate::ignition::{self, Config};
use crate::keyfile;
use crate::machine::{Machine, Outcome, Turn};
use crate::reporter::{Heard, Reporter, Saying, Unsent};
use crate::wire::{Address, Trouble};
use crate::{Fault, Step};

/// The version that every simulated image has.
pub(crate) const OS_VERSION: &str = "43.20260901.3.0";

/// What the parts of the later boots take, in simulated time.
const SYSTEM_START: Duration = Duration::from_secs(20);
const LAYERING: Duration = Duration::from_secs(40);
const SHUTDOWN: Duration = Duration::from_secs(5);
const NETWORK_START: Duration = Duration::from_secs(6);
/// A network that differs is reported again.
const NETWORK_REPEAT: Duration = Duration::from_secs(60);
const NODE_START: Duration = Duration::from_secs(20);

/// Asked again when a join was not answered, or not with how long to wait.
const JOIN_PAUSE: Duration = Duration::from_secs(10);
/// A turn is not waited for longer than this at once.
const LONGEST_TURN_S: u64 = 30;

/// What is on a machine's disk.
#[derive(Debug)]
pub(crate) struct Installation {
    config: Config,
    /// The booted deployment's checksum.
    deployment: String,
    /// The deployment that waits for the next orderly boot.
    staged: Option<String>,
    has_layers: bool,
    /// The reporter's queue, kept over reboots.
    unsent: Unsent,
}

impl Installation {
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            deployment: ignition::sha256(b"base"),
            staged: None,
            has_layers: false,
            unsent: Unsent::new(),
        }
    }
}

impl Machine {
    pub(crate) async fn installed(&mut self) -> Result<Turn, Trouble> {
        let Some(mut disk) = self.disk.take() else {
            return Ok(Turn::Reboot);
        };
        if self.has(Fault::NoFirstBoot) {
            return Ok(Turn::hang("two file systems labelled boot: emergency shell"));
        }
        self.tell(Step::DiskBoot);
        self.pace.pass(SYSTEM_START).await;
        if let Some(staged) = disk.staged.take() {
            disk.deployment = staged;
            disk.has_layers = true;
        }
        let mut reporter = Reporter::new(
            self.wire.clone(),
            self.pace,
            Address::of(&disk.config)?,
            std::mem::take(&mut disk.unsent),
            self.has(Fault::LostAnswers),
        );
        let turn = if disk.has_layers {
            self.come_up(&disk, &mut reporter).await?
        } else {
            self.layer(&mut disk, &mut reporter).await
        };
        disk.unsent = std::mem::take(&mut reporter.unsent);
        self.disk = Some(disk);
        Ok(turn)
    }

    /// Boot 2: layers packages, and reboots into them.
    async fn layer(&mut self, disk: &mut Installation, reporter: &mut Reporter) -> Turn {
        if reporter.say(system(ReportEvent::FirstBoot, disk)).await == Heard::Over {
            return Turn::hang("the run is over");
        }
        self.tell(Step::Layering);
        reporter.say(Saying::of(ReportEvent::Layering)).await;
        if self.has(Fault::LayeringStuck) {
            return Turn::hang("rpm-ostree waits for the repository");
        }
        self.pace.pass(LAYERING).await;
        if self.has(Fault::LayeringFails) {
            let why = "rpm-ostree: package k3s-selinux conflicts with container-selinux";
            reporter.say(Saying::of(ReportEvent::LayerFailed).message(why)).await;
            return Turn::hang("layering failed");
        }
        let layered = ignition::sha256(b"layered");
        reporter
            .say(Saying::of(ReportEvent::Layered).fact("deployment", layered.as_str()))
            .await;
        self.tell(Step::Rebooting);
        self.pace.pass(SHUTDOWN).await;
        // A staged deployment is finalised only at an orderly shutdown.
        let is_lost = self.has(Fault::StagingAlwaysLost) || self.strikes(Fault::StagingLostOnce, 1);
        disk.staged = (!is_lost).then_some(layered);
        Turn::Reboot
    }

    /// Boot 3: network, join, ready.
    async fn come_up(&self, disk: &Installation, reporter: &mut Reporter) -> Result<Turn, Trouble> {
        if reporter.say(system(ReportEvent::LayeredBoot, disk)).await == Heard::Over {
            return Ok(Turn::hang("the run is over"));
        }
        self.tell(Step::Network);
        self.pace.pass(NETWORK_START).await;
        if self.has(Fault::NetworkSilent) {
            return Ok(Turn::hang("its network check hangs"));
        }
        if let Some(turn) = self.prove_network(disk, reporter).await? {
            return Ok(turn);
        }
        if self.joins
            && let Some(turn) = self.join(reporter).await?
        {
            return Ok(turn);
        }
        self.pace.pass(NODE_START).await;
        Ok(match reporter.say(Saying::of(ReportEvent::Ready)).await {
            Heard::Recorded(_) => Turn::End(Outcome::Ready),
            Heard::Dropped(why) => Turn::hang(why),
            Heard::Over => Turn::hang("the run is over"),
        })
    }

    /// Says what the network is until the server says that it is what was asked.
    async fn prove_network(&self, disk: &Installation, reporter: &mut Reporter) -> Result<Option<Turn>, Trouble> {
        let keyfiles = disk.config.files_below(keyfile::FOLDER)?;
        let peers = disk.config.file(keyfile::PEERS)?.unwrap_or_default();
        let peers: Vec<String> = String::from_utf8_lossy(&peers).lines().map(str::to_owned).collect();
        let is_cut_off = self.has(Fault::VlanMissing);
        let facts = keyfile::network_facts(&keyfiles, &self.hardware.macs, &peers, is_cut_off);
        loop {
            match reporter
                .say(Saying::of(ReportEvent::Network).facts(facts.clone()))
                .await
            {
                Heard::Recorded(StageName::LayeredBoot) => self.pace.pause(NETWORK_REPEAT).await,
                Heard::Recorded(_) => return Ok(None),
                Heard::Dropped(why) => return Ok(Some(Turn::hang(why))),
                Heard::Over => return Ok(Some(Turn::hang("the run is over"))),
            }
        }
    }

    /// Joins the cluster; a turn where it does not come to that.
    async fn join(&self, reporter: &mut Reporter) -> Result<Option<Turn>, Trouble> {
        self.tell(Step::Joining);
        let answer = self.ask_to_join(reporter).await?;
        for download in &answer.downloads {
            self.download(download).await?;
        }
        reporter.say(Saying::of(ReportEvent::Joining)).await;
        if self.has(Fault::SilentAfterJoin) || self.has(Fault::FirstServerLost) {
            return Ok(Some(Turn::hang("kernel panic")));
        }
        let joined = match answer.kind {
            _ if self.has(Fault::JoinRefused) => Err("Node password rejected: a node of this name exists".to_owned()),
            JoinKind::Init => self.clusters.begin(&self.name, &answer.config).map(Some),
            JoinKind::Join => self.clusters.join(&answer.config).map(|()| None),
            JoinKind::None => Ok(None),
        };
        match joined {
            Ok(Some(begun)) => self.hand_in_cluster(reporter, begun).await?,
            Ok(None) => {}
            Err(why) => {
                let why = format!("k3s: {why}");
                reporter.say(Saying::of(ReportEvent::JoinFailed).message(&why)).await;
                return Ok(Some(Turn::hang("the cluster refused it")));
            }
        }
        Ok(None)
    }

    /// Fetches and checks what the join names, until it has it.
    async fn download(&self, download: &Download) -> Result<(), Trouble> {
        loop {
            match self.wire.get(&download.url).await {
                Ok(fetched) if ignition::sha256(&fetched.body) == download.sha256 => return Ok(()),
                Ok(_) => return Err(Trouble::unreadable("download", "its checksum is another")),
                Err(error) if error.is_passing() => self.pace.pause(JOIN_PAUSE).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// Asks until it is its turn.
    async fn ask_to_join(&self, reporter: &Reporter) -> Result<JoinAnswer, Trouble> {
        let body = JoinBody {
            run: reporter.to.run,
            boot_id: reporter.boot_id.clone(),
        };
        loop {
            match self.wire.join(&reporter.to, &body).await {
                Ok(answer) => return Ok(answer),
                Err(error) if error.is_passing() => self.pace.pause(turn_pause(&error)).await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The first server hands in what it made; somebody before it may have.
    async fn hand_in_cluster(&self, reporter: &Reporter, begun: Begun) -> Result<(), Trouble> {
        let body = ClusterBody {
            run: reporter.to.run,
            boot_id: reporter.boot_id.clone(),
            kubeconfig: begun.kubeconfig,
            ca_sha256: begun.ca_sha256,
        };
        loop {
            match self.wire.cluster(&reporter.to, &body).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_passing() => self.pace.pause(JOIN_PAUSE).await,
                Err(error) if error.status() == Some(409) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn turn_pause(error: &ClientError) -> Duration {
    let asked = error.problem().and_then(|problem| problem.retry_after_s);
    asked.map_or(JOIN_PAUSE, |seconds| Duration::from_secs(seconds.min(LONGEST_TURN_S)))
}

fn system(event: ReportEvent, disk: &Installation) -> Saying {
    Saying::of(event)
        .fact("os_version", OS_VERSION)
        .fact("deployment", disk.deployment.as_str())
}
