//! Where a history is kept: in memory, by the pure rules alone, or in a real backend.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use thirdboot_lifecycle::{Deadlines, HostName, Run};
use tokio::runtime::Runtime;

use super::{MACHINES, hosts, noon};
use crate::contract::{Factory, Settings};
use crate::{
    Actor, Answer, Applied, Clock, Context, EventFilter, HostId, HostState, Limits, LogEntry, Store, Submission,
    SubmitError, apply,
};

/// What keeps a history. Hosts are named by their place in [`hosts`].
pub trait Database {
    /// Now, by its clock.
    fn now(&self) -> Timestamp;
    /// Moves the machine's clock.
    fn jump(&self, by: SignedDuration);
    /// What is stored of a host.
    fn state(&self, host: usize) -> HostState;
    /// The one door.
    ///
    /// # Errors
    /// As the store's.
    fn submit(&mut self, host: usize, submission: &Submission) -> Result<Answer, SubmitError>;
    /// Sets a copy aside.
    fn back_up(&mut self);
    /// Puts the copy back; the first is made at the beginning.
    fn restore(&mut self);
    /// Closes and opens.
    fn restart(&mut self);
    /// Reports in the log that were not refused, as (host, boot, seq).
    fn recorded(&self) -> Vec<(usize, String, u64)>;
}

/// The rules alone: `apply` on a list.
pub struct Memory {
    clock: Clock,
    deadlines: Deadlines,
    states: Vec<HostState>,
    backup: Vec<HostState>,
    log: Vec<(usize, LogEntry)>,
}

impl Default for Memory {
    fn default() -> Self {
        let states: Vec<HostState> = hosts()
            .into_iter()
            .zip(1..)
            .map(|(host, id)| HostState {
                id: HostId(id),
                version: 1,
                host,
                run: None,
                observed: None,
            })
            .collect();
        Self {
            clock: Clock::manual(noon()),
            deadlines: Deadlines::default(),
            backup: states.clone(),
            states,
            log: Vec::new(),
        }
    }
}

impl Memory {
    fn others(&self, host: usize, submission: &Submission) -> Vec<HostName> {
        let Some(identity) = submission.identity() else {
            return Vec::new();
        };
        let others = self.states.iter().enumerate().filter(|(n, _)| *n != host);
        let owns = |state: &HostState| {
            identity.macs.iter().any(|mac| state.host.macs.contains(mac))
                || (state.host.serial.is_some() && state.host.serial == identity.serial)
        };
        others
            .filter(|(_, state)| owns(state))
            .map(|(_, state)| state.host.name.clone())
            .collect()
    }
}

impl Database for Memory {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn jump(&self, by: SignedDuration) {
        self.clock.jump(by);
    }

    fn state(&self, host: usize) -> HostState {
        self.states[host].clone()
    }

    fn submit(&mut self, host: usize, submission: &Submission) -> Result<Answer, SubmitError> {
        let others = self.others(host, submission);
        let context = Context {
            now: self.clock.now(),
            deadlines: &self.deadlines,
            others: &others,
        };
        let before = self.states[host].clone();
        let Applied { change, answer } = apply(&before, submission, &context);
        self.log.extend(change.log.into_iter().map(|line| (host, line)));
        let state = &mut self.states[host];
        if change.run.is_some() || change.host.is_some() || change.observed.is_some() {
            state.version += 1;
        }
        if let Some(host) = change.host {
            state.host = host;
        }
        if let Some(run) = change.run {
            assert!(
                change.closes_permit || !closes(&before, &run),
                "an older copy would not be recognised: {submission:?}"
            );
            state.run = Some(run);
        }
        if change.observed.is_some() {
            state.observed = change.observed;
        }
        answer
    }

    fn back_up(&mut self) {
        self.backup = self.states.clone();
    }

    /// Without an epoch file to compare with, every open permit is void.
    fn restore(&mut self) {
        self.states = self.backup.clone();
        for host in 0..MACHINES {
            self.submit(
                host,
                &Submission::VoidPermit {
                    why: "the database was restored".into(),
                },
            )
            .ok();
        }
    }

    fn restart(&mut self) {}

    fn recorded(&self) -> Vec<(usize, String, u64)> {
        self.log
            .iter()
            .filter_map(|(host, line)| recorded(*host, line))
            .collect()
    }
}

fn recorded(host: usize, line: &LogEntry) -> Option<(usize, String, u64)> {
    let (boot, seq) = line.report.clone().filter(|_| line.refused.is_none())?;
    Some((host, boot, seq))
}

/// Whether the step from `before` to `run` grants a claim or takes a permit back.
fn closes(before: &HostState, run: &Run) -> bool {
    let Some(old) = before.run.as_ref().filter(|old| old.number == run.number) else {
        return false;
    };
    let attempt = |run: &Run| run.evidence.claimed.as_ref().map(|claimed| claimed.attempt);
    attempt(old) != attempt(run) || old.permit.voided.is_some() != run.permit.voided.is_some()
}

/// A real backend, with its own idea of what an older copy is.
pub struct Stored<F: Factory> {
    factory: F,
    runtime: Runtime,
    settings: Settings,
    store: Arc<F::Store>,
    ids: Vec<HostId>,
}

impl<F: Factory> Stored<F> {
    /// Opens a fresh store, adds the hosts, and sets the first copy aside.
    pub fn new(factory: F) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let settings = Settings {
            clock: Arc::new(Clock::manual(noon())),
            deadlines: Deadlines::default(),
            limits: Limits::default(),
        };
        let (store, _) = runtime.block_on(factory.open(settings.clone()));
        let added = runtime.block_on(store.add_hosts(hosts(), Actor::Server)).unwrap();
        let ids = added.into_iter().map(|state| state.id).collect();
        let mut fresh = Self {
            factory,
            runtime,
            settings,
            store,
            ids,
        };
        fresh.back_up();
        fresh
    }

    fn closed(&mut self, work: impl AsyncFnOnce(&F)) {
        self.runtime.block_on(async {
            self.store.close().await;
            work(&self.factory).await;
            (self.store, _) = self.factory.open(self.settings.clone()).await;
        });
    }
}

impl<F: Factory> Database for Stored<F> {
    fn now(&self) -> Timestamp {
        self.store.now()
    }

    fn jump(&self, by: SignedDuration) {
        self.settings.clock.jump(by);
    }

    fn state(&self, host: usize) -> HostState {
        self.runtime
            .block_on(self.store.host_by_id(self.ids[host]))
            .unwrap()
            .unwrap()
    }

    fn submit(&mut self, host: usize, submission: &Submission) -> Result<Answer, SubmitError> {
        self.runtime
            .block_on(self.store.submit(self.ids[host], submission.clone()))
    }

    fn back_up(&mut self) {
        self.closed(async |factory| factory.back_up().await);
    }

    fn restore(&mut self) {
        self.closed(async |factory| factory.restore().await);
    }

    fn restart(&mut self) {
        self.closed(async |_| {});
    }

    fn recorded(&self) -> Vec<(usize, String, u64)> {
        let mut found = Vec::new();
        let mut after = 0;
        loop {
            let filter = EventFilter {
                host: None,
                after,
                limit: 500,
            };
            let page = self.runtime.block_on(self.store.events(&filter)).unwrap();
            for event in &page.items {
                let host = self.ids.iter().position(|id| *id == event.host).unwrap();
                found.extend(recorded(host, &event.entry));
                after = event.number;
            }
            if !page.more {
                return found;
            }
        }
    }
}
