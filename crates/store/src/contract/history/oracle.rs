//! What may be wiped, known from what people did and what was stored, and from nothing else.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use thirdboot_lifecycle::{BootId, DEFAULT_ATTEMPTS, Disk, Grant, Run, RunNumber, Stage};

#[derive(Debug, Clone)]
struct Allowed {
    run: RunNumber,
    expires_at: Timestamp,
    inspect: bool,
    /// Serial of the disk that may be wiped whatever is on it.
    wiped: Option<String>,
    granted_to: BTreeSet<BootId>,
}

/// Watches the fleet. A host without an entry may not be wiped.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    allowed: BTreeMap<usize, Allowed>,
    held: BTreeSet<usize>,
    at_backup: BTreeMap<usize, RunNumber>,
}

impl Oracle {
    pub(super) fn armed(
        &mut self,
        host: usize,
        run: RunNumber,
        expires_at: Timestamp,
        inspect: bool,
        wiped: Option<String>,
    ) {
        let granted_to = BTreeSet::new();
        self.allowed.insert(
            host,
            Allowed {
                run,
                expires_at,
                inspect,
                wiped,
                granted_to,
            },
        );
    }

    pub(super) fn allows_wipe_of(&self, host: usize, disk: &Disk) -> bool {
        self.allowed
            .get(&host)
            .is_some_and(|allowed| allowed.wiped.is_some() && allowed.wiped == disk.serial)
    }

    pub(super) fn held(&mut self, host: usize, on: bool) {
        if on {
            self.held.insert(host);
        } else {
            self.held.remove(&host);
        }
    }

    pub(super) fn backed_up(&mut self) {
        self.at_backup = self
            .allowed
            .iter()
            .map(|(host, allowed)| (*host, allowed.run))
            .collect();
    }

    /// A permit that was open when the copy was made and is open still may stay; whatever was taken or taken back since
    /// must not come back.
    pub(super) fn restored(&mut self) {
        let at_backup = &self.at_backup;
        self.allowed
            .retain(|host, allowed| at_backup.get(host) == Some(&allowed.run));
    }

    /// The stored stage ends what a permit allows.
    pub(super) fn saw(&mut self, host: usize, run: Option<&Run>) {
        let still = run.is_some_and(|run| {
            matches!(
                run.stage,
                Stage::Armed | Stage::Netbooting | Stage::Live | Stage::Installing
            )
        });
        if !still {
            self.allowed.remove(&host);
        }
    }

    pub(super) fn install_script(&self, host: usize, run: RunNumber, now: Timestamp) {
        let allowed = self
            .allowed
            .get(&host)
            .unwrap_or_else(|| panic!("install script for host {host}, which nobody armed"));
        assert_eq!(allowed.run, run);
        assert!(now < allowed.expires_at, "install script after the permit's time");
        assert!(!self.held.contains(&host), "install script for a held host");
    }

    pub(super) fn granted(&mut self, host: usize, run: RunNumber, grant: Grant, boot: BootId, now: Timestamp) {
        assert!(!self.held.contains(&host), "granted to a held host");
        let allowed = self
            .allowed
            .get_mut(&host)
            .unwrap_or_else(|| panic!("host {host} may be wiped, and nobody armed it"));
        assert_eq!(allowed.run, run, "granted to another run than the armed one");
        assert!(!allowed.inspect, "an inspection was allowed to write");
        assert!(now < allowed.expires_at, "granted after the permit's time");
        allowed.granted_to.insert(boot);
        assert!(
            allowed.granted_to.len() <= usize::from(DEFAULT_ATTEMPTS),
            "granted to more boots than attempts"
        );
        assert!(grant.attempt <= grant.of && usize::from(grant.attempt) <= allowed.granted_to.len());
    }
}
