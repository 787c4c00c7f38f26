//! What is wrong with a machine beside its run.

use jiff::SignedDuration;
use proptest::prelude::*;
use thirdboot_lifecycle::*;

use crate::story::*;

/// A run that became ready a while ago.
fn ready() -> Run {
    let mut run = armed();
    run.stage = Stage::Ready;
    run.evidence.installed = Some(Installed::default());
    run
}

fn booted(deployment: &str, missing: &[&str]) -> Report {
    report(
        7,
        Said::Booted {
            os_version: Some(format!("os-{deployment}")),
            deployment: Some(deployment.into()),
            network: None,
            missing: Some(missing.iter().map(ToString::to_string).collect()),
        },
    )
}

fn report(boot_number: u32, said: Said) -> Report {
    Report {
        run: RunNumber(3),
        boot_id: boot(boot_number),
        seq: 1,
        said,
        message: None,
    }
}

/// What is observed after these reports, one a minute.
fn seen(reports: &[Report]) -> Observed {
    let mut observed: Option<Observed> = None;
    for (at, report) in (0..).zip(reports) {
        observed = Observed::after(observed.as_ref(), report, t0() + minutes(at)).or(observed);
    }
    observed.unwrap()
}

fn kinds(
    run: Option<&Run>,
    observed: Option<&Observed>,
    lock: Option<&LockEvidence>,
    after: SignedDuration,
) -> Vec<AlertKind> {
    let found = alerts(&host(), run, observed, lock, &AlertLimits::default(), t0() + after);
    found.into_iter().map(|alert| alert.kind).collect()
}

#[test]
fn an_update_is_no_rollback_and_a_return_is_one() {
    let first = report(
        3,
        Said::LayeredBoot {
            os_version: None,
            deployment: "one".into(),
        },
    );
    let updated = seen(&[first.clone(), booted("two", &[])]);
    assert_eq!(kinds(Some(&ready()), Some(&updated), None, minutes(9)), []);
    let back = seen(&[first, booted("two", &[]), booted("one", &[])]);
    assert_eq!(
        kinds(Some(&ready()), Some(&back), None, minutes(9)),
        [AlertKind::RolledBack]
    );
    let found = alerts(
        &host(),
        Some(&ready()),
        Some(&back),
        None,
        &AlertLimits::default(),
        t0(),
    );
    assert!(
        found[0].says.contains("one again") || found[0].says.contains("os-one again"),
        "{found:?}"
    );
}

#[test]
fn a_new_install_forgets_what_ran_before_it() {
    let before = seen(&[booted("two", &[]), booted("one", &[])]);
    let again = Report {
        run: RunNumber(4),
        ..report(
            9,
            Said::FirstBoot {
                os_version: None,
                deployment: Some("base".into()),
            },
        )
    };
    let after = Observed::after(Some(&before), &again, t0()).unwrap();
    assert_eq!((after.deployments.len(), after.run), (1, Some(RunNumber(4))));
}

#[test]
fn a_run_under_way_speaks_for_itself() {
    let observed = seen(&[booted("one", &[]), booted("two", &[]), booted("one", &["htop"])]);
    let told = [AlertKind::PackagesMissing, AlertKind::RolledBack];
    assert_eq!(kinds(Some(&ready()), Some(&observed), None, minutes(9)), told);
    for stage in Stage::ALL.into_iter().filter(|stage| !stage.is_end()) {
        let run = Run { stage, ..ready() };
        assert_eq!(kinds(Some(&run), Some(&observed), None, minutes(9)), [], "{stage}");
    }
    let retired = Host {
        retired: true,
        ..host()
    };
    let limits = AlertLimits::default();
    assert_eq!(
        alerts(&retired, Some(&ready()), Some(&observed), None, &limits, t0()),
        []
    );
}

#[test]
fn a_lock_is_told_when_it_is_held_for_long() {
    let lock = lock("workers");
    assert_eq!(kinds(None, None, Some(&lock), minutes(59)), []);
    // A group's own limit counts before the fleet's.
    let patient = LockEvidence {
        limit_s: Some(2 * 3600),
        ..lock.clone()
    };
    assert_eq!(kinds(None, None, Some(&patient), minutes(119)), []);
    assert_eq!(kinds(None, None, Some(&patient), minutes(120)), [AlertKind::LockHeld]);
    assert_eq!(kinds(None, None, Some(&lock), minutes(60)), [AlertKind::LockHeld]);
}

#[test]
fn silence_is_told_from_the_first_disk_script_on() {
    let sent = transition(&ready(), &Event::LocalScript, t0()).unwrap();
    let again = transition(&sent, &Event::LocalScript, t0() + minutes(10)).unwrap();
    assert_eq!(kinds(Some(&again), None, None, minutes(14)), []);
    assert_eq!(kinds(Some(&again), None, None, minutes(15)), [AlertKind::NotBack]);
    // A machine that never was installed owes no report.
    let mut never = transition(&armed(), &Event::Cancel { by: "ada".into() }, t0()).unwrap();
    never = transition(&never, &Event::LocalScript, t0()).unwrap();
    assert_eq!(kinds(Some(&never), None, None, minutes(99)), []);
}

#[test]
fn a_conflict_ends_when_the_machine_proves_itself() {
    let met = Observed::in_conflict(None, "two serials", "192.0.2.1", t0());
    let again = Observed::in_conflict(Some(&met), "two serials", "192.0.2.1", t0() + minutes(30));
    assert_eq!(again.conflict.as_ref().unwrap().since, t0());
    let later = Observed::in_conflict(Some(&again), "two serials", "192.0.2.1", t0() + minutes(200));
    assert_eq!(later.conflict.as_ref().unwrap().since, t0() + minutes(200));
    assert_eq!(
        kinds(None, Some(&met), None, minutes(1)),
        [AlertKind::IdentifiersConflict]
    );
    let proven = Observed::after(Some(&met), &booted("one", &[]), t0() + minutes(2)).unwrap();
    assert_eq!(kinds(Some(&ready()), Some(&proven), None, minutes(3)), []);
}

#[test]
fn what_is_no_word_of_the_machine_observes_nothing() {
    for said in [
        Said::Layering,
        Said::Ready,
        Said::Joining,
        Said::Note { inspection: false },
    ] {
        assert_eq!(Observed::after(None, &report(3, said), t0()), None);
    }
}

proptest! {
    /// Alarming or not: the boot answer follows from host and run alone, and neither is changed by looking.
    #[test]
    fn alerts_never_change_a_boot_answer(
        deployments in proptest::collection::vec("[a-c]", 1..6),
        missing in any::<bool>(),
        late in 0_i64..5000,
        stage in 0..Stage::ALL.len(),
    ) {
        let reports: Vec<Report> = deployments.iter().map(|name| booted(name, if missing { &["htop"] } else { &[] })).collect();
        let observed = Observed::in_conflict(Some(&seen(&reports)), "why", "192.0.2.1", t0());
        let (host, run) = (host(), Run { stage: Stage::ALL[stage], ..ready() });
        let (host_before, run_before) = (host.clone(), run.clone());
        let asker = Asker { may_install: true, unknown_boots_disk: false };
        let now = t0() + minutes(late);
        let before = decide(&Identified::Host(&host), Some(&run), asker, now);
        let lock = lock("g");
        let _told = alerts(&host, Some(&run), Some(&observed), Some(&lock), &AlertLimits::default(), now);
        prop_assert_eq!(before, decide(&Identified::Host(&host), Some(&run), asker, now));
        prop_assert_eq!((host, run), (host_before, run_before));
    }
}
