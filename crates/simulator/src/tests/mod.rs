//! What simulated machines say in their lives, heard by a boot plane of a few lines.

mod fake;

use std::time::Duration;

use crate::{Fault, Fleet, Hardware, Machine, Meant, Outcome, Pace, Step, Wire};
use fake::{Fake, Seen};
use thirdboot_api::boot::ReportEvent::{
    FirstBoot, Installed, Installing, Joining, Layered, LayeredBoot, Layering, Live, Network, Ready,
};

const SPEED: f64 = 2000.0;

/// One machine, powered on until its end; for those that have none, for as long as it takes to see it.
async fn life(fault: Option<Fault>) -> (Option<Outcome>, Seen, Vec<Step>) {
    let fake = Fake::start().await;
    let mut machine = Machine::new(
        "a",
        Hardware::number(1),
        format!("{}/boot.ipxe", fake.url),
        &Wire::new(8).unwrap(),
    )
    .at(Pace::new(SPEED));
    let mac = machine.hardware.macs[0].clone();
    if let Some(fault) = fault {
        machine = machine.failing(fault);
    }
    let (mut fleet, mut progress) = Fleet::new();
    fleet.start(machine, Duration::ZERO);
    let endless = matches!(
        fault,
        Some(Fault::DiskDoesNotBoot | Fault::StagingAlwaysLost | Fault::VlanMissing)
    );
    let outcome = if endless {
        while !is_enough(&fake.seen(&mac)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        None
    } else {
        fleet.next_end().await.map(|(_, outcome)| outcome)
    };
    fleet.stop().await;
    let mut steps = Vec::new();
    while let Ok(progress) = progress.try_recv() {
        steps.push(progress.step);
    }
    (outcome, fake.seen(&mac), steps)
}

/// What an endless machine does often enough to be seen.
fn is_enough(seen: &Seen) -> bool {
    let count = |event| seen.events().into_iter().filter(|seen| *seen == event).count();
    seen.local_scripts >= 12 || count(Network) >= 3 || count(Layered) >= 4
}

#[tokio::test]
async fn a_healthy_machine_says_what_it_does_through_three_boots() {
    let (outcome, seen, steps) = life(None).await;
    assert_eq!(outcome, Some(Outcome::Ready));
    let mut expected = vec![Live];
    expected.extend([Installing; 11]);
    expected.extend([
        Installed,
        FirstBoot,
        Layering,
        Layered,
        LayeredBoot,
        Network,
        Joining,
        Ready,
    ]);
    assert_eq!(seen.events(), expected);
    assert_eq!(seen.fetched, ["kernel", "pointer.cpio", "rootfs", "rootfs", "live.ign"]);
    assert_eq!((seen.claims.len(), seen.repeats), (1, 0));
    assert_eq!(steps.last(), Some(&Step::Ready));
}

#[tokio::test]
async fn reports_are_counted_per_boot_and_no_boot_is_another() {
    let (_, seen, _) = life(None).await;
    let mut boots: Vec<(String, Vec<u64>)> = Vec::new();
    for report in &seen.reports {
        match boots.last_mut() {
            Some((boot, numbers)) if *boot == report.boot_id => numbers.push(report.seq),
            _ => boots.push((report.boot_id.clone(), vec![report.seq])),
        }
    }
    assert_eq!(boots.len(), 3);
    for (boot, numbers) in boots {
        let counted: Vec<u64> = (1..).take(numbers.len()).collect();
        assert_eq!(numbers, counted, "{boot}");
    }
}

#[tokio::test]
async fn the_last_words_of_every_fault_are_its_own() {
    for fault in Fault::ALL {
        let (outcome, seen, _) = life(Some(fault)).await;
        let last = seen.events().last().map_or("-", |event| event.as_str());
        let fetched = seen.fetched.last().map_or("-", String::as_str);
        let expected = match fault {
            Fault::NeverPowersOn | Fault::KernelNotFetched => ("-", "-"),
            Fault::RootfsNotFetched => ("-", "pointer.cpio"),
            Fault::ConfigNotFetched => ("-", "rootfs"),
            Fault::ConfigNotApplied => ("-", "live.ign"),
            Fault::CheckHangs => ("live", "live.ign"),
            Fault::DiskHoldsCeph => ("install-failed", "live.ign"),
            Fault::InstallStuck => ("installing", "live.ign"),
            Fault::DiskDoesNotBoot | Fault::NoFirstBoot => ("installed", "live.ign"),
            Fault::LayeringFails => ("layer-failed", "live.ign"),
            Fault::LayeringStuck => ("layering", "live.ign"),
            // Where it is cut off is chance.
            Fault::StagingAlwaysLost => (last, "live.ign"),
            Fault::VlanMissing => ("network", "live.ign"),
            Fault::NetworkSilent => ("layered-boot", "live.ign"),
            Fault::JoinRefused => ("join-failed", "live.ign"),
            Fault::FirstServerLost | Fault::SilentAfterJoin => ("joining", "live.ign"),
            Fault::PowerCut | Fault::StagingLostOnce | Fault::LostAnswers => ("ready", "live.ign"),
        };
        assert_eq!((last, fetched), expected, "{fault:?}: {outcome:?}");
        assert_eq!(
            outcome == Some(Outcome::Ready),
            fault.meant() == Meant::Ready,
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_power_cut_in_mid_install_claims_again_in_another_boot() {
    let (_, seen, _) = life(Some(Fault::PowerCut)).await;
    assert_eq!(seen.claims.len(), 2);
    assert_ne!(seen.claims[0], seen.claims[1]);
}

#[tokio::test]
async fn a_lost_staging_layers_again_on_the_old_deployment() {
    let (_, seen, _) = life(Some(Fault::StagingLostOnce)).await;
    let deployments: Vec<_> = seen
        .reports
        .iter()
        .filter(|report| matches!(report.event, FirstBoot | LayeredBoot))
        .map(|report| (report.event, report.facts["deployment"].clone()))
        .collect();
    assert_eq!(deployments.len(), 3);
    assert_eq!(deployments[0], deployments[1]);
    assert_eq!(deployments[2].0, LayeredBoot);
    assert_ne!(deployments[2].1, deployments[0].1);
}

#[tokio::test]
async fn lost_answers_are_asked_for_again_with_the_same_number() {
    let (outcome, seen, _) = life(Some(Fault::LostAnswers)).await;
    assert_eq!(outcome, Some(Outcome::Ready));
    assert_eq!((seen.repeats, seen.claims.len()), (seen.reports.len(), 1));
}

#[tokio::test]
async fn a_thousand_machines_become_ready_over_a_few_sockets() {
    let fake = Fake::start().await;
    let wire = Wire::new(16).unwrap();
    let (mut fleet, _progress) = Fleet::new();
    for number in 0..1000 {
        let pace = Pace::new(SPEED).of_machine(number);
        let url = format!("{}/boot.ipxe", fake.url);
        let machine = Machine::new(number.to_string(), Hardware::number(number), url, &wire).at(pace);
        fleet.start(machine, Duration::ZERO);
    }
    let mut ready = 0;
    while let Some((name, outcome)) = fleet.next_end().await {
        assert_eq!(outcome, Outcome::Ready, "{name}");
        ready += 1;
    }
    assert_eq!((ready, fleet.under_way()), (1000, 0));
}
