//! What a machine that asks for a script gets: the design's table, row by row.

use crate::story::*;
use thirdboot_lifecycle::*;

const TRUSTED: Asker = Asker {
    may_install: true,
    unknown_boots_disk: false,
};
const INSTALL: Script = Script::Install(RunNumber(3));

fn gets(run: Option<&Run>) -> Script {
    decide(&Identified::Host(&host()), run, TRUSTED, t0())
}

fn hold(reason: HoldReason) -> Script {
    Script::Hold(reason)
}

#[test]
fn each_stage_gets_its_script() {
    let lines: Vec<String> = Stage::ALL
        .into_iter()
        .map(|stage| format!("{stage:>12}: {:?}", gets(Some(&at(stage)))))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
           armed: Install(RunNumber(3))
      netbooting: Install(RunNumber(3))
            live: Install(RunNumber(3))
      installing: Install(RunNumber(3))
       installed: Local
      first-boot: Local
        layering: Local
         layered: Local
    layered-boot: Local
       networked: Local
         joining: Local
           ready: Local
          failed: Local
       cancelled: Local
    ");
}

#[test]
fn no_run_or_a_retired_host_boots_its_disk() {
    assert_eq!(gets(None), Script::Local);
    let retired = Host {
        retired: true,
        hold: Some(Hold {
            reason: "x".into(),
            since: t0(),
        }),
        ..host()
    };
    assert_eq!(
        decide(&Identified::Host(&retired), Some(&armed()), TRUSTED, t0()),
        Script::Local
    );
}

#[test]
fn an_expired_permit_before_the_claim_changes_nothing_on_the_machine() {
    for stage in [Stage::Armed, Stage::Netbooting, Stage::Live] {
        assert_eq!(
            decide(
                &Identified::Host(&host()),
                Some(&at(stage)),
                TRUSTED,
                permit().expires_at
            ),
            Script::Local
        );
    }
}

#[test]
fn after_the_claim_and_before_the_install_a_dead_run_holds() {
    let expired = decide(
        &Identified::Host(&host()),
        Some(&at(Stage::Installing)),
        TRUSTED,
        permit().expires_at,
    );
    assert_eq!(expired, hold(HoldReason::FailedAfterClaim));
    let cancelled = after(at(Stage::Installing), &[Event::Cancel { by: "ada".into() }]);
    assert_eq!(gets(Some(&cancelled)), hold(HoldReason::FailedAfterClaim));
    let failed = after(at(Stage::Installing), &[says(1, Said::InstallFailed)]);
    assert_eq!(gets(Some(&failed)), hold(HoldReason::FailedAfterClaim));
    let mut used_up = at(Stage::Installing);
    used_up.evidence.claimed.as_mut().unwrap().attempt = 3;
    assert_eq!(gets(Some(&used_up)), hold(HoldReason::Attempts));
}

#[test]
fn a_run_that_failed_from_installed_on_boots_its_disk() {
    for stage in [Stage::Installed, Stage::Layering, Stage::Joining] {
        let failed = after(at(stage), &[Event::GiveUp { cause: "silent".into() }]);
        assert_eq!(gets(Some(&failed)), Script::Local, "{stage}");
    }
}

#[test]
fn hold_adoption_and_conflict_hold() {
    let held = Host {
        hold: Some(Hold {
            reason: "x".into(),
            since: t0(),
        }),
        ..host()
    };
    assert_eq!(
        decide(&Identified::Host(&held), Some(&at(Stage::Ready)), TRUSTED, t0()),
        hold(HoldReason::Held)
    );
    let adopted = Host {
        adopted: true,
        ..host()
    };
    assert_eq!(
        decide(&Identified::Host(&adopted), None, TRUSTED, t0()),
        hold(HoldReason::Adopted)
    );
    let conflict = Identified::Conflict {
        hosts: vec![host().name],
        why: "moved".into(),
    };
    assert_eq!(
        decide(&conflict, Some(&armed()), TRUSTED, t0()),
        hold(HoldReason::Conflict)
    );
}

#[test]
fn an_unknown_machine_is_held_or_boots_its_disk_and_is_never_installed() {
    assert_eq!(
        decide(&Identified::Unknown, None, TRUSTED, t0()),
        hold(HoldReason::Unknown)
    );
    let lenient = Asker {
        unknown_boots_disk: true,
        ..TRUSTED
    };
    assert_eq!(
        decide(&Identified::Unknown, Some(&armed()), lenient, t0()),
        Script::Local
    );
}

#[test]
fn a_source_that_may_not_install_still_boots_disks() {
    let stranger = Asker {
        may_install: false,
        unknown_boots_disk: true,
    };
    assert_eq!(
        decide(&Identified::Host(&host()), Some(&armed()), stranger, t0()),
        hold(HoldReason::Unknown)
    );
    assert_eq!(
        decide(&Identified::Host(&host()), Some(&at(Stage::Installing)), stranger, t0()),
        hold(HoldReason::Unknown)
    );
    assert_eq!(
        decide(&Identified::Host(&host()), Some(&at(Stage::Ready)), stranger, t0()),
        Script::Local
    );
}

#[test]
fn the_trusted_asker_of_an_armed_host_installs() {
    assert_eq!(gets(Some(&armed())), INSTALL);
}
