//! When a stage is late, and when it is given up.

use crate::story::*;
use jiff::SignedDuration;
use thirdboot_lifecycle::*;

fn deadlines() -> Deadlines {
    Stage::ALL
        .into_iter()
        .filter(|stage| !stage.is_end())
        .fold(Deadlines::default(), |all, stage| {
            all.with(
                stage,
                Deadline {
                    stall_s: 60,
                    give_up_s: Some(300),
                },
            )
        })
}

fn verdict(run: &Run, after_s: i64) -> Verdict {
    verdict_at(run, &deadlines(), run.entered_at + SignedDuration::from_secs(after_s))
}

#[test]
fn first_a_mark_then_the_end() {
    let run = at(Stage::Layering);
    assert_eq!(verdict(&run, 59), Verdict::Nothing);
    assert_eq!(verdict(&run, 60), Verdict::Stall);
    let stalled = transition(&run, &Event::Stall, run.entered_at + minutes(1)).unwrap();
    assert_eq!(verdict(&stalled, 61), Verdict::Nothing);
    assert_eq!(verdict(&stalled, 300), Verdict::GiveUp);
}

#[test]
fn a_host_that_still_speaks_is_not_given_up() {
    let mut run = at(Stage::Installing);
    let entered = run.entered_at;
    run = transition(
        &run,
        &says(1, Said::Installing { percent: Some(40) }),
        entered + SignedDuration::from_secs(290),
    )
    .unwrap();
    assert_eq!(verdict(&run, 300), Verdict::Nothing);
    assert_eq!(verdict(&run, 350), Verdict::GiveUp);
}

#[test]
fn a_file_fetched_again_and_again_is_no_sign_of_life() {
    let mut run = at(Stage::Netbooting);
    let entered = run.entered_at;
    for after_s in [10, 40, 70] {
        run = transition(
            &run,
            &Event::Fetched(Fetch::Kernel),
            entered + SignedDuration::from_secs(after_s),
        )
        .unwrap();
    }
    assert_eq!(verdict(&run, 69), Verdict::Nothing);
    assert_eq!(verdict(&run, 70), Verdict::Stall);
}

#[test]
fn the_permit_expires_before_anything_else() {
    let run = armed();
    let lifetime = permit().expires_at.duration_since(permit().issued_at).as_secs();
    assert_eq!(verdict(&run, lifetime), Verdict::Expire);
    let expired = transition(&run, &Event::PermitExpired, permit().expires_at).unwrap();
    assert_eq!(
        (expired.stage, due_at(&expired, &Deadlines::default())),
        (Stage::Failed, None)
    );
}

#[test]
fn an_expiry_after_the_claim_only_takes_the_next_attempt_away() {
    let run = transition(&at(Stage::Installing), &Event::PermitExpired, permit().expires_at).unwrap();
    assert_eq!(run.stage, Stage::Installing);
    assert!(judge_claim(&host(), &run, &claim(2), &[], t0()).is_err());
    assert_eq!(after(run, &[installed(1)]).stage, Stage::Installed);
}

#[test]
fn what_is_due_is_found_at_the_moment_it_is_due_and_not_before() {
    for stage in Stage::ALL {
        let run = at(stage);
        match due_at(&run, &deadlines()) {
            Some(due) => {
                assert_ne!(verdict_at(&run, &deadlines(), due), Verdict::Nothing, "{stage}");
                let before = due - SignedDuration::from_millis(1);
                assert_eq!(verdict_at(&run, &deadlines(), before), Verdict::Nothing, "{stage}");
            }
            None => assert!(stage.is_end(), "{stage} is never due"),
        }
    }
}

#[test]
fn every_stage_that_can_stall_has_a_deadline_and_every_one_but_armed_an_end() {
    let defaults = Deadlines::default();
    for stage in Stage::ALL.into_iter().filter(|stage| !stage.is_end()) {
        let deadline = defaults.of(stage).unwrap_or_else(|| panic!("{stage} has no deadline"));
        assert_eq!(deadline.give_up_s.is_none(), stage == Stage::Armed);
        assert!(deadline.give_up_s.is_none_or(|end| end > deadline.stall_s));
    }
}

#[test]
fn a_host_that_says_the_same_every_minute_stalls_and_is_given_up() {
    let differing = |what: &str| {
        let mut event = network(3);
        if let Event::Report { differences, .. } = &mut event {
            differences.push(what.into());
        }
        event
    };
    let mut run = at(Stage::LayeredBoot);
    let entered = run.entered_at;
    let seconds = SignedDuration::from_secs;
    for n in 0..=9 {
        run = transition(&run, &differing("VLAN 5 is missing"), entered + seconds(10 * n)).unwrap();
    }
    assert_eq!(verdict(&run, 90), Verdict::Stall);
    run = transition(&run, &Event::Stall, entered + seconds(90)).unwrap();
    run = transition(&run, &differing("VLAN 5 is missing"), entered + seconds(100)).unwrap();
    assert!(run.stalled_since.is_some());
    assert_eq!(verdict(&run, 300), Verdict::GiveUp);
    let moved = transition(&run, &differing("VLAN 5 is down"), entered + seconds(110)).unwrap();
    assert_eq!(moved.stalled_since, None);
}
