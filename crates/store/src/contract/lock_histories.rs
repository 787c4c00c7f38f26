//! Reboot locks over random histories: hosts that ask and do not hear the answer, drains that end well or do not, new
//! installs, late words, an operator's release, changed settings, restarts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use thirdboot_lifecycle::{GroupName, GroupSettings, LockAsk, LockReason, LockSlot, Role, RunNumber, SlotState};

use super::Factory;
use super::world::{World, admin, host};
use crate::{Actor, HostId, LockChange, LockOutcome, Locks as _};

/// Hosts that share a group.
const HOSTS: u8 = 6;
/// Histories, and how long each is at most.
const HISTORIES: u32 = 8;
const LONGEST: usize = 60;

#[derive(Debug, Clone)]
enum Step {
    /// A host asks; whether it hears the answer is chance.
    Ask {
        n: u8,
        drains: bool,
        reinstall: bool,
        hears: bool,
    },
    /// Its drain ends.
    DrainEnds {
        n: u8,
        well: bool,
    },
    /// It is well again, or an older word of it arrives late.
    Back {
        n: u8,
        late: bool,
    },
    /// A person gives its slot back.
    Operator(u8),
    /// Time passes, in minutes, and who asks no more is forgotten.
    Pass(i64),
    Slots(u16),
    Restart,
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    let n = 1..=HOSTS;
    let step = prop_oneof![
        8 => (n.clone(), any::<bool>(), prop::bool::weighted(0.2), any::<bool>())
            .prop_map(|(n, drains, reinstall, hears)| Step::Ask { n, drains, reinstall, hears }),
        4 => (n.clone(), any::<bool>()).prop_map(|(n, well)| Step::DrainEnds { n, well }),
        4 => (n.clone(), prop::bool::weighted(0.3)).prop_map(|(n, late)| Step::Back { n, late }),
        1 => n.prop_map(Step::Operator),
        2 => (1..90_i64).prop_map(Step::Pass),
        1 => (1..4_u16).prop_map(Step::Slots),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 10..LONGEST)
}

/// What hosts were told, beside a store.
struct Hosts<F: Factory> {
    world: World<F>,
    group: GroupName,
    ids: BTreeMap<u8, HostId>,
    /// Those who heard that they may go, and have not come back: the questions they had asked by then.
    away: BTreeMap<u8, u64>,
    slots: u16,
}

impl<F: Factory> Hosts<F> {
    async fn change(&self, change: LockChange) -> LockOutcome {
        self.world.store.change_lock(change).await.unwrap()
    }

    async fn place(&self, n: u8) -> Option<LockSlot> {
        self.world.store.lock_of(self.ids[&n]).await.unwrap()
    }

    async fn holders(&self) -> BTreeSet<u64> {
        let all = self.world.store.locks().await.unwrap();
        all.iter()
            .filter(|slot| slot.state.holds())
            .map(|slot| slot.host)
            .collect()
    }

    async fn release(&self, n: u8, if_asks: Option<u64>, by: Actor) -> LockOutcome {
        let why = "it is well".to_owned();
        let host = self.ids[&n];
        self.change(LockChange::Release { host, if_asks, by, why }).await
    }

    async fn take(&mut self, step: &Step) {
        match *step {
            Step::Ask {
                n,
                drains,
                reinstall,
                hears,
            } => {
                let ask = LockAsk {
                    host: self.ids[&n].0,
                    name: host(n).name,
                    group: self.group.clone(),
                    reason: if reinstall {
                        LockReason::Reinstall { run: RunNumber(2) }
                    } else {
                        LockReason::Update
                    },
                    drains,
                    servers: None,
                };
                let slot = self.change(LockChange::Ask(ask)).await.slot.unwrap();
                if hears && slot.state == SlotState::Granted {
                    self.away.insert(n, slot.asks);
                }
            }
            Step::DrainEnds { n, well } => {
                let Some(slot) = self.place(n).await else { return };
                let (host, since) = (self.ids[&n], slot.since);
                let change = if well {
                    LockChange::Drained { host, since }
                } else {
                    let why = "its time was over".to_owned();
                    LockChange::DrainGivenUp { host, since, why }
                };
                self.change(change).await;
            }
            Step::Back { n, late } => {
                let Some(asks) = self.away.get(&n).copied() else { return };
                let meant = asks - u64::from(late && asks > 0);
                if self.release(n, Some(meant), Actor::Host).await.is_new {
                    assert!(!late, "a late word gave the present slot of node-{n} away");
                    self.away.remove(&n);
                }
            }
            Step::Operator(n) => {
                // By a person's word it is not away any more.
                self.release(n, None, admin()).await;
                self.away.remove(&n);
            }
            Step::Pass(minutes) => {
                self.world.pass(SignedDuration::from_mins(minutes));
                let before = self.world.settings.clock.now() - SignedDuration::from_hours(1);
                self.change(LockChange::Forget { before }).await;
            }
            Step::Slots(slots) => {
                self.slots = slots;
                let settings = GroupSettings {
                    slots,
                    ..GroupSettings::default()
                };
                let seen = self.world.store.lock_group(&self.group).await.unwrap().value;
                let put = self
                    .world
                    .store
                    .put_lock_group(&self.group, Some(settings), &seen)
                    .await;
                assert!(put.unwrap().is_some());
            }
            Step::Restart => self.world.restart().await,
        }
    }
}

/// Whoever heard that it may go holds a slot until it is back, and nobody gets a slot beyond the last.
pub async fn over_random_histories_no_more_are_away_than_there_are_slots(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let mut ids = BTreeMap::new();
    for n in 1..=HOSTS {
        ids.insert(n, world.add(n).await);
    }
    let group = GroupName::of(None, Role::Agent);
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..HISTORIES {
        let history = history().new_tree(&mut runner).unwrap().current();
        let mut hosts = Hosts {
            world,
            group: group.clone(),
            ids: ids.clone(),
            away: BTreeMap::new(),
            slots: 1,
        };
        hosts.take(&Step::Slots(1)).await;
        for step in &history {
            let before = hosts.holders().await;
            hosts.take(step).await;
            let held = hosts.holders().await;
            for n in hosts.away.keys() {
                assert!(
                    held.contains(&hosts.ids[n].0),
                    "node-{n} is away without a slot: {history:?}"
                );
            }
            if held.len() > before.len() {
                assert!(held.len() <= usize::from(hosts.slots), "{held:?}: {history:?}");
            }
        }
        // The next history begins with nobody away.
        for n in 1..=HOSTS {
            hosts.take(&Step::Operator(n)).await;
        }
        world = hosts.world;
    }
}
