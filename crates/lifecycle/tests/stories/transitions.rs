//! Every stage with every event, and the stories behind the rows that depend on the evidence.

use crate::story::*;
use thirdboot_lifecycle::*;

fn sample(kind: EventKind) -> Event {
    match kind {
        EventKind::InstallScript => Event::InstallScript,
        EventKind::LocalScript => Event::LocalScript,
        EventKind::Fetched => Event::Fetched(Fetch::Kernel),
        EventKind::Claimed => claimed(1),
        EventKind::FoundInstalled => Event::FoundInstalled,
        EventKind::Live => says(
            1,
            Said::Live {
                identity: Identity::default(),
            },
        ),
        EventKind::Installing => says(1, Said::Installing { percent: Some(42) }),
        EventKind::Installed => installed(1),
        EventKind::InstallFailed => says(1, Said::InstallFailed),
        EventKind::FirstBoot => first_boot(2, DEPLOYMENT_A),
        EventKind::Layering => says(2, Said::Layering),
        EventKind::Layered => layered(2, DEPLOYMENT_B),
        EventKind::LayerFailed => says(2, Said::LayerFailed),
        EventKind::LayeredBoot => layered_boot(3, DEPLOYMENT_B),
        EventKind::Network => network(3),
        EventKind::JoinHandedOut => Event::JoinHandedOut { boot_id: boot(3) },
        EventKind::JoinWaits => Event::JoinWaits {
            why: "s1 goes first".into(),
        },
        EventKind::NodeSeen => Event::NodeSeen(NodeWord::Ready),
        EventKind::Joining => says(3, Said::Joining),
        EventKind::Ready => says(3, Said::Ready),
        EventKind::JoinFailed => says(3, Said::JoinFailed),
        EventKind::Booted => says(
            4,
            Said::Booted {
                os_version: None,
                deployment: None,
                network: None,
                missing: None,
            },
        ),
        EventKind::Note => says(3, Said::Note { inspection: false }),
        EventKind::Cancel => Event::Cancel { by: "ada".into() },
        EventKind::PermitVoided => Event::PermitVoided { why: "restored".into() },
        EventKind::PermitExpired => Event::PermitExpired,
        EventKind::Stall => Event::Stall,
        EventKind::ClaimWaits => Event::ClaimWaits { why: "no slot".into() },
        EventKind::GiveUp => Event::GiveUp { cause: "silent".into() },
    }
}

#[test]
fn every_stage_with_every_event_does_what_the_table_says() {
    let late = permit().expires_at;
    let mut lines = Vec::new();
    for stage in Stage::ALL {
        for kind in EventKind::ALL {
            let run = at(stage);
            let outcome = transition(
                &run,
                &sample(kind),
                if kind == EventKind::Claimed { t0() } else { late },
            );
            match (&outcome, row_for(stage, kind)) {
                (Ok(next), Some(row)) => {
                    assert!(
                        row.then.targets(stage).contains(&next.stage),
                        "{stage} {kind:?} -> {}",
                        next.stage
                    );
                    lines.push(format!("{stage:>12} + {:<15} -> {}", kind.as_str(), next.stage));
                }
                (Err(refused), row) => {
                    assert_eq!(refused.over, matches!(stage, Stage::Failed | Stage::Cancelled));
                    // Refused although the table has the row: only what another role may do.
                    assert!(
                        row.is_none() || (stage, kind) == (Stage::Networked, EventKind::Ready),
                        "{stage} {kind:?}: {refused}"
                    );
                }
                (Ok(_), None) => panic!("{stage} took {kind:?}, which the table does not have"),
            }
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_refusal_names_what_was_expected() {
    let refused = transition(&at(Stage::Layered), &network(3), t0()).unwrap_err();
    assert_eq!(refused.to_string(), "network is refused: the run is layered");
    assert!(refused.expected.contains(&"layered-boot"), "{:?}", refused.expected);
}

#[test]
fn a_lost_report_is_inferred_from_a_later_one() {
    let run = after(at(Stage::Installing), &[layered_boot(3, DEPLOYMENT_B)]);
    assert_eq!(run.stage, Stage::LayeredBoot);
    assert_eq!(
        run.evidence.inferred,
        [Stage::Installed, Stage::FirstBoot, Stage::Layering, Stage::Layered]
    );
    assert!(run.was_installed());
}

#[test]
fn a_late_installed_report_fills_the_gap() {
    let run = after(at(Stage::Installing), &[first_boot(2, DEPLOYMENT_A), installed(1)]);
    assert_eq!(run.stage, Stage::FirstBoot);
    assert_eq!(run.evidence.inferred, []);
    assert_eq!(run.evidence.installed.unwrap().disk_serial.as_deref(), Some("D1"));
}

#[test]
fn before_the_claim_no_report_from_the_disk_is_believed() {
    for stage in [Stage::Armed, Stage::Netbooting, Stage::Live] {
        assert!(transition(&at(stage), &first_boot(2, DEPLOYMENT_A), t0()).is_err());
    }
}

#[test]
fn the_boot_that_staged_cannot_be_the_boot_that_runs_it() {
    let refused = transition(&at(Stage::Layered), &layered_boot(2, DEPLOYMENT_B), t0()).unwrap_err();
    assert!(refused.why.contains("reboot first"), "{refused}");
}

#[test]
fn with_no_packages_both_checksums_are_equal_and_the_reboot_still_counts() {
    let run = after(
        at(Stage::FirstBoot),
        &[layered(2, DEPLOYMENT_A), layered_boot(3, DEPLOYMENT_A)],
    );
    assert_eq!(run.stage, Stage::LayeredBoot);
    assert_eq!(run.evidence.rollbacks, 0);
}

#[test]
fn a_lost_deployment_goes_back_to_layering_three_times_and_then_fails() {
    let mut run = at(Stage::Layered);
    for lost in 1..=3 {
        run = after(run, &[layered_boot(10 + lost, DEPLOYMENT_A)]);
        assert_eq!((run.stage, u32::from(run.evidence.rollbacks)), (Stage::Layering, lost));
        run = after(run, &[layered(10 + lost, DEPLOYMENT_B)]);
    }
    let run = after(run, &[layered_boot(20, DEPLOYMENT_A)]);
    assert_eq!(run.stage, Stage::Failed);
    assert!(run.ended.unwrap().cause.contains("lost 4 times"));
}

#[test]
fn a_host_that_calls_it_a_first_boot_again_has_lost_its_deployment_too() {
    let run = after(at(Stage::Layered), &[first_boot(5, DEPLOYMENT_A)]);
    assert_eq!((run.stage, run.evidence.rollbacks), (Stage::Layering, 1));
    let same_boot = after(at(Stage::Layered), &[first_boot(2, DEPLOYMENT_A)]);
    assert_eq!((same_boot.stage, same_boot.evidence.rollbacks), (Stage::Layered, 0));
}

#[test]
fn a_network_that_differs_is_kept_and_proves_nothing() {
    let mut event = network(3);
    if let Event::Report { differences, .. } = &mut event {
        differences.push("VLAN 1234 is missing".into());
    }
    let run = after(at(Stage::LayeredBoot), &[event, network(3)]);
    assert_eq!(run.stage, Stage::Networked);
    assert!(run.evidence.network_differs.is_empty());
}

#[test]
fn a_runner_is_ready_without_a_join_and_a_server_is_not() {
    let runner = Run {
        role: Role::Runner,
        ..at(Stage::Networked)
    };
    assert_eq!(after(runner.clone(), &[says(3, Said::Ready)]).stage, Stage::Ready);
    assert!(transition(&runner, &Event::JoinHandedOut { boot_id: boot(3) }, t0()).is_err());
    assert!(transition(&at(Stage::Networked), &says(3, Said::Ready), t0()).is_err());
}

#[test]
fn the_live_secret_cannot_speak_for_the_installed_system() {
    let Event::Report {
        report, differences, ..
    } = says(3, Said::Ready)
    else {
        unreachable!()
    };
    let forged = Event::Report {
        by: SecretKind::Live,
        report,
        differences,
    };
    assert!(transition(&at(Stage::Joining), &forged, t0()).is_err());
}

#[test]
fn a_late_report_takes_the_stalled_mark_off() {
    let stalled = after(at(Stage::Layering), &[Event::Stall]);
    assert!(stalled.stalled_since.is_some());
    assert_eq!(after(stalled, &[layered(2, DEPLOYMENT_B)]).stalled_since, None);
}

#[test]
fn three_local_scripts_in_a_row_without_a_report_mean_that_the_disk_does_not_boot() {
    let run = after(at(Stage::Installed), &[Event::LocalScript, Event::LocalScript]);
    assert_eq!(run.stalled_since, None);
    let run = after(run, &[Event::LocalScript]);
    assert!(run.stalled_since.is_some());
    assert_eq!(diagnose(&run, t0()).unwrap().cause, Cause::DiskDoesNotBoot);
    let run = after(run, &[first_boot(2, DEPLOYMENT_A)]);
    assert_eq!((run.stalled_since, run.evidence.local_scripts), (None, 0));
}

#[test]
fn an_inspection_ends_with_its_report_and_claims_nothing() {
    let permit = Permit {
        purpose: Purpose::Inspect,
        ..permit()
    };
    let run = Run::begin(RunNumber(3), &host(), permit);
    let run = after(
        run,
        &[
            Event::InstallScript,
            says(
                1,
                Said::Live {
                    identity: Identity::default(),
                },
            ),
        ],
    );
    assert!(transition(&run, &claimed(1), t0()).is_err());
    let run = after(run, &[says(1, Said::Note { inspection: true })]);
    assert_eq!(run.stage, Stage::Cancelled);
    assert!(!run.was_claimed());
}

#[test]
fn an_open_permit_ends_with_the_install() {
    let run = at(Stage::Installed);
    assert!(run.permit.closed(t0()).unwrap().contains("complete"));
}
