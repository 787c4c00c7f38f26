//! Reboot locks: never more hosts hold one than there are slots, whatever befalls the store.

use std::sync::Arc;

use jiff::SignedDuration;
use thirdboot_lifecycle::{
    GroupName, GroupSettings, LockAsk, LockReason, LockSlot, Role, RunNumber, Said, SlotState, Stage,
};

use super::Factory;
use super::path::drive_to;
use super::world::{World, admin, boot, host, machine};
use crate::{HostId, LockChange, LockOutcome, Locks as _, Store as _, Submission, SubmitError};

fn group() -> GroupName {
    GroupName::of(None, Role::Agent)
}

fn ask(n: u8, id: HostId, drains: bool) -> LockChange {
    LockChange::Ask(LockAsk {
        host: id.0,
        name: host(n).name,
        group: group(),
        reason: LockReason::Update,
        drains,
        servers: None,
    })
}

fn release(host: HostId, if_asks: Option<u64>) -> LockChange {
    LockChange::Release {
        host,
        if_asks,
        by: admin(),
        why: "it is well".into(),
    }
}

impl<F: Factory> World<F> {
    async fn lock(&self, change: LockChange) -> LockOutcome {
        self.store.change_lock(change).await.unwrap()
    }

    async fn asks(&self, n: u8, id: HostId) -> SlotState {
        self.lock(ask(n, id, false)).await.slot.unwrap().state
    }

    async fn holders(&self) -> Vec<LockSlot> {
        let all = self.store.locks().await.unwrap();
        all.into_iter().filter(|slot| slot.state.holds()).collect()
    }
}

/// Asking again changes nothing, nor does a restart, nor does time.
pub async fn a_slot_is_held_by_one_host_until_it_gives_it_back(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (one, two) = (world.add(1).await, world.add(2).await);
    assert_eq!(world.store.lock_of(one).await.unwrap(), None);
    let first = world.lock(ask(1, one, false)).await;
    assert!(first.is_new);
    assert_eq!(world.asks(2, two).await, SlotState::Waiting);
    world.restart().await;
    world.pass(SignedDuration::from_hours(10_000));
    let again = world.lock(ask(1, one, false)).await;
    assert!(!again.is_new);
    let (first, again) = (first.slot.unwrap(), again.slot.unwrap());
    assert_eq!(
        (again.state, again.since, again.asks),
        (SlotState::Granted, first.since, 2)
    );
    assert_eq!(world.asks(2, two).await, SlotState::Waiting);
    let released = world.lock(release(one, None)).await;
    assert!(released.is_new);
    assert_eq!(released.slot.unwrap().state, SlotState::Released);
    assert!(!world.lock(release(one, None)).await.is_new);
    assert_eq!(world.asks(2, two).await, SlotState::Granted);
    let names: Vec<String> = world.holders().await.iter().map(|slot| slot.name.to_string()).collect();
    assert_eq!(names, ["node-2"]);
    assert_eq!(world.logged(one).await[1..], ["lock-granted", "lock-released"]);
    let nobody = world.lock(ask(9, HostId(999), false)).await;
    assert_eq!((nobody.slot, nobody.is_new), (None, false));
}

/// The slot is taken while it is drained; a drain that is given up gives it back.
pub async fn a_drain_comes_before_the_grant(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (one, two) = (world.add(1).await, world.add(2).await);
    let reserved = world.lock(ask(1, one, true)).await.slot.unwrap();
    assert_eq!(reserved.state, SlotState::Reserved);
    let since = world.store.lock_of(one).await.unwrap().unwrap().since;
    world.restart().await;
    assert_eq!(world.asks(2, two).await, SlotState::Waiting);
    world.pass(SignedDuration::from_secs(1));
    let why = "a budget does not allow it".to_owned();
    let back = world.lock(LockChange::DrainGivenUp { host: one, since, why }).await;
    assert_eq!(back.slot.unwrap().state, SlotState::Waiting);
    let drained = world.lock(LockChange::Drained { host: one, since }).await;
    assert!(!drained.is_new, "there is no slot to grant");
    world.pass(SignedDuration::from_secs(1));
    assert_eq!(world.asks(1, one).await, SlotState::Waiting, "the other one was first");
    assert_eq!(
        world.lock(ask(2, two, true)).await.slot.unwrap().state,
        SlotState::Reserved
    );
    let note = Some("3 pods left".to_owned());
    let noted = world
        .lock(LockChange::Note {
            host: two,
            note: note.clone(),
        })
        .await;
    assert_eq!(noted.slot.unwrap().note, note);
    let since = world.store.lock_of(two).await.unwrap().unwrap().since;
    let other = since - SignedDuration::from_secs(9);
    assert!(
        !world
            .lock(LockChange::Drained {
                host: two,
                since: other
            })
            .await
            .is_new
    );
    let drained = world.lock(LockChange::Drained { host: two, since }).await;
    let slot = drained.slot.unwrap();
    assert_eq!(
        (drained.is_new, slot.state, slot.note),
        (true, SlotState::Granted, None)
    );
}

/// A word of an earlier slot, held up somewhere, must not give the present one away.
pub async fn a_late_word_releases_nothing(factory: impl Factory) {
    let world = World::new(factory).await;
    let one = world.add(1).await;
    let first = world.lock(ask(1, one, false)).await.slot.unwrap();
    assert!(world.lock(release(one, Some(first.asks))).await.is_new);
    let second = world.lock(ask(1, one, false)).await.slot.unwrap();
    assert!(second.asks > first.asks);
    assert!(!world.lock(release(one, Some(first.asks))).await.is_new);
    assert_eq!(world.holders().await, std::slice::from_ref(&second));
    assert!(world.lock(release(one, Some(second.asks))).await.is_new);
}

/// And who asks no more loses its turn, and then its place.
pub async fn the_turn_is_that_of_who_waits_longest(factory: impl Factory) {
    let world = World::new(factory).await;
    let mut ids = Vec::new();
    for n in 1..=4 {
        let id = world.add(n).await;
        world.asks(n, id).await;
        ids.push(id);
        world.pass(SignedDuration::from_secs(60));
    }
    let order = |slots: Vec<LockSlot>| -> Vec<String> { slots.iter().map(|slot| slot.name.to_string()).collect() };
    assert_eq!(
        order(world.store.locks().await.unwrap()),
        ["node-1", "node-2", "node-3", "node-4"]
    );
    world.lock(release(ids[0], None)).await;
    assert_eq!(world.asks(3, ids[2]).await, SlotState::Waiting);
    // Node 4 is in pieces and is installed again: it goes before those that still run.
    let reason = LockReason::Reinstall { run: RunNumber(2) };
    let LockChange::Ask(asked) = ask(4, ids[3], true) else {
        unreachable!("it is a question");
    };
    let granted = world.lock(LockChange::Ask(LockAsk { reason, ..asked })).await;
    assert_eq!(granted.slot.unwrap().state, SlotState::Granted);
    assert_eq!(
        order(world.store.locks().await.unwrap()),
        ["node-4", "node-2", "node-3"]
    );
    world.lock(release(ids[3], None)).await;
    assert_eq!(world.asks(3, ids[2]).await, SlotState::Waiting, "node 2 still asks");
    world.pass(SignedDuration::from_mins(12));
    assert_eq!(
        world.asks(3, ids[2]).await,
        SlotState::Granted,
        "the others ask no more"
    );
    let before = world.store.now();
    world.lock(LockChange::Forget { before }).await;
    assert_eq!(order(world.store.locks().await.unwrap()), ["node-3"]);
}

/// Whoever asks for something else than before begins anew, and does not wait behind itself.
pub async fn nobody_waits_behind_what_they_asked_for_before(factory: impl Factory) {
    let world = World::new(factory).await;
    let (one, two) = (world.add(1).await, world.add(2).await);
    world.asks(1, one).await;
    let LockChange::Ask(asked) = ask(2, two, false) else {
        unreachable!("it is a question");
    };
    let monthly = LockAsk {
        reason: LockReason::Monthly,
        ..asked
    };
    let waits = world.lock(LockChange::Ask(monthly)).await;
    assert_eq!(waits.slot.unwrap().state, SlotState::Waiting);
    world.lock(release(one, None)).await;
    world.pass(SignedDuration::from_secs(1));
    assert_eq!(world.asks(2, two).await, SlotState::Granted);
}

/// What nobody said is built in; fewer slots take nobody's slot away.
pub async fn a_groups_settings_are_kept_and_reset(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (one, two, three) = (world.add(1).await, world.add(2).await, world.add(3).await);
    let built_in = world.store.lock_group(&group()).await.unwrap();
    assert_eq!((built_in.version, built_in.value), (0, GroupSettings::default()));
    let wide = GroupSettings {
        slots: 2,
        ..GroupSettings::default()
    };
    let put = async |world: &World<_>, settings, seen: &GroupSettings| {
        let put = world.store.put_lock_group(&group(), settings, seen).await;
        put.unwrap()
    };
    assert_eq!(
        put(&world, Some(wide.clone()), &GroupSettings::default()).await,
        Some(1)
    );
    assert_eq!(put(&world, Some(wide.clone()), &wide).await, Some(2));
    // What was seen is what was built in: somebody said something else since.
    assert_eq!(
        put(&world, Some(GroupSettings::default()), &GroupSettings::default()).await,
        None
    );
    assert_eq!(put(&world, None, &GroupSettings::default()).await, None);
    world.restart().await;
    let groups = world.store.lock_groups().await.unwrap();
    assert_eq!((groups.len(), &groups[0].0, &groups[0].1.value), (1, &group(), &wide));
    assert_eq!(world.asks(1, one).await, SlotState::Granted);
    assert_eq!(world.asks(2, two).await, SlotState::Granted);
    assert_eq!(put(&world, None, &wide).await, Some(0));
    assert_eq!(put(&world, None, &GroupSettings::default()).await, Some(0), "already");
    assert_eq!(world.store.lock_groups().await.unwrap(), []);
    assert_eq!(world.holders().await.len(), 2);
    assert_eq!(world.asks(3, three).await, SlotState::Waiting);
    world.lock(release(one, None)).await;
    assert_eq!(
        world.asks(3, three).await,
        SlotState::Waiting,
        "one slot, and node 2 holds it"
    );
}

/// A person removed it: nothing is left that could come back.
pub async fn a_host_that_is_removed_holds_nothing(factory: impl Factory) {
    let world = World::new(factory).await;
    let (one, two) = (world.add(1).await, world.add(2).await);
    world.asks(1, one).await;
    for submission in [Submission::Retire { by: admin() }, Submission::Remove] {
        world.store.submit(one, submission).await.unwrap();
    }
    assert_eq!(world.asks(2, two).await, SlotState::Granted);
}

/// It is remembered that the host was ready, and what it waits for.
pub async fn a_new_install_of_a_ready_host_waits(factory: impl Factory) {
    let world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    let number = |run: &thirdboot_lifecycle::Run| (run.number, run.replaces.clone());
    assert_eq!(number(&world.state(id).await.run.unwrap()), (RunNumber(1), None));
    drive_to(&world, id, run, Stage::Ready).await;
    let second = world.arm(id).await.unwrap();
    assert_eq!(number(&world.state(id).await.run.unwrap()), (second, Some(group())));
    let waits = |run, why: &str| Submission::ClaimWaits {
        run,
        why: why.to_owned(),
    };
    let early = world.store.submit(id, waits(second, "no slot")).await;
    assert!(matches!(early, Err(SubmitError::Refused(_))), "{early:?}");
    world
        .say(id, second, boot(4), Said::Live { identity: machine(1) })
        .await
        .unwrap();
    world.store.submit(id, waits(second, "no slot")).await.unwrap();
    let wait = world.state(id).await.run.unwrap().evidence.claim_wait.unwrap();
    assert_eq!(wait.why, "no slot");
}

/// Many ask at once, several times over, some come back, and the store is restarted in between.
pub async fn of_many_at_once_no_more_hold_a_slot_than_there_are(factory: impl Factory) {
    const SLOTS: u16 = 3;
    let mut world = World::new(factory).await;
    let settings = GroupSettings {
        slots: SLOTS,
        ..GroupSettings::default()
    };
    let built_in = GroupSettings::default();
    let put = world.store.put_lock_group(&group(), Some(settings), &built_in).await;
    assert_eq!(put.unwrap(), Some(1));
    let mut hosts = Vec::new();
    for n in 1..=12 {
        hosts.push((n, world.add(n).await));
    }
    let mut served = std::collections::BTreeSet::new();
    for round in 0..12 {
        let questions: Vec<_> = hosts
            .iter()
            .map(|&(n, id)| {
                let store = Arc::clone(&world.store);
                tokio::spawn(async move { store.change_lock(ask(n, id, n % 2 == 0)).await.unwrap().slot.unwrap() })
            })
            .collect();
        let mut told = Vec::new();
        for question in questions {
            told.push(question.await.unwrap());
        }
        let holders = world.holders().await;
        assert!(holders.len() <= usize::from(SLOTS), "{holders:?}");
        for slot in told.iter().filter(|slot| slot.state.holds()) {
            assert!(holders.iter().any(|holder| holder.host == slot.host), "{slot:?}");
        }
        if round % 4 == 3 {
            world.restart().await;
            assert_eq!(world.holders().await, holders);
        }
        world.pass(SignedDuration::from_mins(5));
        // One never comes back.
        for holder in holders.iter().filter(|holder| holder.host != hosts[0].1.0) {
            served.insert(holder.host);
            world.lock(release(HostId(holder.host), Some(holder.asks))).await;
        }
    }
    assert_eq!(served.len(), hosts.len() - 1, "everybody else had a turn");
}
