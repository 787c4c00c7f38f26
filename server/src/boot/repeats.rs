//! Remembers for a few seconds what was written, so that a machine that asks again and again writes once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use thirdboot_lifecycle::{Fetch, Identity, RunNumber};
use thirdboot_store::HostId;

/// A repeat within this time is not written. A power cycle takes longer.
const WINDOW: Duration = Duration::from_secs(3);
/// The same for strangers, who poll for as long as they are on hold.
const STRANGERS_WINDOW: Duration = Duration::from_secs(60);
/// The same for conflicts, each of which changes its host's row.
const CONFLICTS_WINDOW: Duration = Duration::from_secs(600);
/// What is remembered at most; beyond it everything is forgotten, which costs a write each and nothing else.
const MAX_REMEMBERED: usize = 1 << 18;

/// Something that may happen again at once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Repeat {
    /// The run's install script was served.
    InstallScript(HostId, RunNumber),
    /// The run's local-disk script was served.
    LocalScript(HostId, RunNumber),
    /// A file of the run was served in full.
    Fetched(HostId, RunNumber, Fetch),
    /// A machine that matches no host asked.
    Stranger(u64),
    /// A machine presented identifiers of this host and others that disagree.
    Conflict(HostId),
}

impl Repeat {
    /// A machine with these identifiers, asking from there.
    pub(super) fn stranger(identity: &Identity, source: &str) -> Self {
        use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
        Self::Stranger(BuildHasherDefault::<DefaultHasher>::default().hash_one((
            &identity.macs,
            &identity.serial,
            &identity.uuid,
            source,
        )))
    }

    fn window(&self) -> Duration {
        match self {
            Self::Stranger(_) => STRANGERS_WINDOW,
            Self::Conflict(_) => CONFLICTS_WINDOW,
            Self::InstallScript(..) | Self::LocalScript(..) | Self::Fetched(..) => WINDOW,
        }
    }
}

/// What was written a moment ago.
#[derive(Debug, Default)]
pub struct Repeats(Mutex<HashMap<Repeat, Instant>>);

impl Repeats {
    /// Whether this was written a moment ago.
    pub(super) fn is_repeat(&self, what: &Repeat) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(what).is_some_and(|at| at.elapsed() < what.window())
    }

    /// It is written now.
    pub(super) fn note(&self, what: Repeat) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED {
            known.retain(|what, at| at.elapsed() < what.window());
            if known.len() >= MAX_REMEMBERED {
                known.clear();
            }
        }
        known.insert(what, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_of_the_same_host_run_and_kind() {
        let repeats = Repeats::default();
        let install = Repeat::InstallScript(HostId(1), RunNumber(1));
        assert!(!repeats.is_repeat(&install));
        repeats.note(install.clone());
        assert!(repeats.is_repeat(&install));
        assert!(!repeats.is_repeat(&Repeat::InstallScript(HostId(1), RunNumber(2))));
        assert!(!repeats.is_repeat(&Repeat::LocalScript(HostId(1), RunNumber(1))));
    }
}
