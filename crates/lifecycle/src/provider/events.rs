//! A provider's events, each told once.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Events of the first look that are told: what happened long before is of no use.
pub const MAX_FIRST_EVENTS: usize = 20;
/// Events that are remembered as told, and told at once at most.
pub const MAX_SEEN_EVENTS: usize = 50;

/// Something that a provider did, or saw, with a machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProviderEvent {
    /// When, by the provider's clock.
    pub at: Timestamp,
    /// The provider's id of it.
    pub id: String,
    /// What, in one clean line.
    pub says: String,
}

/// Which events were told: the latest, in the order of their times.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventsRead(Vec<(Timestamp, String)>);

impl EventsRead {
    /// Takes in what the provider lists, and gives what is new of it, oldest first. What is older than all that is
    /// remembered counts as told.
    pub(super) fn take_in(&mut self, listed: &[ProviderEvent]) -> Vec<ProviderEvent> {
        let is_first = self.0.is_empty();
        let fresh: BTreeSet<&ProviderEvent> = listed.iter().filter(|event| self.is_new(event)).collect();
        let most = if is_first { MAX_FIRST_EVENTS } else { MAX_SEEN_EVENTS };
        let passed_over = fresh.len().saturating_sub(most);
        let fresh: Vec<ProviderEvent> = fresh.into_iter().skip(passed_over).cloned().collect();
        self.0.extend(fresh.iter().map(|event| (event.at, event.id.clone())));
        self.0.sort();
        let over = self.0.len().saturating_sub(MAX_SEEN_EVENTS);
        self.0.drain(..over);
        fresh
    }

    /// Whether this was not told yet.
    #[must_use]
    pub fn is_new(&self, event: &ProviderEvent) -> bool {
        let is_late_enough = self.0.first().is_none_or(|(at, id)| (event.at, &event.id) >= (*at, id));
        is_late_enough && !self.0.iter().any(|(_, id)| *id == event.id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(n: i64) -> ProviderEvent {
        ProviderEvent {
            // Two share each second.
            at: Timestamp::from_second(1_800_000_000 + n / 2).unwrap(),
            id: format!("e{n:04}"),
            says: String::new(),
        }
    }

    proptest! {
        /// Whatever part of the list a look sees, and however often it looks: nothing is told twice, and the order is
        /// that of the times.
        #[test]
        fn an_event_is_told_once(looks in proptest::collection::vec((0_i64..300, 1_i64..80), 1..30)) {
            let mut read = EventsRead::default();
            let mut told = BTreeSet::new();
            for (from, count) in looks {
                let listed: Vec<_> = (from..from + count).rev().map(event).collect();
                let fresh = read.take_in(&listed);
                prop_assert!(fresh.is_sorted());
                for event in fresh {
                    prop_assert!(told.insert(event.id.clone()), "{} again", event.id);
                }
                prop_assert!(read.0.len() <= MAX_SEEN_EVENTS);
                let kept: EventsRead = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
                prop_assert_eq!(&kept, &read);
            }
        }

        /// A list that grows and is looked at often enough loses nothing.
        #[test]
        fn none_is_lost(steps in proptest::collection::vec(1_i64..=30, 1..20)) {
            let mut read = EventsRead::default();
            let (mut listed, mut told) = (vec![event(0)], read.take_in(&[event(0)]).len());
            for count in steps {
                let next = i64::try_from(listed.len()).unwrap();
                listed.extend((next..next + count).map(event));
                told += read.take_in(&listed).len();
            }
            prop_assert_eq!(told, listed.len());
        }
    }

    #[test]
    fn the_first_look_tells_the_latest_only() {
        let listed: Vec<_> = (0..100).map(event).collect();
        let fresh = EventsRead::default().take_in(&listed);
        assert_eq!(fresh, listed[80..]);
    }
}
