//! One-line set-up for the stories.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use thirdboot_lifecycle::{
    BootId, Claim, Deadlines, Disk, Host, Identity, Permit, Power, Purpose, Report, RunNumber, Said, SecretKind,
    Serial, Stage,
};

use super::witness::Witness;
use super::{Factory, Settings};
use crate::{
    Actor, Answer, Clock, Document, DocumentKind, EventFilter, HostId, HostState, Limits, LoggedEvent, Store,
    Submission, SubmitError,
};

/// When every story begins.
fn noon() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(super) fn admin() -> Actor {
    Actor::Token("admin".into())
}

/// Host `node-<n>` with a card of its own.
pub(super) fn host(n: u8) -> Host {
    serde_json::from_value(
        serde_json::json!({"name": format!("node-{n}"), "macs": [format!("52:54:00:00:00:{n:02x}")]}),
    )
    .unwrap()
}

pub(super) fn boot(n: u8) -> BootId {
    format!("00000000-0000-4000-8000-0000000000{n:02x}").parse().unwrap()
}

/// What the machine of [`host`] presents.
pub(super) fn machine(n: u8) -> Identity {
    Identity {
        macs: host(n).macs,
        serial: Serial::stated(&format!("SER-{n}")),
        uuid: None,
    }
}

fn disk() -> Disk {
    Disk {
        path: "/dev/disk/by-id/disk-a".into(),
        serial: Some("DISK-A".into()),
        size_bytes: 100 << 30,
        ..Disk::default()
    }
}

pub(super) fn claim(run: RunNumber, boot_id: BootId, identity: Identity) -> Submission {
    Submission::Claim(Box::new(Claim {
        run,
        boot_id,
        identity,
        disk: disk(),
        disks: vec![disk()],
    }))
}

pub(super) fn documents() -> Vec<Document> {
    [DocumentKind::Live, DocumentKind::Assets, DocumentKind::Installed]
        .map(|kind| Document {
            kind,
            sha512: "ab".repeat(64),
            sealed: kind.as_str().into(),
        })
        .into()
}

/// A report, with the secret that it must come with.
pub(super) fn report(run: RunNumber, boot_id: BootId, seq: u64, said: Said) -> Submission {
    Submission::Report {
        by: said.secret().unwrap_or(SecretKind::Host),
        report: Box::new(Report {
            run,
            boot_id,
            seq,
            said,
            message: Some("hello".into()),
        }),
        log: None,
    }
}

/// The store that is open; none only while it is opened again.
pub(super) struct Live<S>(Option<Arc<Witness<S>>>);

impl<S> Deref for Live<S> {
    type Target = Arc<Witness<S>>;

    fn deref(&self) -> &Self::Target {
        self.0.as_ref().unwrap()
    }
}

/// A store, its clock, and the means to open it again.
pub(super) struct World<F: Factory> {
    pub(super) factory: F,
    pub(super) settings: Settings,
    pub(super) store: Live<F::Store>,
    /// How many permits the last opening voided.
    pub(super) voided: u64,
    seq: AtomicU64,
}

impl<F: Factory> World<F> {
    pub(super) async fn new(factory: F) -> Self {
        Self::with(factory, Deadlines::default(), Limits::default()).await
    }

    pub(super) async fn with(factory: F, deadlines: Deadlines, limits: Limits) -> Self {
        let settings = Settings {
            clock: Arc::new(Clock::manual(noon())),
            deadlines,
            limits,
        };
        let (store, voided) = factory.open(settings.clone()).await;
        Self {
            factory,
            settings,
            store: Live(Some(Arc::new(Witness(store)))),
            voided,
            seq: AtomicU64::new(1),
        }
    }

    /// Opens what lies there with a clock of its own, as another process would.
    pub(super) async fn open(&mut self) {
        let here = self.settings.clock.now();
        self.settings.clock = Arc::new(Clock::manual(here));
        // Let go first: a store may be open once only.
        self.store = Live(None);
        let (store, voided) = self.factory.open(self.settings.clone()).await;
        self.store = Live(Some(Arc::new(Witness(store))));
        self.voided = voided;
    }

    /// A clean restart.
    pub(super) async fn restart(&mut self) {
        self.store.close().await;
        self.open().await;
    }

    pub(super) fn pass(&self, time: SignedDuration) {
        self.settings.clock.jump(time);
    }

    /// Adds [`host`] `n`.
    pub(super) async fn add(&self, n: u8) -> HostId {
        self.store.add_hosts(vec![host(n)], admin()).await.unwrap()[0].id
    }

    /// Adds and arms [`host`] `n`.
    pub(super) async fn armed(&self, n: u8) -> (HostId, RunNumber) {
        let id = self.add(n).await;
        (id, self.arm(id).await.unwrap())
    }

    pub(super) async fn arm(&self, id: HostId) -> Result<RunNumber, SubmitError> {
        self.arm_with(id, None).await
    }

    /// Arms, and has the provider asked for power.
    pub(super) async fn arm_with(&self, id: HostId, power: Option<Power>) -> Result<RunNumber, SubmitError> {
        let now = self.store.now();
        let permit = Permit {
            purpose: Purpose::Install {
                disk: None,
                wipe: Vec::new(),
            },
            issued_at: now,
            expires_at: now + SignedDuration::from_hours(24),
            attempts: 3,
            power,
            voided: None,
        };
        let submission = Submission::Arm {
            permit,
            documents: documents(),
            expected_version: self.state(id).await.version,
            by: admin(),
        };
        match self.store.submit(id, submission).await? {
            Answer::Armed(run) => Ok(run),
            other => panic!("arming was answered with {other:?}"),
        }
    }

    pub(super) async fn state(&self, id: HostId) -> HostState {
        self.store.host_by_id(id).await.unwrap().unwrap()
    }

    pub(super) async fn stage(&self, id: HostId) -> Stage {
        self.state(id).await.run.unwrap().stage
    }

    /// Reports with the next free number.
    pub(super) async fn say(
        &self,
        id: HostId,
        run: RunNumber,
        boot_id: BootId,
        said: Said,
    ) -> Result<Answer, SubmitError> {
        let seq = self.seq.fetch_add(1, Ordering::Relaxed);
        self.store.submit(id, report(run, boot_id, seq, said)).await
    }

    pub(super) async fn log(&self, host: HostId) -> Vec<LoggedEvent> {
        let filter = EventFilter {
            host: Some(host),
            after: 0,
            limit: 1000,
        };
        self.store.events(&filter).await.unwrap().items
    }

    /// The names in the host's log.
    pub(super) async fn logged(&self, host: HostId) -> Vec<String> {
        self.log(host).await.into_iter().map(|line| line.entry.event).collect()
    }
}
