//! Boot 1: the live system, from iPXE's fetches to the written disk.

use std::time::Duration;

use serde_json::json;
use thirdboot_api::boot::{ClaimBody, ReportEvent};
use thirdboot_api::{ClientError, ProblemType};

use crate::ignition::{self, Config};
use crate::installed::Installation;
use crate::machine::{Machine, Turn};
use crate::reporter::{Heard, Reporter, Saying, Unsent};
use crate::script::Install;
use crate::wire::{Address, Trouble};
use crate::{Fault, Step, cpio};

/// Where the live config carries the installed one.
const INSTALLED_CONFIG: &str = "/etc/thirdboot/installed.ign";

/// What the parts of the first boot take, in simulated time.
const KERNEL_START: Duration = Duration::from_secs(8);
const LIVE_START: Duration = Duration::from_secs(15);
const DISK_CHECK: Duration = Duration::from_secs(4);
const TENTH_OF_INSTALL: Duration = Duration::from_secs(6);
const SHUTDOWN: Duration = Duration::from_secs(5);

/// Ignition's own pauses before a config is asked for again.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Asked again when the claim was not answered.
const CLAIM_PAUSE: Duration = Duration::from_secs(5);

/// How far the installer comes before it stops, or the power does.
const BREAKS_AT_PERCENT: u8 = 40;

impl Machine {
    pub(crate) async fn live(&mut self, install: &Install) -> Result<Turn, Trouble> {
        if self.has(Fault::KernelNotFetched) {
            return Ok(Turn::hang("iPXE: permission denied (TLS)"));
        }
        self.tell(Step::Loading);
        let Some(pointer) = self.load(install).await? else {
            return Ok(Turn::hang("hangs: too little memory"));
        };
        if self.has(Fault::ConfigNotFetched) {
            return Ok(Turn::hang("no network in its initramfs"));
        }
        let config = self.live_config(&pointer).await?;
        if self.has(Fault::ConfigNotApplied) {
            return Ok(Turn::hang("Ignition failed: emergency shell"));
        }
        self.tell(Step::LiveBoot);
        self.pace.pass(LIVE_START).await;
        let reporter = Reporter::new(
            self.wire.clone(),
            self.pace,
            Address::of(&config)?,
            Unsent::new(),
            self.has(Fault::LostAnswers),
        );
        self.check_and_write(&config, reporter).await
    }

    /// iPXE's fetches, then the initramfs': gives the pointer, or nothing where the machine does not get that far.
    async fn load(&self, install: &Install) -> Result<Option<Config>, Trouble> {
        self.wire.get(&install.kernel).await?;
        let mut pointer = None;
        for url in &install.initrds {
            let image = self.wire.get(url).await?.body;
            if image.starts_with(cpio::MAGIC)
                && let Some(found) = cpio::file(&image, "config.ign")?
            {
                pointer = Some(Config::read(found)?);
            }
        }
        self.pace.pass(KERNEL_START).await;
        if self.has(Fault::RootfsNotFetched) {
            return Ok(None);
        }
        let rootfs = install
            .argument("coreos.live.rootfs_url")
            .ok_or_else(|| Trouble::unreadable("script", "no coreos.live.rootfs_url"))?;
        self.rootfs(rootfs).await?;
        match (pointer, install.argument("ignition.config.url")) {
            (Some(pointer), _) => Ok(Some(pointer)),
            (None, Some(url)) => Ok(Some(Config::read(&self.wire.get(url).await?.body)?)),
            (None, None) => Err(Trouble::unreadable("script", "no initrd has a config.ign")),
        }
    }

    /// As the live image does: a HEAD first, then one download.
    async fn rootfs(&self, url: &str) -> Result<(), Trouble> {
        let announced = self.wire.head(url).await?.length;
        let length = u64::try_from(self.wire.get(url).await?.body.len()).ok();
        if announced.is_some() && announced != length {
            return Err(Trouble::unreadable(
                "rootfs",
                "its length is not the one that HEAD told",
            ));
        }
        Ok(())
    }

    /// As Ignition does: a child is asked for until it is there, and its hash must be the pointer's.
    async fn live_config(&self, pointer: &Config) -> Result<Config, Trouble> {
        let child = pointer
            .child()
            .ok_or_else(|| Trouble::unreadable("pointer", "it points nowhere"))?;
        let hash = child
            .hash
            .ok_or_else(|| Trouble::unreadable("pointer", "it names no hash"))?;
        let mut pause = FIRST_PAUSE;
        let bytes = loop {
            match self.wire.get(child.url).await {
                Ok(fetched) => break fetched.body,
                Err(error) if error.is_passing() => self.pace.pause(pause).await,
                Err(error) => return Err(error),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        };
        if !ignition::has_digest(&bytes, hash) {
            return Err(Trouble::unreadable("live config", "its hash is not the pointer's"));
        }
        Config::read(&bytes)
    }

    async fn check_and_write(&mut self, config: &Config, mut reporter: Reporter) -> Result<Turn, Trouble> {
        let facts = json!({"dmi": self.hardware.dmi(), "macs": self.hardware.macs, "disks": self.hardware.disks});
        let facts = facts.as_object().cloned().unwrap_or_default();
        reporter.say(Saying::of(ReportEvent::Live).facts(facts)).await;
        if self.has(Fault::CheckHangs) {
            return Ok(Turn::hang("its disk check hangs"));
        }
        self.tell(Step::Claiming);
        self.pace.pass(DISK_CHECK).await;
        match self.claim(&reporter).await {
            Ok(()) => self.write(config, &mut reporter).await,
            Err(error) if error.is(ProblemType::AlreadyInstalled) => Ok(Turn::Reboot),
            Err(error) => {
                let failed = Saying::of(ReportEvent::InstallFailed).message(format!("claim refused: {error}"));
                reporter.say(failed).await;
                Ok(Turn::hang("its claim was refused"))
            }
        }
    }

    /// Asks until there is an answer.
    async fn claim(&self, reporter: &Reporter) -> Result<(), ClientError> {
        let Some(disk) = self.hardware.disks.first().cloned() else {
            return Ok(());
        };
        let claim = ClaimBody {
            run: reporter.to.run,
            boot_id: reporter.boot_id.clone(),
            dmi: self.hardware.dmi(),
            macs: self.hardware.macs.clone(),
            disk,
            disks: self.hardware.disks.clone(),
        };
        let mut is_lost = self.has(Fault::LostAnswers);
        loop {
            match self.wire.claim(&reporter.to, &claim).await {
                _ if is_lost => is_lost = false,
                Err(error) if error.is_passing() => {}
                other => return other.map(drop),
            }
            self.pace.pause(CLAIM_PAUSE).await;
        }
    }

    async fn write(&mut self, config: &Config, reporter: &mut Reporter) -> Result<Turn, Trouble> {
        // From here on the disk is in pieces.
        self.disk = None;
        for percent in (0..=100).step_by(10) {
            self.tell(Step::Installing(percent));
            let heard = reporter.say(Saying::of(ReportEvent::Installing).percent(percent)).await;
            if heard == Heard::Over {
                return Ok(Turn::hang("the run is over"));
            }
            if percent == BREAKS_AT_PERCENT && self.has(Fault::InstallStuck) {
                return Ok(Turn::hang("the installer waits for the disk"));
            }
            if percent == BREAKS_AT_PERCENT && self.strikes(Fault::PowerCut, 1) {
                return Ok(Turn::Reboot);
            }
            self.pace.pass(TENTH_OF_INSTALL).await;
        }
        let installed = config
            .file(INSTALLED_CONFIG)?
            .ok_or_else(|| Trouble::unreadable("live config", format!("no {INSTALLED_CONFIG}")))?;
        self.disk = Some(Installation::new(Config::read(&installed)?));
        let serial = self.hardware.disks.first().and_then(|disk| disk.serial.clone());
        let done = Saying::of(ReportEvent::Installed)
            .fact("image", "sample-metal.x86_64.raw.xz")
            .fact("version", crate::installed::OS_VERSION)
            .fact("disk_serial", serial)
            .fact("config_sha256", ignition::sha256(&installed));
        reporter.say(done).await;
        self.tell(Step::Rebooting);
        self.pace.pass(SHUTDOWN).await;
        Ok(Turn::Reboot)
    }
}
