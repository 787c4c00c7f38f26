//! Whose word makes a node ready.

use crate::story::*;
use jiff::SignedDuration;
use thirdboot_lifecycle::*;

fn not_ready() -> Event {
    Event::NodeSeen(NodeWord::NotReady {
        why: "container runtime is down".into(),
    })
}

#[test]
fn the_api_makes_a_node_ready() {
    let run = after(at(Stage::Joining), &[not_ready(), Event::NodeSeen(NodeWord::Ready)]);
    assert_eq!((run.stage, run.evidence.ready_by), (Stage::Ready, Some(ReadyBy::Api)));
}

#[test]
fn a_node_that_calls_itself_ready_while_the_api_says_otherwise_stays_joining() {
    for word in [not_ready(), Event::NodeSeen(NodeWord::Missing)] {
        let run = after(at(Stage::Joining), &[word, says(3, Said::Ready)]);
        assert_eq!(run.stage, Stage::Joining);
        let run = after(run, &[Event::NodeSeen(NodeWord::Unreachable), says(3, Said::Ready)]);
        assert_eq!(
            (run.stage, run.evidence.ready_by),
            (Stage::Ready, Some(ReadyBy::OwnWord))
        );
    }
}

#[test]
fn where_nobody_can_be_asked_the_nodes_own_word_counts_and_is_marked() {
    let run = after(at(Stage::Joining), &[says(3, Said::Ready)]);
    assert_eq!(
        (run.stage, run.evidence.ready_by),
        (Stage::Ready, Some(ReadyBy::OwnWord))
    );
}

#[test]
fn a_host_that_keeps_asking_for_its_turn_is_not_given_up() {
    let deadlines = Deadlines::default();
    let waits = || Event::JoinWaits {
        why: "s1 begins prod".into(),
    };
    let mut run = at(Stage::Networked);
    for hour in 1..100 {
        let now = run.entered_at + SignedDuration::from_hours(hour);
        run = transition(&run, &waits(), now).unwrap();
        run.stalled_since.get_or_insert(now);
        assert_ne!(verdict_at(&run, &deadlines, now), Verdict::GiveUp, "after {hour} h");
    }
    let silent = run.evidence.join_wait.as_ref().unwrap().asked_at + SignedDuration::from_hours(25);
    assert_eq!(verdict_at(&run, &deadlines, silent), Verdict::GiveUp);
}
