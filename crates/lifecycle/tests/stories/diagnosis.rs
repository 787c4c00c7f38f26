//! One test for each row of what is seen in the field.

use crate::story::*;
use thirdboot_lifecycle::*;

/// The diagnosis of a stalled run nine minutes later.
fn stalled(stage: Stage, events: &[Event]) -> Diagnosis {
    let mut run = after(at(stage), events);
    run.stalled_since = Some(t0());
    diagnose(&run, run.entered_at + minutes(9)).unwrap()
}

#[track_caller]
fn says_so(diagnosis: &Diagnosis, cause: Cause, seen: &str, advice: &str) {
    assert_eq!(diagnosis.cause, cause);
    assert!(diagnosis.says.contains(seen), "{}", diagnosis.says);
    assert!(diagnosis.advice.contains(advice), "{}", diagnosis.advice);
}

#[test]
fn script_fetched_kernel_never() {
    says_so(
        &stalled(Stage::Netbooting, &[]),
        Cause::KernelNotFetched,
        "the kernel was never fetched",
        "TLS",
    );
}

#[test]
fn kernel_fetched_rootfs_never() {
    says_so(
        &stalled(Stage::Netbooting, &[Event::Fetched(Fetch::Kernel)]),
        Cause::RootfsNotFetched,
        "the rootfs was never",
        "memory",
    );
}

#[test]
fn rootfs_fetched_no_ignition_fetch() {
    let events = [Event::Fetched(Fetch::Kernel), Event::Fetched(Fetch::Rootfs)];
    says_so(
        &stalled(Stage::Netbooting, &events),
        Cause::ConfigNotFetched,
        "the live config was never",
        "carrier",
    );
}

#[test]
fn ignition_fetched_no_live_report() {
    let events = [Event::Fetched(Fetch::Kernel), Event::Fetched(Fetch::LiveConfig)];
    says_so(
        &stalled(Stage::Netbooting, &events),
        Cause::ConfigNotApplied,
        "probably failed to apply",
        "emergency shell",
    );
}

#[test]
fn live_report_no_installed_report() {
    says_so(
        &stalled(Stage::Live, &[]),
        Cause::NoClaim,
        "has not claimed",
        "disk check",
    );
    let events = [says(1, Said::Installing { percent: Some(42) })];
    says_so(
        &stalled(Stage::Installing, &events),
        Cause::InstallStuck,
        "42 %",
        "signature",
    );
}

#[test]
fn armed_no_request_at_all() {
    says_so(
        &stalled(Stage::Armed, &[]),
        Cause::NeverAsked,
        "armed 9 min ago",
        "powered",
    );
}

#[test]
fn installed_ipxe_again_and_again() {
    let events = [Event::LocalScript, Event::LocalScript, Event::LocalScript];
    says_so(
        &stalled(Stage::Installed, &events),
        Cause::DiskDoesNotBoot,
        "3 times in a row",
        "UEFI",
    );
}

#[test]
fn installed_no_first_boot_report() {
    says_so(
        &stalled(Stage::Installed, &[]),
        Cause::NoFirstBoot,
        "has not reported since",
        "labelled boot",
    );
}

#[test]
fn first_boot_stuck_in_layering() {
    says_so(
        &stalled(Stage::FirstBoot, &[]),
        Cause::LayeringStuck,
        "first-boot",
        "repository",
    );
    says_so(&stalled(Stage::Layering, &[]), Cause::LayeringStuck, "layering", "key");
}

#[test]
fn layered_same_deployment_after_the_reboot() {
    says_so(
        &stalled(Stage::Layered, &[]),
        Cause::DeploymentLost,
        "staged 9 min ago",
        "orderly shutdown",
    );
}

#[test]
fn third_boot_vlan_down() {
    let mut event = network(3);
    if let Event::Report { differences, .. } = &mut event {
        differences.push("VLAN 1234 is missing, found VLAN 1243 instead".into());
    }
    says_so(
        &stalled(Stage::LayeredBoot, &[event]),
        Cause::NetworkDiffers,
        "found VLAN 1243 instead",
        "switch",
    );
    says_so(
        &stalled(Stage::LayeredBoot, &[]),
        Cause::NetworkSilent,
        "said nothing",
        "thirdboot-network.service",
    );
}

#[test]
fn third_boot_no_lacp_partner() {
    let differing = |more: &[&str]| {
        let mut event = network(3);
        if let Event::Report { differences, .. } = &mut event {
            differences.push("port 52:54:00:00:00:01 has no LACP partner".into());
            differences.extend(more.iter().map(|text| (*text).to_owned()));
        }
        stalled(Stage::LayeredBoot, &[event])
    };
    says_so(
        &differing(&[]),
        Cause::NoLacpPartner,
        "no LACP partner",
        "one LACP group",
    );
    says_so(
        &differing(&["VLAN 1234 is missing"]),
        Cause::NetworkDiffers,
        "VLAN 1234 is missing",
        "switch",
    );
}

#[test]
fn join_refused() {
    says_so(
        &stalled(Stage::Joining, &[]),
        Cause::JoinStuck,
        "the join has not ended",
        "stale Node object",
    );
    let failed = after(at(Stage::Joining), &[says(3, Said::JoinFailed)]);
    says_so(
        &diagnose(&failed, t0()).unwrap(),
        Cause::JoinRefused,
        "failed while joining",
        "journal of thirdboot-join.service",
    );
    for (message, advice) in [
        ("Node password rejected, duplicate hostname", "delete it"),
        (
            "token CA hash does not match the Cluster CA certificate hash",
            "clock is wrong",
        ),
        ("etcd learner is not in sync", "one new member at a time"),
        ("the join was refused: over plain HTTP", "TLS"),
        (
            "/usr/local/bin/k3s could not be fetched with the right checksum",
            "sha256",
        ),
    ] {
        let mut refused = says(3, Said::JoinFailed);
        if let Event::Report { report, .. } = &mut refused {
            report.message = Some(message.into());
        }
        let failed = after(at(Stage::Joining), &[refused]);
        says_so(&diagnose(&failed, t0()).unwrap(), Cause::JoinRefused, message, advice);
    }
}

#[test]
fn waiting_for_its_turn() {
    let wait = Event::JoinWaits {
        why: "s1 begins prod".into(),
    };
    let run = after(at(Stage::Networked), &[wait]);
    says_so(
        &diagnose(&run, t0() + minutes(5)).unwrap(),
        Cause::WaitingForTurn,
        "s1 begins prod",
        "cluster show",
    );
    says_so(
        &stalled(
            Stage::Networked,
            &[Event::JoinWaits {
                why: "s1 begins prod".into(),
            }],
        ),
        Cause::WaitingForTurn,
        "s1",
        "wrong with this host",
    );
    let moved_on = after(run, &[Event::JoinHandedOut { boot_id: boot(3) }]);
    assert_eq!(diagnose(&moved_on, t0() + minutes(5)), None);
}

#[test]
fn given_its_join_and_not_ready() {
    let not_ready = Event::NodeSeen(NodeWord::NotReady {
        why: "cni plugin not initialized".into(),
    });
    says_so(
        &stalled(Stage::Joining, &[not_ready]),
        Cause::NodeNotReady,
        "cni plugin",
        "describe node",
    );
    says_so(
        &stalled(Stage::Joining, &[Event::NodeSeen(NodeWord::Missing)]),
        Cause::NodeNotReady,
        "knows no node",
        "6443",
    );
}

#[test]
fn podman_silent() {
    let mut run = at(Stage::Networked);
    run.role = Role::Runner;
    run.stalled_since = Some(t0());
    says_so(
        &diagnose(&run, t0() + minutes(9)).unwrap(),
        Cause::PodmanSilent,
        "podman has not answered",
        "thirdboot-runner",
    );
}

#[test]
fn lock_held_for_long() {
    let lock = lock("workers");
    says_so(
        &diagnose_lock(&lock, t0() + minutes(300)),
        Cause::LockHeld,
        "workers was taken 5 h ago",
        "never expires",
    );
}

#[test]
fn a_new_install_that_waits_for_its_slot() {
    let why = "the slot of prod.server is held by s2".to_owned();
    let mut run = after(at(Stage::Live), &[Event::ClaimWaits { why }]);
    let seen = "waits for its group's lock since 4 min ago: the slot of prod.server is held by s2";
    for stalled_since in [None, Some(t0())] {
        run.stalled_since = stalled_since;
        let diagnosis = diagnose(&run, run.evidence.claim_wait.as_ref().unwrap().since + minutes(4)).unwrap();
        says_so(&diagnosis, Cause::WaitingForTurn, seen, "lock list");
    }
    // Once it is silent something is wrong with it.
    let silent = diagnose(&run, run.evidence.claim_wait.as_ref().unwrap().asked_at + minutes(6)).unwrap();
    assert_eq!(silent.cause, Cause::NoClaim);
    // As long as it asks, it is not given up.
    let asked_at = run.evidence.claim_wait.as_ref().unwrap().asked_at;
    let verdict = |after| verdict_at(&run, &Deadlines::default(), asked_at + minutes(after));
    assert_eq!((verdict(58), verdict(61)), (Verdict::Nothing, Verdict::GiveUp));
}

#[test]
fn a_run_that_goes_well_has_no_diagnosis() {
    for stage in Stage::ALL.into_iter().filter(|stage| *stage != Stage::Failed) {
        assert_eq!(diagnose(&at(stage), t0() + minutes(9)), None, "{stage}");
    }
}

#[test]
fn a_run_that_was_given_up_keeps_the_cause_of_its_stall() {
    let failed = after(
        at(Stage::Installed),
        &[Event::GiveUp {
            cause: "no word".into(),
        }],
    );
    says_so(
        &diagnose(&failed, t0()).unwrap(),
        Cause::NoFirstBoot,
        "failed while installed: no word",
        "labelled boot",
    );
}
