//! What a ready machine does when there is an update: it waits for its turn, reboots, and says that it is back.

use std::time::Duration;

use thirdboot_api::boot::ReportEvent;
use thirdboot_api::{ClientError, Token};

use crate::Step;
use crate::ignition::{self, Config};
use crate::installed::OS_VERSION;
use crate::machine::{Machine, Outcome, Turn};
use crate::reporter::{Reporter, Saying};
use crate::script::Script;
use crate::wire::{Address, Trouble};

/// Where the installed system's scripts find its lock.
const ENVIRONMENT: &str = "/etc/thirdboot/lock.env";
/// As Zincati has it: a refused question is asked again after five minutes.
const ASK_AGAIN: Duration = Duration::from_secs(300);
/// From the shutdown to the firmware.
const SHUTDOWN: Duration = Duration::from_secs(20);
/// From the disk's boot loader to a node that is well.
const SYSTEM_START: Duration = Duration::from_secs(60);

/// A machine's reboot lock.
#[derive(Debug, Clone)]
pub(crate) struct Lock {
    pub(crate) url: String,
    pub(crate) secret: Token,
    pub(crate) id: String,
    pub(crate) group: String,
}

impl Lock {
    fn of(config: &Config) -> Result<Self, Trouble> {
        let missing = |what: &str| Trouble::unreadable("config", format!("no {what} in {ENVIRONMENT}"));
        let bytes = config.file(ENVIRONMENT)?.ok_or_else(|| missing("file"))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let line = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
                .ok_or_else(|| missing(key))
        };
        Ok(Self {
            url: Address::of(config)?.url,
            secret: Token::new(line("THIRDBOOT_LOCK")?),
            id: line("THIRDBOOT_LOCK_ID")?.to_owned(),
            group: line("THIRDBOOT_LOCK_GROUP")?.to_owned(),
        })
    }
}

impl Machine {
    /// Updates itself once it is ready, and comes back or does not.
    #[must_use]
    pub fn updating(mut self, comes_back: bool) -> Self {
        self.comes_back = Some(comes_back);
        self
    }

    pub(crate) async fn update(&mut self, comes_back: bool) -> Result<Turn, Trouble> {
        let Some(disk) = self.disk.take() else {
            return Ok(Turn::Reboot);
        };
        let lock = Lock::of(disk.config())?;
        self.tell(Step::Waiting);
        self.ask(&lock, "pre-reboot").await?;
        self.tell(Step::Rebooting);
        if !comes_back {
            return Ok(Turn::hang("it never came back from its update"));
        }
        self.pace.pass(SHUTDOWN).await;
        let script = self.script().await?;
        if !matches!(script, Script::Local) {
            return Ok(Turn::hang("a machine that updates was not sent to its disk"));
        }
        self.tell(Step::DiskBoot);
        self.pace.pass(SYSTEM_START).await;
        let to = Address::of(disk.config())?;
        let mut reporter = Reporter::new(self.wire.clone(), self.pace, to, Vec::new().into(), false);
        let booted = Saying::of(ReportEvent::Booted).fact("os_version", OS_VERSION);
        reporter
            .say(booted.fact("deployment", ignition::sha256(b"updated")))
            .await;
        // Said before anybody else can have its slot.
        self.tell(Step::Back);
        self.ask(&lock, "steady-state").await?;
        self.disk = Some(disk);
        Ok(Turn::End(Outcome::Ready))
    }

    /// Asks until it is granted.
    async fn ask(&self, lock: &Lock, question: &str) -> Result<(), ClientError> {
        loop {
            match self.wire.reboot_lock(lock, question).await {
                Ok(()) => return Ok(()),
                // Nothing changes by asking.
                Err(error) if matches!(error.status(), Some(400 | 403 | 404)) => return Err(error),
                Err(_) => self.pace.pause(ASK_AGAIN).await,
            }
        }
    }
}
