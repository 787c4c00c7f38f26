//! What was seen of clusters a moment ago. Only in memory: after a restart it is looked at anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thirdboot_lifecycle::{Api, ClusterName, Holder, NodeWord, RunNumber, Sight};

/// What was seen longer ago counts for nothing: nobody may begin a cluster on it.
const MAX_AGE: Duration = Duration::from_secs(60);

/// What was seen of every cluster.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    /// Whether nobody looks: the clusters' networks are out of reach from here.
    is_blind: bool,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    clusters: BTreeMap<ClusterName, Seen>,
    /// How often something was forgotten.
    forgotten: u64,
}

/// When a look began: what was forgotten since is not remembered by it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun(u64);

/// What was seen of one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// When its servers were last asked for `/cacerts`, every one of them.
    pub(crate) looked_at: Option<Instant>,
    /// Servers that answered with the cluster's CA.
    pub(crate) answering: BTreeSet<u64>,
    /// Others that answered, in words; with their number where it is a host.
    pub(crate) others: Vec<(Option<u64>, String)>,
    /// Whether its API answers.
    pub(crate) api: ApiSeen,
    /// Installations of which no earlier node is left.
    pub(crate) clean: BTreeSet<(u64, RunNumber)>,
    /// What the API says of each node, by host.
    pub(crate) nodes: BTreeMap<u64, NodeWord>,
}

/// Whether an API answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum ApiSeen {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// No, for this reason.
    Unreachable(String),
    /// Yes.
    Reachable,
}

impl Seen {
    fn is_fresh(&self) -> bool {
        self.looked_at.is_some_and(|at| at.elapsed() < MAX_AGE)
    }
}

impl Watched {
    /// Nobody looks: the clusters' networks are out of reach from here.
    pub(crate) fn blind() -> Self {
        Self {
            is_blind: true,
            ..Self::default()
        }
    }

    pub(crate) fn is_blind(&self) -> bool {
        self.is_blind
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known now.
    pub(crate) fn of(&self, name: &ClusterName) -> Seen {
        self.known().clusters.get(name).cloned().unwrap_or_default()
    }

    /// A look begins. What it goes by is read after this.
    pub(super) fn begin(&self) -> Begun {
        Begun(self.known().forgotten)
    }

    /// What a look saw; nothing where something was forgotten since it began: the next look is soon.
    pub(super) fn keep(&self, name: &ClusterName, seen: Seen, begun: Begun) {
        let mut known = self.known();
        if known.forgotten == begun.0 {
            known.clusters.insert(name.clone(), seen);
        }
    }

    /// Nothing is known any more: whoever asks next waits for a new look.
    pub(crate) fn forget(&self, name: &ClusterName) {
        let mut known = self.known();
        known.clusters.remove(name);
        known.forgotten += 1;
    }

    /// What the one who asks to join goes by. The asker itself answers nothing.
    pub(crate) fn sight(&self, name: &ClusterName, seeker: &Holder) -> Sight {
        if self.is_blind {
            return Sight {
                has_looked: true,
                api: Api::Unreachable,
                ..Sight::default()
            };
        }
        let seen = self.of(name);
        if !seen.is_fresh() {
            return Sight::default();
        }
        Sight {
            has_looked: true,
            answering: seen
                .answering
                .iter()
                .copied()
                .filter(|host| *host != seeker.host)
                .collect(),
            api: match seen.api {
                ApiSeen::Unknown => Api::Unknown,
                ApiSeen::Unreachable(_) => Api::Unreachable,
                ApiSeen::Reachable => Api::Reachable {
                    is_clean: seen.clean.contains(&(seeker.host, seeker.run)),
                },
            },
            others_answering: seen
                .others
                .into_iter()
                .filter(|(host, _)| *host != Some(seeker.host))
                .map(|(_, name)| name)
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_began_before_something_was_forgotten_brings_nothing_back() {
        let (watched, prod) = (Watched::default(), "prod".parse().unwrap());
        let seen = || Seen {
            looked_at: Some(Instant::now()),
            ..Seen::default()
        };
        let begun = watched.begin();
        watched.forget(&prod);
        watched.keep(&prod, seen(), begun);
        assert!(watched.of(&prod).looked_at.is_none());
        watched.keep(&prod, seen(), watched.begin());
        assert!(watched.of(&prod).looked_at.is_some());
    }
}
