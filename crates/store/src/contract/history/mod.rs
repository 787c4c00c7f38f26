//! Random histories: requests of any kind, claims, reports, cancels, expiries, restores, restarts, clock jumps and moved
//! NICs in any order, played against a backend. An oracle that knows only what people did watches every script and grant.

mod database;
mod oracle;
mod step;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use thirdboot_lifecycle::{
    Asker, BootId, Claim, ClaimRefused, DEFAULT_ATTEMPTS, Disk, Host, HostName, Identified, Identity, Mac, Permit,
    Previous, Purpose, Report, RunNumber, Said, Script, SecretKind, Serial, decide, identify,
};

pub use database::{Database, Memory, Stored};
use oracle::Oracle;
pub use step::{Step, steps};

use crate::{Actor, Answer, HostState, Submission, SubmitError};

/// How many hosts and machines there are.
pub const MACHINES: usize = 3;

/// A machine in the rack: what it is, and what is on its disk. No database changes that.
#[derive(Debug, Clone)]
struct Machine {
    mac: Mac,
    serial: Serial,
    disk: Disk,
    boot: u32,
    /// Further cards: iPXE names the first, a claim all.
    extra: Vec<Mac>,
}

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

/// The hosts of every fleet: the first is pinned at its first boot, the others are described in full.
#[must_use]
pub fn hosts() -> Vec<Host> {
    machines()
        .into_iter()
        .enumerate()
        .map(|(n, machine)| {
            let mut host: Host = serde_json::from_str(&format!(r#"{{"name":"node-{n}","role":"agent"}}"#)).unwrap();
            host.macs = vec![machine.mac];
            host.serial = (n > 0).then(|| machine.serial.clone());
            host
        })
        .collect()
}

/// When every history begins.
#[must_use]
pub fn noon() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn machines() -> Vec<Machine> {
    (0..MACHINES)
        .map(|n| Machine {
            mac: format!("52:54:00:00:00:0{n}").parse().unwrap(),
            serial: format!("SERIAL-{n}").parse().unwrap(),
            disk: Disk {
                path: format!("/dev/disk/by-id/d{n}"),
                serial: Some(format!("DISK-{n}")),
                size_bytes: 64 << 30,
                ..Disk::default()
            },
            boot: 1,
            extra: Vec::new(),
        })
        .collect()
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
            machines: machines(),
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

    fn boot_id(&self, machine: usize) -> BootId {
        format!("00000000-0000-4000-8{machine:03x}-{:012x}", self.machines[machine].boot)
            .parse()
            .unwrap()
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

    /// A machine asks for its script, by address as on a network of one's own.
    fn ask_script(&mut self, machine: usize) {
        let identity = self.identity(machine);
        let hosts: Vec<Host> = self
            .owners(&identity)
            .into_iter()
            .map(|n| self.database[n].host.clone())
            .collect();
        let identified = identify(&identity, None, &hosts);
        let at = match &identified {
            Identified::Host(host) => self.database.iter().position(|state| state.host.name == host.name),
            _ => None,
        };
        let run = at.and_then(|at| self.database[at].run.clone());
        let asker = Asker {
            may_install: true,
            unknown_boots_disk: false,
        };
        let script = decide(&identified, run.as_ref(), asker, self.store.now());
        if let Script::Install(number) = script {
            let host = at.unwrap();
            self.oracle.install_script(host, number, self.store.now());
            self.tally.install_scripts += 1;
        }
        if let Some(host) = at {
            self.submit(host, &Submission::Script { script }).ok();
        }
    }

    /// A machine that got hold of `host`'s live secret asks to write.
    fn claim(&mut self, machine: usize, host: usize, run_back: u32) {
        let Some(current) = self.database[host].run.as_ref().map(|run| run.number) else {
            return;
        };
        let run = RunNumber(current.0.saturating_sub(run_back));
        let disk = self.machines[machine].disk.clone();
        let claim = Claim {
            run,
            boot_id: self.boot_id(machine),
            identity: self.all_of(machine),
            disk: disk.clone(),
            disks: vec![disk],
        };
        match self.submit(host, &Submission::Claim(Box::new(claim))) {
            Ok(Answer::Granted(grant)) => {
                self.tally.grants += 1;
                let state = &self.database[host];
                self.oracle
                    .granted(host, run, grant, self.boot_id(machine), self.store.now());
                let presented = self.all_of(machine).macs;
                assert!(
                    presented.iter().any(|card| state.host.macs.contains(card)),
                    "granted to another machine"
                );
                let is_others =
                    |card: &Mac| (0..MACHINES).any(|n| n != host && self.database[n].host.macs.contains(card));
                assert!(
                    !presented.iter().any(is_others),
                    "granted to a machine with another host's card"
                );
                let disk = &self.machines[machine].disk;
                let may_wipe = self.oracle.allows_wipe_of(host, disk);
                if let Some(previous) = &disk.previous {
                    let is_own = previous.host == state.host.name;
                    assert!(
                        is_own || may_wipe,
                        "another host's install was handed over: {previous:?}"
                    );
                    assert!(
                        !is_own || previous.run < run,
                        "a newer install was handed over: {previous:?} for run {run}"
                    );
                }
                assert!(
                    disk.holds.is_empty() || may_wipe,
                    "wiped without being told to: {:?}",
                    disk.holds
                );
            }
            Ok(answer) => panic!("a claim was answered with {answer:?}"),
            Err(_) => self.tally.refused_claims += 1,
        }
    }

    fn report(&mut self, machine: usize, host: usize, said: &Said, by: SecretKind, run_back: u32) {
        let Some(current) = self.database[host].run.as_ref().map(|run| run.number) else {
            return;
        };
        let run = RunNumber(current.0.saturating_sub(run_back));
        self.seq += 1;
        let boot_id = self.boot_id(machine);
        let report = Report {
            run,
            boot_id: boot_id.clone(),
            seq: self.seq,
            said: said.clone(),
            message: None,
        };
        let answer = self.submit(
            host,
            &Submission::Report {
                by,
                report: Box::new(report),
                log: None,
            },
        );
        let is_current = run == current;
        if let Ok(Answer::Recorded(stage)) = answer {
            self.acknowledged.insert((host, boot_id.to_string(), self.seq));
            if is_current && matches!(said, Said::Installed { .. }) {
                // The installer wrote the mark before it reported.
                let name: HostName = self.database[host].host.name.clone();
                self.machines[machine].disk.previous = Some(Previous { host: name, run });
                self.machines[machine].disk.holds.clear();
            }
            self.tally.ready += u32::from(stage == thirdboot_lifecycle::Stage::Ready);
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

    fn identity(&self, machine: usize) -> Identity {
        let Machine { mac, serial, .. } = &self.machines[machine];
        Identity {
            macs: vec![*mac],
            serial: Some(serial.clone()),
            uuid: None,
        }
    }

    fn all_of(&self, machine: usize) -> Identity {
        let mut identity = self.identity(machine);
        identity.macs.extend(&self.machines[machine].extra);
        identity
    }

    fn owners(&self, identity: &Identity) -> Vec<usize> {
        let owns = |host: &Host| {
            identity.macs.iter().any(|mac| host.macs.contains(mac))
                || (host.serial.is_some() && host.serial == identity.serial)
        };
        (0..MACHINES).filter(|n| owns(&self.database[*n].host)).collect()
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
