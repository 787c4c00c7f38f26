//! A report is recorded once and answered alike.

use thirdboot_lifecycle::{Said, Stage};

use super::Factory;
use super::path::drive_to;
use super::world::{World, boot, machine, report};
use crate::{Answer, Store, SubmitError};

/// Also after a restart, and after the run has moved on.
pub async fn a_report_again_is_answered_as_the_first_time(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    let live = || report(run, boot(1), 500, Said::Live { identity: machine(1) });
    assert_eq!(
        world.store.submit(id, live()).await.unwrap(),
        Answer::Recorded(Stage::Live)
    );
    drive_to(&world, id, run, Stage::Installing).await;
    world.restart().await;
    let (before, log) = (world.state(id).await, world.log(id).await);
    assert_eq!(
        world.store.submit(id, live()).await.unwrap(),
        Answer::Recorded(Stage::Live)
    );
    assert_eq!(world.state(id).await, before);
    assert_eq!(world.log(id).await, log);
}

/// The refusal, too, is the same for ever.
pub async fn a_refused_report_is_logged_and_refused_again(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    let before = world.state(id).await;
    let ready = || report(run, boot(3), 7, Said::Ready);
    let refusal = |answer| match answer {
        Err(SubmitError::Refused(refused)) => refused,
        other => panic!("a report out of turn was answered with {other:?}"),
    };
    let first = refusal(world.store.submit(id, ready()).await);
    assert_eq!((first.event, first.stage, first.over), ("ready", Stage::Armed, false));
    assert!(!first.expected.is_empty());
    world.restart().await;
    let again = refusal(world.store.submit(id, ready()).await);
    assert_eq!(
        (again.stage, &again.why, again.over),
        (first.stage, &first.why, first.over)
    );
    assert_eq!(
        again.expected.iter().collect::<std::collections::BTreeSet<_>>(),
        first.expected.iter().collect()
    );
    assert_eq!(world.state(id).await, before);
    let log = world.log(id).await;
    let refused: Vec<_> = log.iter().filter(|line| line.entry.event == "ready").collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].entry.refused.as_ref(), Some(&first.why));
    assert_eq!(refused[0].entry.report, Some((boot(3).to_string(), 7)));
}

/// Numbers begin anew at every boot.
pub async fn the_same_number_in_another_boot_is_another_report(factory: impl Factory) {
    let world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    for boot_id in [boot(1), boot(2)] {
        for seq in [0, u64::MAX] {
            let live = report(run, boot_id.clone(), seq, Said::Live { identity: machine(1) });
            assert_eq!(
                world.store.submit(id, live).await.unwrap(),
                Answer::Recorded(Stage::Live)
            );
        }
    }
    assert_eq!(
        world.logged(id).await.iter().filter(|event| *event == "live").count(),
        4
    );
    assert_eq!(world.state(id).await.run.unwrap().evidence.boots.len(), 2);
}

/// Beside the run, which stays ready.
pub async fn what_a_ready_host_says_is_observed(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    drive_to(&world, id, run, Stage::Ready).await;
    let booted = Said::Booted {
        os_version: Some("43.2".into()),
        deployment: Some("c3".into()),
        network: None,
        missing: Some(vec!["k3s-selinux".into()]),
    };
    let answer = world.say(id, run, boot(9), booted).await.unwrap();
    assert_eq!(answer, Answer::Recorded(Stage::Ready));
    world.restart().await;
    let observed = world.state(id).await.observed.unwrap();
    assert_eq!(
        (observed.boot_id, observed.os_version.as_deref()),
        (Some(boot(9)), Some("43.2"))
    );
}
