//! Random histories: requests of any kind, claims, reports, cancels, expiries, restores, clock jumps and moved NICs in
//! any order. What must never happen is watched by an oracle that knows only what people did and what was stored.
//!
//! `THIRDBOOT_HISTORIES=100000 cargo test --release -p thirdboot-store --test histories` for the long run.

use proptest::test_runner::{Config, TestRunner};
use thirdboot_store::contract::history::{Fleet, Memory, Step, Tally, steps};

fn cases() -> u32 {
    std::env::var("THIRDBOOT_HISTORIES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(2_000)
}

#[test]
fn nothing_is_wiped_that_nobody_armed_and_every_run_can_end() {
    let mut runner = TestRunner::new(Config {
        cases: cases(),
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&steps(), |steps| {
        let mut fleet = Fleet::new(Memory::default());
        for step in &steps {
            fleet.play(step);
        }
        fleet.everything_can_end();
        Ok(())
    });
    if let Err(found) = outcome {
        panic!("{found}");
    }
}

/// The generator is of no use if its histories never get anywhere.
#[test]
fn the_histories_reach_grants_refusals_and_ready() {
    let mut runner = TestRunner::new(Config {
        cases: 300,
        failure_persistence: None,
        ..Config::default()
    });
    let totals = std::cell::RefCell::new(Tally::default());
    let outcome = runner.run(&steps(), |steps: Vec<Step>| {
        let mut fleet = Fleet::new(Memory::default());
        for step in &steps {
            fleet.play(step);
        }
        totals.borrow_mut().add(&fleet.tally);
        Ok(())
    });
    outcome.unwrap();
    let totals = totals.into_inner();
    assert!(totals.grants > 100, "{totals:?}");
    assert!(totals.refused_claims > 100, "{totals:?}");
    assert!(totals.ready > 10, "{totals:?}");
    assert!(totals.install_scripts > 100 && totals.restores > 50, "{totals:?}");
}
