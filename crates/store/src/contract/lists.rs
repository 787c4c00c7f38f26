//! The log, strangers, tokens, and what keeps them small.

use std::time::Duration;

use jiff::SignedDuration;
use thirdboot_lifecycle::{Deadlines, Identity, Said, Stage};

use super::Factory;
use super::world::{World, admin, boot, machine};
use crate::{
    AccessRole, Actor, EventFilter, HostId, Limits, Store, StoreError, Submission, SubmitError, Token, UnknownMachine,
};

/// Oldest first, of one host or of all.
pub async fn the_log_is_read_in_pages(factory: impl Factory) {
    let world = World::new(factory).await;
    let (first, _) = world.armed(1).await;
    let second = world.add(2).await;
    let mut filter = EventFilter {
        host: None,
        after: 0,
        limit: 2,
    };
    let page = world.store.events(&filter).await.unwrap();
    let read: Vec<_> = page
        .items
        .iter()
        .map(|line| (line.host, line.entry.event.as_str()))
        .collect();
    assert_eq!((read, page.more), (vec![(first, "added"), (first, "armed")], true));
    assert_eq!(page.items[0].entry.by, Actor::Token("admin".into()));
    assert_eq!(page.items[1].at, world.store.now());
    filter.after = page.items[1].number;
    let page = world.store.events(&filter).await.unwrap();
    assert_eq!((page.items.len(), page.more), (1, false));
    assert_eq!(page.items[0].host, second);
    assert!(page.items[0].number > filter.after);
    assert_eq!(world.logged(second).await, ["added"]);
}

/// Whoever follows the log needs not poll.
pub async fn a_change_wakes_those_who_wait(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let id = world.add(1).await;
    let last = world.store.changed(0, Duration::from_secs(60)).await;
    assert_eq!(last, world.log(id).await[0].number);
    assert_eq!(world.store.changed(last, Duration::ZERO).await, last);
    let waiting = tokio::spawn({
        let store = world.store.clone();
        async move { store.changed(last, Duration::from_secs(60)).await }
    });
    world.arm(id).await.unwrap();
    assert!(waiting.await.unwrap() > last);
    world.restart().await;
    assert_eq!(
        world.store.changed(0, Duration::ZERO).await,
        world.log(id).await[1].number
    );
}

/// Events, runs with their reports, strangers.
pub async fn what_is_over_the_caps_goes(factory: impl Factory) {
    let world = World::new(factory).await;
    let (id, mut run) = world.armed(1).await;
    for _ in 0..4 {
        world
            .say(id, run, boot(1), Said::Live { identity: machine(1) })
            .await
            .unwrap();
        world
            .store
            .submit(id, Submission::Cancel { by: admin() })
            .await
            .unwrap();
        run = world.arm(id).await.unwrap();
    }
    let quiet = world.add(2).await;
    world
        .store
        .note_unknown(stranger(&world, 3, "192.0.2.3"))
        .await
        .unwrap();
    assert_eq!(
        world.store.prune(&Limits::default()).await.unwrap(),
        crate::Pruned::default()
    );

    world.pass(SignedDuration::from_mins(1));
    let limits = Limits {
        unknown_machines: 10,
        events_per_host: 3,
        runs_per_host: 2,
        unknown_age_s: 30,
        ..Limits::default()
    };
    let before = world.log(id).await;
    let pruned = world.store.prune(&limits).await.unwrap();
    assert_eq!(pruned.events, u64::try_from(before.len() - 3).unwrap());
    assert_eq!((pruned.runs, pruned.unknown_machines), (2, 1));
    assert_eq!(world.log(id).await, before[before.len() - 3..]);
    assert_eq!(world.logged(quiet).await, ["added"]);
    let kept: Vec<u32> = world
        .store
        .runs(id)
        .await
        .unwrap()
        .iter()
        .map(|run| run.number.0)
        .collect();
    assert_eq!(kept, [5, 4, 3]);
    assert_eq!(world.store.prune(&limits).await.unwrap(), crate::Pruned::default());
}

pub(super) fn stranger<F: Factory>(world: &World<F>, n: u8, source: &str) -> UnknownMachine {
    UnknownMachine {
        id: 0,
        identity: machine(n),
        said: vec![("product".into(), "Box".into())],
        source: source.into(),
        why: None,
        first_seen: world.store.now(),
        last_seen: world.store.now(),
        count: 1,
    }
}

/// The same again counts up; too many push out those not seen for longest.
pub async fn unknown_machines_are_counted_and_capped(factory: impl Factory) {
    let limits = Limits {
        unknown_machines: 3,
        ..Limits::default()
    };
    let mut world = World::with(factory, Deadlines::default(), limits).await;
    world
        .store
        .note_unknown(stranger(&world, 1, "192.0.2.1"))
        .await
        .unwrap();
    let first_seen = world.store.now();
    world.pass(SignedDuration::from_secs(5));
    let again = UnknownMachine {
        count: 2,
        why: Some("wrong prefix".into()),
        ..stranger(&world, 1, "192.0.2.1")
    };
    world.store.note_unknown(again).await.unwrap();
    world.restart().await;
    let noted = world.store.unknown_machines().await.unwrap();
    assert_eq!(noted.len(), 1);
    assert_eq!((noted[0].count, noted[0].first_seen), (3, first_seen));
    assert_eq!(noted[0].last_seen, world.store.now());
    assert_eq!(noted[0].identity, machine(1));
    assert_eq!(noted[0].said, [("product".to_owned(), "Box".to_owned())]);
    assert_eq!(noted[0].why.as_deref(), Some("wrong prefix"));

    for n in 2..=5 {
        world.pass(SignedDuration::from_secs(1));
        world
            .store
            .note_unknown(stranger(&world, n, "192.0.2.9"))
            .await
            .unwrap();
    }
    let identities = |list: Vec<UnknownMachine>| list.into_iter().map(|seen| seen.identity).collect::<Vec<Identity>>();
    let kept = identities(world.store.unknown_machines().await.unwrap());
    assert_eq!(kept, [machine(5), machine(4), machine(3)]);
}

/// And by nothing else.
pub async fn a_token_is_found_by_its_hash(factory: impl Factory) {
    let mut world = World::new(factory).await;
    assert!(!world.store.has_tokens().await.unwrap());
    let token = |name: &str, sha256: &str| Token {
        name: name.into(),
        role: AccessRole::Operator,
        sha256: sha256.into(),
        created_at: world.store.now(),
    };
    let (kept, same_name) = (token("ci", "aa"), token("ci", "bb"));
    world.store.add_token(kept.clone()).await.unwrap();
    let again = world.store.add_token(same_name).await;
    assert!(
        matches!(&again, Err(StoreError::Taken { field: "name", value, .. }) if value == "ci"),
        "{again:?}"
    );
    world.restart().await;
    assert!(world.store.has_tokens().await.unwrap());
    assert_eq!(world.store.token("aa").await.unwrap(), Some(kept));
    assert_eq!(world.store.token("bb").await.unwrap(), None);
}

/// It says so, and does nothing.
pub async fn a_closed_store_says_so(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, _) = world.armed(1).await;
    world.store.ping().await.unwrap();
    world.store.close().await;
    world.store.close().await;
    let answer = world.store.submit(id, Submission::Cancel { by: admin() }).await;
    assert!(
        matches!(answer, Err(SubmitError::Store(StoreError::Unavailable(_)))),
        "{answer:?}"
    );
    let answer = world.store.host_by_id(HostId(1)).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert!(world.store.ping().await.is_err());
    world.open().await;
    assert_eq!(world.stage(id).await, Stage::Armed);
    world.store.ping().await.unwrap();
}
