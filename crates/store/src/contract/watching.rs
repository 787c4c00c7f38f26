//! Those who watch: the log searched, strangers taken in, and deadlines that an admin sets.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use thirdboot_lifecycle::{AlertLimits, Deadline, RunNumber, Said, Stage};

use super::Factory;
use super::lists::stranger;
use super::world::{World, admin, boot, host, machine};
use crate::{
    AlertsChange, EventPage, EventSearch, HostId, PutError, PutHost, Store, StoreError, Submission, SubmitError,
    TimingChange, Watching,
};

fn any(limit: u32) -> EventSearch {
    EventSearch {
        limit,
        ..EventSearch::default()
    }
}

fn told(page: &EventPage) -> Vec<(String, String)> {
    let line = |item: &crate::NamedEvent| (item.host_name.clone(), item.event.entry.event.clone());
    page.items.iter().map(line).collect()
}

/// By host, run, name, refusal, number and time.
pub async fn the_log_is_searched(factory: impl Factory) {
    let world = World::new(factory).await;
    let (first, run) = world.armed(1).await;
    world.add(2).await;
    world.pass(SignedDuration::from_mins(1));
    let later = world.store.now();
    world.say(first, run, boot(1), Said::Ready).await.unwrap_err();
    let search = async |search: EventSearch| world.store.search_events(&search).await.unwrap();
    let line = |host: &str, event: &str| (host.to_owned(), event.to_owned());

    let all = search(any(9)).await;
    assert_eq!(
        told(&all),
        [
            line("node-1", "added"),
            line("node-1", "armed"),
            line("node-2", "added"),
            line("node-1", "ready")
        ]
    );
    assert!(!all.more);
    let of_host = search(EventSearch {
        host: Some(first),
        kinds: vec!["added".into(), "armed".into()],
        ..any(9)
    })
    .await;
    assert_eq!(told(&of_host), [line("node-1", "added"), line("node-1", "armed")]);
    let of_run = search(EventSearch {
        run: Some(RunNumber(1)),
        ..any(9)
    })
    .await;
    assert_eq!(told(&of_run), [line("node-1", "armed"), line("node-1", "ready")]);
    assert_eq!(
        told(
            &search(EventSearch {
                run: Some(RunNumber(2)),
                ..any(9)
            })
            .await
        ),
        []
    );
    let refused = search(EventSearch {
        refused: Some(true),
        ..any(9)
    })
    .await;
    assert_eq!(told(&refused), [line("node-1", "ready")]);
    assert_eq!(
        told(
            &search(EventSearch {
                refused: Some(false),
                ..any(9)
            })
            .await
        )
        .len(),
        3
    );
    assert_eq!(
        told(
            &search(EventSearch {
                since: Some(later),
                ..any(9)
            })
            .await
        ),
        [line("node-1", "ready")]
    );
    let never = later + SignedDuration::from_mins(1);
    assert_eq!(
        told(
            &search(EventSearch {
                since: Some(never),
                ..any(9)
            })
            .await
        ),
        []
    );
}

/// What was looked at is not looked at again.
pub async fn a_search_goes_on_where_it_stopped(factory: impl Factory) {
    let world = World::new(factory).await;
    for n in 1..=5 {
        world.add(n).await;
    }
    let mut search = any(2);
    let mut seen = Vec::new();
    loop {
        let page = world.store.search_events(&search).await.unwrap();
        assert!(page.searched_to > search.after);
        seen.extend(page.items.iter().map(|item| item.host_name.clone()));
        search.after = page.searched_to;
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, ["node-1", "node-2", "node-3", "node-4", "node-5"]);
    let mut changed = world.store.hosts_changed(search.after - 2, search.after).await.unwrap();
    changed.sort();
    assert_eq!(changed, [HostId(4), HostId(5)]);
    let nothing = EventSearch {
        kinds: vec!["wiped".into()],
        ..any(2)
    };
    let page = world.store.search_events(&nothing).await.unwrap();
    assert_eq!(
        (told(&page).len(), page.searched_to, page.more),
        (0, search.after, false)
    );
}

/// And is a stranger no more; of two who adopt it one does.
pub async fn a_stranger_becomes_a_host(factory: impl Factory) {
    let mut world = World::new(factory).await;
    world
        .store
        .note_unknown(stranger(&world, 1, "192.0.2.1"))
        .await
        .unwrap();
    world
        .store
        .note_unknown(stranger(&world, 2, "192.0.2.2"))
        .await
        .unwrap();
    let listed = world.store.unknown_machines().await.unwrap();
    let number = |n: u8| listed.iter().find(|seen| seen.identity == machine(n)).unwrap().id;
    world.add(2).await;
    let taken = world.store.adopt(number(1), host(2), admin()).await;
    assert!(
        matches!(taken, Err(StoreError::Taken { field: "name", .. })),
        "{taken:?}"
    );

    let mut adopted = host(1);
    adopted.adopted = true;
    let state = world
        .store
        .adopt(number(1), adopted.clone(), admin())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(world.store.adopt(number(1), host(3), admin()).await.unwrap(), None);
    assert!(world.store.dismiss(number(2)).await.unwrap());
    assert!(!world.store.dismiss(number(2)).await.unwrap());
    world.restart().await;
    assert_eq!(world.state(state.id).await.host, adopted);
    assert_eq!(world.logged(state.id).await, ["added"]);
    assert_eq!(world.store.unknown_machines().await.unwrap(), []);
}

/// New hosts and changed ones; the last error takes back the first change.
pub async fn an_inventory_is_taken_whole_or_not_at_all(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (first, _) = world.armed(1).await;
    let second = world.add(2).await;
    let seen = world.state(first).await;
    let mut described = seen.host.clone();
    described.labels.insert("rack".into(), "r7".into());
    described.serial = thirdboot_lifecycle::Serial::stated("NEW");
    let update = PutHost::Update {
        id: first,
        expected_version: seen.version,
        host: Box::new(described.clone()),
    };
    let outdated = PutHost::Update {
        id: second,
        expected_version: 99,
        host: Box::new(host(2)),
    };
    let add = |n: u8| PutHost::Add(Box::new(host(n)));
    let last = world.store.changed(0, std::time::Duration::ZERO).await;

    let taken = vec![update.clone(), add(3), add(2)];
    let error = world.store.put_hosts(taken, admin()).await.unwrap_err();
    assert!(
        matches!(
            error,
            PutError {
                at: 2,
                why: SubmitError::Store(StoreError::Taken { field: "name", .. })
            }
        ),
        "{error:?}"
    );
    let error = world
        .store
        .put_hosts(vec![update.clone(), add(3), outdated], admin())
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            PutError {
                at: 2,
                why: SubmitError::Outdated { .. }
            }
        ),
        "{error:?}"
    );
    assert_eq!(world.state(first).await, seen);
    assert_eq!(world.logged(first).await, ["added", "armed"]);
    assert_eq!(world.store.changed(last, std::time::Duration::ZERO).await, last);
    assert!(world.store.host(&host(3).name).await.unwrap().is_none());

    world.store.put_hosts(vec![update, add(3)], admin()).await.unwrap();
    world.restart().await;
    assert_eq!(world.state(first).await.host, described);
    assert_eq!(world.logged(first).await, ["added", "armed", "updated"]);
    assert_eq!(world.stage(first).await, Stage::Armed);
    assert!(world.store.host(&host(3).name).await.unwrap().is_some());
}

/// For runs under way, at once, and after a restart.
pub async fn deadlines_are_set(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, _) = world.armed(1).await;
    let soon = world.store.now() + SignedDuration::from_secs(60);
    assert_eq!(world.store.due(soon, 9).await.unwrap(), []);
    let strict = Deadline {
        stall_s: 30,
        give_up_s: None,
    };
    let limits = AlertLimits {
        not_back_s: 5,
        ..AlertLimits::default()
    };
    let change = TimingChange {
        stages: BTreeMap::from([(Stage::Armed, Some(strict))]),
        alerts: AlertsChange::To(limits),
    };
    let timing = world.store.change_timing(change, admin()).await.unwrap();
    assert_eq!((timing.stages.of(Stage::Armed), timing.alerts), (Some(strict), limits));
    assert_eq!(world.store.due(soon, 9).await.unwrap(), [id]);

    world.restart().await;
    assert_eq!(world.store.timing(), timing);
    world.pass(SignedDuration::from_secs(31));
    world.store.submit(id, Submission::Due).await.unwrap();
    assert!(world.state(id).await.run.unwrap().stalled_since.is_some());

    let back = TimingChange {
        stages: BTreeMap::from([(Stage::Armed, None)]),
        alerts: AlertsChange::None,
    };
    let timing = world.store.change_timing(back, admin()).await.unwrap();
    assert_eq!(timing.stages, world.settings.deadlines);
    assert_eq!(timing.alerts, limits);
}

/// It is remembered beside the run, which stays as it is.
pub async fn a_conflict_is_remembered(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    let before = world.state(id).await.run;
    let conflict = Submission::Conflict {
        why: "two serials".into(),
        source: "192.0.2.1".into(),
    };
    world.store.submit(id, conflict).await.unwrap();
    world.restart().await;
    let state = world.state(id).await;
    assert_eq!(state.run, before);
    let conflict = state.observed.unwrap().conflict.unwrap();
    assert_eq!(
        (conflict.why.as_str(), conflict.since),
        ("two serials", world.store.now())
    );
    assert_eq!(world.logged(id).await, ["added", "armed", "conflict"]);
    assert_eq!(run, RunNumber(1));
}
