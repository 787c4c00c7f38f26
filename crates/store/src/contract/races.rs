//! Many at once.

use std::sync::Arc;

use thirdboot_lifecycle::{RunNumber, Said, Stage};
use tokio::task::JoinSet;

use super::Factory;
use super::world::{World, admin, boot, claim, host, machine, report};
use crate::{Answer, Store, Submission, SubmitError};

/// Two machines that look alike: the disk of one of them is not touched.
pub async fn of_two_claims_one_is_granted(factory: impl Factory) {
    let world = World::new(factory).await;
    for n in 1..=20 {
        let (id, run) = world.armed(n).await;
        let mut other_machine = machine(n);
        other_machine.serial = machine(100).serial;
        let mut both = JoinSet::new();
        for (boot_id, identity) in [(boot(1), machine(n)), (boot(2), other_machine)] {
            let store = Arc::clone(&world.store);
            both.spawn(async move { store.submit(id, claim(run, boot_id, identity)).await });
        }
        let answers = both.join_all().await;
        let granted = answers
            .iter()
            .filter(|answer| matches!(answer, Ok(Answer::Granted(_))))
            .count();
        assert_eq!(granted, 1, "{answers:?}");
        assert_eq!(world.state(id).await.run.unwrap().evidence.claimed.unwrap().attempt, 1);
        // Its serial goes on to the next pair, were it not released here.
        if world.state(id).await.host.serial == machine(100).serial {
            let state = world.state(id).await;
            let update = Submission::Update {
                host: Box::new(host(n)),
                expected_version: state.version,
                by: admin(),
            };
            world.store.submit(id, update).await.unwrap();
        }
    }
}

/// However they come, twice or once, each is there once.
pub async fn two_hundred_reports_are_each_recorded_once(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let mut hosts = Vec::new();
    for n in 1..=10 {
        hosts.push(world.armed(n).await);
    }
    let mut all = JoinSet::new();
    for seq in 0..20 {
        for (at, (id, run)) in hosts.iter().copied().enumerate() {
            let n = u8::try_from(at + 1).unwrap();
            for _ in 0..=(seq % 2) {
                let store = Arc::clone(&world.store);
                let live = report(run, boot(n), seq, Said::Live { identity: machine(n) });
                all.spawn(async move { store.submit(id, live).await });
            }
        }
    }
    for answer in all.join_all().await {
        assert_eq!(answer.unwrap(), Answer::Recorded(Stage::Live));
    }
    world.open().await;
    for (id, _) in hosts {
        let mut seqs: Vec<u64> = world
            .log(id)
            .await
            .iter()
            .filter_map(|line| line.entry.report.as_ref().map(|(_, seq)| *seq))
            .collect();
        seqs.sort_unstable();
        assert_eq!(seqs, (0..20).collect::<Vec<u64>>());
    }
}

/// Refusals, strangers and taken names share a commit with changes that are kept.
pub async fn a_refusal_spoils_no_other(factory: impl Factory) {
    let world = World::new(factory).await;
    let (good, run) = world.armed(1).await;
    let (bad, _) = world.armed(2).await;
    let version = world.state(bad).await.version;
    let mut taken = host(2);
    taken.macs.extend(host(1).macs);
    let mut all = JoinSet::new();
    for seq in 0..50 {
        for submission in [
            (good, report(run, boot(1), seq, Said::Live { identity: machine(1) })),
            (bad, report(RunNumber(9), boot(2), seq, Said::Ready)),
            (
                bad,
                Submission::Update {
                    host: Box::new(taken.clone()),
                    expected_version: version,
                    by: admin(),
                },
            ),
            (crate::HostId(999), Submission::Due),
        ] {
            let store = Arc::clone(&world.store);
            all.spawn(async move { (submission.0, store.submit(submission.0, submission.1).await) });
        }
    }
    for (id, answer) in all.join_all().await {
        match answer {
            Ok(_) => assert_eq!(id, good),
            Err(SubmitError::Store(crate::StoreError::Unavailable(why))) => panic!("{why}"),
            Err(_) => assert_ne!(id, good),
        }
    }
    assert_eq!(
        world.logged(good).await.iter().filter(|event| *event == "live").count(),
        50
    );
    assert_eq!(world.state(bad).await.host, host(2));
}
