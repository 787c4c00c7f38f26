//! Deadlines, expiry, and clocks that jump.

use jiff::SignedDuration;
use thirdboot_lifecycle::Stage;

use super::Factory;
use super::path::drive_to;
use super::world::{World, boot, claim, machine};
use crate::{EventFilter, Store, Submission};

/// Expiry is a stored event.
pub async fn a_permit_expires_when_its_time_is_over(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    assert_eq!(world.store.due(world.store.now(), 10).await.unwrap(), []);
    world.store.submit(id, Submission::Due).await.unwrap();
    assert_eq!(world.stage(id).await, Stage::Armed);

    world.pass(SignedDuration::from_hours(25));
    assert_eq!(world.store.due(world.store.now(), 10).await.unwrap(), [id]);
    let late = world.store.submit(id, claim(run, boot(1), machine(1))).await;
    assert!(late.is_err(), "an expired permit granted {late:?}");
    world.store.submit(id, Submission::Due).await.unwrap();
    world.restart().await;
    assert_eq!(world.stage(id).await, Stage::Failed);
    assert_eq!(world.store.due(world.store.now(), 10).await.unwrap(), []);
    assert_eq!(world.logged(id).await.pop().as_deref(), Some("permit-expired"));
}

/// First a mark, then the end; those longest due come first.
pub async fn a_late_stage_stalls_and_then_fails(factory: impl Factory) {
    let world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    drive_to(&world, id, run, Stage::Live).await;
    world.pass(SignedDuration::from_secs(1));
    let (other, _) = world.armed(2).await;

    world.pass(SignedDuration::from_mins(31));
    assert_eq!(world.store.due(world.store.now(), 10).await.unwrap(), [id, other]);
    assert_eq!(world.store.due(world.store.now(), 1).await.unwrap(), [id]);
    world.store.submit(id, Submission::Due).await.unwrap();
    let stalled = world.state(id).await.run.unwrap();
    assert_eq!(
        (stalled.stage, stalled.stalled_since),
        (Stage::Live, Some(world.store.now()))
    );
    assert_eq!(world.store.due(world.store.now(), 10).await.unwrap(), [other]);

    world.pass(SignedDuration::from_hours(1));
    world.store.submit(id, Submission::Due).await.unwrap();
    let failed = world.state(id).await.run.unwrap();
    assert_eq!(
        (failed.stage, failed.ended.unwrap().stage),
        (Stage::Failed, Stage::Live)
    );
    let log = world.logged(id).await;
    assert_eq!(log[log.len() - 2..], ["stall", "give-up"]);
}

/// Not within a process, and not across a restart on a machine that lost its clock.
pub async fn time_never_runs_backwards(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    world.pass(SignedDuration::from_hours(25));
    world.store.submit(id, Submission::Due).await.unwrap();
    let expired_at = world.store.now();
    world.pass(SignedDuration::from_hours(-48));
    assert_eq!(world.store.now(), expired_at);
    assert!(world.store.submit(id, claim(run, boot(1), machine(1))).await.is_err());

    world.store.close().await;
    world.settings.clock = std::sync::Arc::new(crate::Clock::manual(expired_at - SignedDuration::from_hours(48)));
    let (store, _) = world.factory.open(world.settings.clone()).await;
    assert_eq!(store.now(), expired_at);
    assert!(store.submit(id, claim(run, boot(1), machine(1))).await.is_err());
    let filter = EventFilter {
        host: Some(id),
        after: 0,
        limit: 100,
    };
    let times: Vec<_> = store
        .events(&filter)
        .await
        .unwrap()
        .items
        .iter()
        .map(|line| line.at)
        .collect();
    assert!(times.is_sorted(), "{times:?}");
}
