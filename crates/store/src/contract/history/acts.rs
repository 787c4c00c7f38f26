//! What machines do: ask for scripts, claim, report.

use thirdboot_lifecycle::{
    Asker, BootId, Claim, Host, HostName, Identified, Identity, Mac, Previous, Report, RunNumber, Said, Script,
    SecretKind, decide, identify,
};

use super::rack::{MACHINES, Machine};
use super::{Database, Fleet};
use crate::{Answer, Submission};

impl<D: Database> Fleet<D> {
    /// A machine asks for its script, by address as on a network of one's own.
    pub(super) fn ask_script(&mut self, machine: usize) {
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
    pub(super) fn claim(&mut self, machine: usize, host: usize, run_back: u32) {
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

    pub(super) fn report(&mut self, machine: usize, host: usize, said: &Said, by: SecretKind, run_back: u32) {
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

    pub(super) fn boot_id(&self, machine: usize) -> BootId {
        format!("00000000-0000-4000-8{machine:03x}-{:012x}", self.machines[machine].boot)
            .parse()
            .unwrap()
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
}
