//! One machine: power, firmware, iPXE, and whichever system boots.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use crate::installed::Installation;
use crate::script::{Install, Script};
use crate::wire::Trouble;
use crate::{Clusters, Fault, Hardware, Pace, Progress, Step, Wire};

/// What a machine's parts take, in simulated time.
const POST: Duration = Duration::from_secs(30);
const DISK_TIMEOUT: Duration = Duration::from_secs(10);
const HOLD_POLL: Duration = Duration::from_secs(30);
const CHAIN_PAUSE: Duration = Duration::from_secs(3);

/// iPXE asks so often for its script before it gives up and leaves it to the firmware.
const CHAIN_TRIES: u8 = 5;

/// A chain of scripts longer than this goes in circles.
const LONGEST_CHAIN: u8 = 4;

/// How a machine ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It became what it was to become.
    Ready,
    /// It hangs, for this reason.
    Hung(String),
}

/// What a boot led to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The machine reboots, by itself or by a power cut.
    Reboot,
    /// The end.
    End(Outcome),
}

impl Turn {
    pub(crate) fn hang(why: impl Into<String>) -> Self {
        Self::End(Outcome::Hung(why.into()))
    }
}

/// One simulated machine.
#[derive(Debug)]
pub struct Machine {
    /// How it is called on the progress channel.
    pub name: String,
    /// What it is made of.
    pub hardware: Hardware,
    /// Where its iPXE begins: the network's `/boot.ipxe`, or the host's own boot URL.
    pub boot_url: String,
    /// Whether it becomes a cluster's node.
    pub joins: bool,
    /// The clusters that it may become a node of, shared by a fleet.
    pub clusters: Clusters,
    /// How it fails, if it does.
    pub fault: Option<Fault>,
    /// How fast its time passes.
    pub pace: Pace,
    pub(crate) wire: Wire,
    pub(crate) disk: Option<Installation>,
    /// Whether it comes back from its update; none: it makes none.
    pub(crate) comes_back: Option<bool>,
    /// How often the fault struck.
    pub(crate) strikes: u8,
    pub(crate) watcher: Option<UnboundedSender<Progress>>,
}

impl Machine {
    /// A machine without an operating system that has not been powered on. A disk that is to hold something holds it.
    #[must_use]
    pub fn new(name: impl Into<String>, hardware: Hardware, boot_url: impl Into<String>, wire: &Wire) -> Self {
        Self {
            name: name.into(),
            hardware,
            boot_url: boot_url.into(),
            joins: true,
            clusters: Clusters::default(),
            fault: None,
            pace: Pace::new(1.0),
            wire: wire.clone(),
            disk: None,
            comes_back: None,
            strikes: 0,
            watcher: None,
        }
    }

    /// Becomes no cluster's node.
    #[must_use]
    pub fn without_cluster(mut self) -> Self {
        self.joins = false;
        self
    }

    /// Among machines that form these clusters.
    #[must_use]
    pub fn among(mut self, clusters: &Clusters) -> Self {
        self.clusters = clusters.clone();
        self
    }

    /// Fails in this way.
    #[must_use]
    pub fn failing(mut self, fault: Fault) -> Self {
        if fault == Fault::DiskHoldsCeph {
            self.hardware = self.hardware.holding("ceph-bluestore");
        }
        self.fault = Some(fault);
        self
    }

    /// With time passing so fast.
    #[must_use]
    pub fn at(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Powers it on, and lives its life to the end.
    pub async fn run(mut self) -> Outcome {
        if self.has(Fault::NeverPowersOn) {
            return self.end(Outcome::Hung("is switched off".to_owned()));
        }
        loop {
            let mut turn = self.boot().await;
            if turn == Turn::End(Outcome::Ready)
                && let Some(comes_back) = self.comes_back.take()
            {
                self.tell(Step::Ready);
                turn = match self.update(comes_back).await {
                    Ok(turn) => turn,
                    Err(error) => Turn::hang(error.to_string()),
                };
            }
            if let Turn::End(outcome) = turn {
                return self.end(outcome);
            }
        }
    }

    /// One boot, from power to whatever comes of it.
    async fn boot(&mut self) -> Turn {
        self.tell(Step::Firmware);
        self.pace.pause(POST).await;
        match self.script().await {
            Ok(Script::Install(install)) => self.install(&install).await,
            Ok(Script::Hold(reason)) => {
                self.tell(Step::Held(reason));
                self.pace.pause(HOLD_POLL).await;
                Turn::Reboot
            }
            Ok(Script::Local | Script::Chain(_)) => self.boot_disk().await,
            // iPXE has given up after its bounded retry: the disk, if there is anything on it.
            Err(error) if error.is_passing() => self.boot_disk().await,
            Err(error) => Turn::hang(error.to_string()),
        }
    }

    async fn install(&mut self, install: &Install) -> Turn {
        match self.live(install).await {
            Ok(turn) => turn,
            // A file that cannot be had ends in a reboot: by iPXE's retry, or by rd.emergency=reboot.
            Err(Trouble::Wire(_)) => Turn::Reboot,
            Err(error) => Turn::hang(error.to_string()),
        }
    }

    async fn boot_disk(&mut self) -> Turn {
        if self.disk.is_none() || self.has(Fault::DiskDoesNotBoot) {
            self.pace.pause(DISK_TIMEOUT).await;
            return Turn::Reboot;
        }
        match self.installed().await {
            Ok(turn) => turn,
            Err(error) => Turn::hang(error.to_string()),
        }
    }

    /// What iPXE is told to do, after whatever chain.
    pub(crate) async fn script(&self) -> Result<Script, Trouble> {
        let mut url = self.boot_url.clone();
        for _ in 0..LONGEST_CHAIN {
            let text = self.fetch_script(&url).await?;
            match Script::read(&text, |name| self.hardware.setting(name))? {
                Script::Chain(next) => url = next,
                script => return Ok(script),
            }
        }
        Err(Trouble::unreadable("script", "it chains in circles"))
    }

    async fn fetch_script(&self, url: &str) -> Result<String, Trouble> {
        let mut tries = 1;
        loop {
            match self.wire.get(url).await {
                Ok(fetched) => return Ok(String::from_utf8_lossy(&fetched.body).into_owned()),
                Err(error) if !error.is_passing() || tries >= CHAIN_TRIES => return Err(error),
                Err(_) => self.pace.pause(CHAIN_PAUSE).await,
            }
            tries += 1;
        }
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Whether the fault strikes now: the first `times` times that this is asked.
    pub(crate) fn strikes(&mut self, fault: Fault, times: u8) -> bool {
        let strikes = self.has(fault) && self.strikes < times;
        if strikes {
            self.strikes += 1;
        }
        strikes
    }

    pub(crate) fn tell(&self, step: Step) {
        if let Some(watcher) = &self.watcher {
            // Nobody watches any more: fine.
            let _ = watcher.send(Progress {
                machine: self.name.clone(),
                step,
            });
        }
    }

    fn end(&self, outcome: Outcome) -> Outcome {
        self.tell(match &outcome {
            Outcome::Ready => Step::Ready,
            Outcome::Hung(why) => Step::Hangs(why.clone()),
        });
        outcome
    }
}
