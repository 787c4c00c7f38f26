//! A small fleet in memory, played step by step through `apply`, and the oracle that watches it.

mod oracle;
mod step;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use oracle::Oracle;
pub(crate) use step::{Step, steps};
use thirdboot_lifecycle::{
    Asker, BootId, Claim, DEFAULT_ATTEMPTS, Deadlines, Disk, Host, HostName, Identified, Identity, Mac, Permit,
    Previous, Purpose, Report, Run, RunNumber, Said, Script, SecretKind, Serial, decide, identify,
};
use thirdboot_store::{Actor, Answer, Clock, Context, HostId, HostState, Submission, SubmitError, apply};

pub(crate) const MACHINES: usize = 3;

/// A machine in the rack: what it is, and what is on its disk. No database changes that.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) mac: Mac,
    pub(crate) serial: Serial,
    pub(crate) disk: Disk,
    pub(crate) boot: u32,
    /// Further cards: iPXE names the first, a claim all.
    pub(crate) extra: Vec<Mac>,
}

/// How far the histories came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) grants: u32,
    pub(crate) refused_claims: u32,
    pub(crate) install_scripts: u32,
    pub(crate) ready: u32,
    pub(crate) restores: u32,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.grants += other.grants;
        self.refused_claims += other.refused_claims;
        self.install_scripts += other.install_scripts;
        self.ready += other.ready;
        self.restores += other.restores;
    }
}

/// The fleet, its database, and a backup of it.
pub(crate) struct Fleet {
    clock: Clock,
    deadlines: Deadlines,
    database: Vec<HostState>,
    backup: Vec<HostState>,
    machines: Vec<Machine>,
    oracle: Oracle,
    /// Reports that were acknowledged, as (host, boot, seq), and those in the log.
    acknowledged: BTreeSet<(usize, String, u64)>,
    logged: Vec<(usize, String, u64)>,
    seq: u64,
    pub(crate) tally: Tally,
}

fn person() -> Actor {
    Actor::Token("ada".into())
}

impl Fleet {
    pub(crate) fn new() -> Self {
        let machines: Vec<Machine> = (0..MACHINES)
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
            .collect();
        let database: Vec<HostState> = machines
            .iter()
            .enumerate()
            .map(|(n, machine)| {
                let mut host: Host = serde_json::from_str(&format!(r#"{{"name":"node-{n}","role":"agent"}}"#)).unwrap();
                host.macs = vec![machine.mac];
                // The first is pinned at its first boot, the others are described in full.
                host.serial = (n > 0).then(|| machine.serial.clone());
                HostState {
                    id: HostId(n as u64),
                    version: 1,
                    host,
                    run: None,
                    observed: None,
                }
            })
            .collect();
        Self {
            clock: Clock::manual(Timestamp::from_second(1_800_000_000).unwrap()),
            deadlines: Deadlines::default(),
            backup: database.clone(),
            database,
            machines,
            oracle: Oracle::default(),
            acknowledged: BTreeSet::new(),
            logged: Vec::new(),
            seq: 0,
            tally: Tally::default(),
        }
    }

    pub(crate) fn play(&mut self, step: &Step) {
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
            Step::Jump(minutes) => self.clock.jump(SignedDuration::from_mins(*minutes)),
            Step::Reconcile => (0..MACHINES).for_each(|host| {
                self.submit(host, &Submission::Due).ok();
            }),
            Step::Backup => self.backup = self.database.clone(),
            Step::Restore => self.restore(),
        }
    }

    fn boot_id(&self, machine: usize) -> BootId {
        format!("00000000-0000-4000-8{machine:03x}-{:012x}", self.machines[machine].boot)
            .parse()
            .unwrap()
    }

    fn arm(&mut self, host: usize, ttl_min: i64, wipe: bool, inspect: bool, named: bool) {
        let now = self.clock.now();
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
        let script = decide(&identified, run.as_ref(), asker, self.clock.now());
        if let Script::Install(number) = script {
            let host = at.expect("only a known host is installed");
            self.oracle.install_script(host, number, self.clock.now());
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
                    .granted(host, run, grant, self.boot_id(machine), self.clock.now());
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

    /// Yesterday's database: every open permit in it is void before anybody may ask.
    fn restore(&mut self) {
        self.tally.restores += 1;
        self.database = self.backup.clone();
        self.oracle.restored();
        let why = "the database was restored".to_owned();
        for host in 0..MACHINES {
            self.submit(host, &Submission::VoidPermit { why: why.clone() }).ok();
            self.oracle.held(host, self.database[host].host.hold.is_some());
        }
        self.acknowledged.clear();
        self.logged.clear();
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
        let others: Vec<HostName> = submission
            .identity()
            .map(|identity| {
                self.owners(identity)
                    .into_iter()
                    .filter(|n| *n != host)
                    .map(|n| self.database[n].host.name.clone())
                    .collect()
            })
            .unwrap_or_default();
        let context = Context {
            now: self.clock.now(),
            deadlines: &self.deadlines,
            others: &others,
        };
        let before = self.database[host].clone();
        let applied = apply(&before, submission, &context);
        let change = applied.change;
        if applied.answer.is_err() && !matches!(applied.answer, Err(SubmitError::ClaimRefused(_))) {
            assert!(
                change.run.is_none() && change.host.is_none(),
                "a refusal changed something: {submission:?}"
            );
        }
        for line in &change.log {
            if let (Some((boot, seq)), None) = (&line.report, &line.refused) {
                self.logged.push((host, boot.clone(), *seq));
            }
        }
        let state = &mut self.database[host];
        if change.run.is_some() || change.host.is_some() || change.observed.is_some() {
            state.version += 1;
        }
        if let Some(host) = change.host {
            state.host = host;
        }
        if let Some(run) = change.run {
            assert_eq!(
                change.closes_permit || before.run.as_ref().map(|run| run.number) != Some(run.number),
                closes(&before, &run)
            );
            state.run = Some(run);
        }
        if change.observed.is_some() {
            state.observed = change.observed;
        }
        self.oracle.saw(host, state.run.as_ref());
        applied.answer
    }

    /// Time alone brings every run to an end, and what was acknowledged is in the log once.
    pub(crate) fn everything_can_end(&mut self) {
        for report in &self.acknowledged {
            assert_eq!(
                self.logged.iter().filter(|logged| *logged == report).count(),
                1,
                "{report:?}"
            );
        }
        for _ in 0..4 {
            self.clock.jump(SignedDuration::from_hours(24 * 400));
            self.play(&Step::Reconcile);
        }
        for state in &self.database {
            if let Some(run) = &state.run {
                assert!(run.stage.is_end(), "{} is stuck in {}", state.host.name, run.stage);
            }
        }
    }
}

/// Whether the step from `before` to `run` begins a run, grants a claim, or takes a permit back.
fn closes(before: &HostState, run: &Run) -> bool {
    let Some(old) = before.run.as_ref().filter(|old| old.number == run.number) else {
        return true;
    };
    let attempt = |run: &Run| run.evidence.claimed.as_ref().map(|claimed| claimed.attempt);
    attempt(old) != attempt(run) || old.permit.voided.is_some() != run.permit.voided.is_some()
}
