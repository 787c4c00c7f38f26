//! How many hosts stand where.

use jiff::SignedDuration;
use thirdboot_lifecycle::Stage;

use super::Factory;
use super::path::drive_to;
use super::world::World;
use crate::{Census, Counts, Store, Submission};

/// Every host once, by the stage of its last run.
pub async fn hosts_are_counted_by_the_stage_of_their_run(factory: impl Factory) {
    let world = World::new(factory).await;
    assert_eq!(world.store.census().await.unwrap(), Census::default());
    let (ready, run) = world.armed(1).await;
    drive_to(&world, ready, run, Stage::Ready).await;
    let (late, _) = world.armed(2).await;
    world.armed(3).await;
    world.add(4).await;
    let census = world.store.census().await.unwrap();
    assert_eq!((census.hosts, census.stalled), (4, 0));
    let counted: Vec<_> = census.runs.into_iter().collect();
    assert_eq!(counted, [(Stage::Armed, 2), (Stage::Ready, 1)]);
    world.pass(SignedDuration::from_hours(1));
    world.store.submit(late, Submission::Due).await.unwrap();
    assert_eq!(world.store.census().await.unwrap().stalled, 1);
}
