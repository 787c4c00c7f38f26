//! Nothing is wiped without a claim that arming allowed.

use thirdboot_lifecycle::{ClaimRefused, Grant, Stage};

use super::Factory;
use super::world::{World, admin, boot, claim, machine};
use crate::{Answer, Store, Submission, SubmitError};

fn refused(answer: Result<Answer, SubmitError>) -> String {
    match answer {
        Err(SubmitError::ClaimRefused(ClaimRefused::No(why))) => why,
        other => panic!("a claim that must be refused was answered with {other:?}"),
    }
}

/// Each boot is an attempt, as many as the permit allows; the same boot again is the same attempt.
pub async fn a_claim_takes_the_permit(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    for attempt in 1..=3 {
        for _ in 0..2 {
            let answer = world
                .store
                .submit(id, claim(run, boot(attempt), machine(1)))
                .await
                .unwrap();
            assert_eq!(answer, Answer::Granted(Grant { attempt, of: 3 }));
            world.restart().await;
        }
    }
    refused(world.store.submit(id, claim(run, boot(4), machine(1))).await);
    assert_eq!(world.stage(id).await, Stage::Installing);
    assert_eq!(world.state(id).await.run.unwrap().evidence.claimed.unwrap().attempt, 3);
}

/// A card that moved: whose disk it is, nobody knows.
pub async fn a_claim_with_anothers_card_is_refused(factory: impl Factory) {
    let world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    world.add(2).await;
    let mut identity = machine(1);
    identity.macs.extend(machine(2).macs);
    let why = refused(world.store.submit(id, claim(run, boot(1), identity)).await);
    assert!(why.contains("node-2"), "{why}");
    assert_eq!(world.stage(id).await, Stage::Armed);
    let last = world.log(id).await.pop().unwrap();
    assert_eq!((last.entry.event.as_str(), last.entry.refused), ("claim", Some(why)));
}

/// The brake holds until it is taken off.
pub async fn a_held_host_is_refused_until_released(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    let hold = Submission::Hold {
        reason: "new memory".into(),
        by: admin(),
    };
    world.store.submit(id, hold).await.unwrap();
    world.restart().await;
    assert_eq!(world.state(id).await.host.hold.unwrap().reason, "new memory");
    let why = refused(world.store.submit(id, claim(run, boot(1), machine(1))).await);
    assert!(why.contains("new memory"), "{why}");
    world
        .store
        .submit(id, Submission::Release { by: admin() })
        .await
        .unwrap();
    let again = world.store.submit(id, Submission::Release { by: admin() }).await;
    assert!(matches!(again, Err(SubmitError::NotNow(_))), "{again:?}");
    world.store.submit(id, claim(run, boot(1), machine(1))).await.unwrap();
}

/// Cancelled, armed anew: the old run's claim stays refused.
pub async fn a_cancelled_permit_grants_nothing(factory: impl Factory) {
    let world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    world
        .store
        .submit(id, Submission::Cancel { by: admin() })
        .await
        .unwrap();
    refused(world.store.submit(id, claim(run, boot(1), machine(1))).await);
    assert_eq!(world.stage(id).await, Stage::Cancelled);
    let next = world.arm(id).await.unwrap();
    refused(world.store.submit(id, claim(run, boot(1), machine(1))).await);
    world.store.submit(id, claim(next, boot(1), machine(1))).await.unwrap();
}
