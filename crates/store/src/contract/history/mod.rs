//! Random histories: requests of any kind, claims, reports, cancels, expiries, restores, restarts, clock jumps and moved
//! NICs in any order, played against a backend. An oracle that knows only what people did watches every script and grant.

mod acts;
mod database;
mod oracle;
mod rack;
mod step;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use thirdboot_lifecycle::{ClaimRefused, DEFAULT_ATTEMPTS, Permit, Purpose};

pub use database::{Database, Memory, Stored};
use oracle::Oracle;
use rack::Machine;
pub use rack::{MACHINES, hosts, noon};
pub use step::{Step, steps};

use crate::{Actor, Answer, HostState, Submission, SubmitError};

/// How far the histories came.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Claims that were granted.
    pub grants: u32,
    /// Claims that were not.
    pub refused_claims: u32,
    /// Install scripts that were served.
    pub install_scripts: u32,
    /// Reports that were answered with `ready`.
    pub ready: u32,
    /// Older copies put back.
    pub restores: u32,
}

impl Tally {
    /// Adds another history's.
    pub fn add(&mut self, other: &Self) {
        self.grants += other.grants;
        self.refused_claims += other.refused_claims;
        self.install_scripts += other.install_scripts;
        self.ready += other.ready;
        self.restores += other.restores;
    }
}

/// A fleet and what is stored of it.
pub struct Fleet<D> {
    store: D,
    /// What the store said last of each host.
    database: Vec<HostState>,
    machines: Vec<Machine>,
    oracle: Oracle,
    /// Reports that were acknowledged, as (host, boot, seq).
    acknowledged: BTreeSet<(usize, String, u64)>,
    seq: u64,
    /// How far this history came.
    pub tally: Tally,
}

fn person() -> Actor {
    Actor::Token("ada".into())
}

impl<D: Database> Fleet<D> {
    /// A fleet that nothing happened to yet.
    pub fn new(store: D) -> Self {
        Self {
            database: (0..MACHINES).map(|host| store.state(host)).collect(),
            store,
            machines: rack::machines(),
            oracle: Oracle::default(),
            acknowledged: BTreeSet::new(),
            seq: 0,
            tally: Tally::default(),
        }
    }

    /// Plays one step.
    pub fn play(&mut self, step: &Step) {
        match step {
            Step::Arm {
                host,
                ttl_min,
                wipe,
                inspect,
                named,
            } => self.arm(*host, *ttl_min, *wipe, *inspect, *named),
            Step::Cancel(host) => {
                self.submit(*host, &Submission::Cancel { by: person() }).ok();
            }
            Step::Hold(host) => {
                self.submit(
                    *host,
                    &Submission::Hold {
                        reason: "wait".into(),
                        by: person(),
                    },
                )
                .ok();
                self.oracle.held(*host, true);
            }
            Step::Release(host) => {
                if self.submit(*host, &Submission::Release { by: person() }).is_ok() {
                    self.oracle.held(*host, false);
                }
            }
            Step::AskScript(machine) => self.ask_script(*machine),
            Step::Claim {
                machine,
                host,
                run_back,
            } => self.claim(*machine, *host, *run_back),
            Step::Report {
                machine,
                host,
                said,
                by,
                run_back,
            } => self.report(*machine, *host, said, *by, *run_back),
            Step::Joined { host } => {
                let Some(run) = self.database[*host].run.as_ref().map(|run| run.number) else {
                    return;
                };
                let boot_id = self.boot_id(*host);
                self.submit(*host, &Submission::JoinHandedOut { run, boot_id }).ok();
            }
            Step::PowerCycle(machine) => self.machines[*machine].boot += 1,
            Step::PowerCuts { machine, times } => {
                for _ in 0..*times {
                    self.machines[*machine].boot += 1;
                    self.claim(*machine, *machine, 0);
                }
            }
            Step::ExtraNic { machine, from } => self.machines[*machine].extra = vec![self.machines[*from].mac],
            Step::NewNic(machine) => {
                self.machines[*machine].mac = format!("52:54:00:ff:00:0{machine}").parse().unwrap();
            }
            Step::Plant(machine) => self.machines[*machine].disk.holds = vec!["ceph-bluestore".into()],
            Step::MoveNic { from, to } => {
                let mac = self.machines[*from].mac;
                self.machines[*from].mac = self.machines[*to].mac;
                self.machines[*to].mac = mac;
            }
            Step::Jump(minutes) => self.store.jump(SignedDuration::from_mins(*minutes)),
            Step::Reconcile => (0..MACHINES).for_each(|host| {
                self.submit(host, &Submission::Due).ok();
            }),
            Step::Backup => {
                self.store.back_up();
                self.oracle.backed_up();
            }
            Step::Restart => self.store.restart(),
            Step::Restore => self.restore(),
        }
    }

    fn arm(&mut self, host: usize, ttl_min: i64, wipe: bool, inspect: bool, named: bool) {
        let now = self.store.now();
        let name = || self.machines[host].disk.serial.as_ref().unwrap().parse().unwrap();
        let purpose = if inspect {
            Purpose::Inspect
        } else {
            Purpose::Install {
                disk: named.then(name),
                wipe: wipe.then(name).into_iter().collect(),
            }
        };
        let expires_at = now + SignedDuration::from_mins(ttl_min);
        let permit = Permit {
            purpose,
            issued_at: now,
            expires_at,
            attempts: DEFAULT_ATTEMPTS,
            power: None,
            voided: None,
        };
        let expected_version = self.database[host].version;
        let submission = Submission::Arm {
            permit,
            documents: vec![],
            expected_version,
            by: person(),
        };
        if let Ok(Answer::Armed(run)) = self.submit(host, &submission) {
            let wiped = wipe.then(|| self.machines[host].disk.serial.clone()).flatten();
            self.oracle.armed(host, run, expires_at, inspect, wiped);
        }
    }

    /// Yesterday's database: what was closed since must not be open again.
    fn restore(&mut self) {
        self.tally.restores += 1;
        self.store.restore();
        self.oracle.restored();
        for host in 0..MACHINES {
            self.database[host] = self.store.state(host);
            self.oracle.held(host, self.database[host].host.hold.is_some());
            self.oracle.saw(host, self.database[host].run.as_ref());
        }
        self.acknowledged.clear();
    }

    fn submit(&mut self, host: usize, submission: &Submission) -> Result<Answer, SubmitError> {
        let answer = self.store.submit(host, submission);
        let after = self.store.state(host);
        match &answer {
            Ok(_) | Err(SubmitError::ClaimRefused(ClaimRefused::AlreadyInstalled(_))) => {}
            Err(why) => assert_eq!(self.database[host], after, "refused ({why}), and yet something changed"),
        }
        self.oracle.saw(host, after.run.as_ref());
        self.database[host] = after;
        answer
    }

    /// Time alone brings every run to an end, and what was acknowledged is in the log once, also after a restart.
    pub fn everything_can_end(&mut self) {
        self.store.restart();
        let recorded = self.store.recorded();
        for report in &self.acknowledged {
            assert_eq!(recorded.iter().filter(|line| *line == report).count(), 1, "{report:?}");
        }
        for _ in 0..4 {
            self.store.jump(SignedDuration::from_hours(24 * 400));
            self.play(&Step::Reconcile);
        }
        for state in &self.database {
            if let Some(run) = &state.run {
                assert!(run.stage.is_end(), "{} is stuck in {}", state.host.name, run.stage);
            }
        }
    }
}
