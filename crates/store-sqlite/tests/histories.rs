//! Random histories against the real database: older copies put back, restarts in between, and everything that was
//! acknowledged still there.
//!
//! `THIRDBOOT_STORED_HISTORIES=5000 cargo test -p thirdboot-store-sqlite --test histories` for a long run.

mod folder;

use folder::Folder;
use proptest::test_runner::{Config, TestRunner};
use thirdboot_store::contract::history::{Fleet, Stored, Tally, steps};

#[test]
fn nothing_is_wiped_that_nobody_armed_whatever_copy_of_the_database_is_put_back() {
    let cases = std::env::var("THIRDBOOT_STORED_HISTORIES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100);
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    });
    let totals = std::cell::RefCell::new(Tally::default());
    let outcome = runner.run(&steps(), |steps| {
        let mut fleet = Fleet::new(Stored::new(Folder::fresh()));
        for step in &steps {
            fleet.play(step);
        }
        fleet.everything_can_end();
        totals.borrow_mut().add(&fleet.tally);
        Ok(())
    });
    if let Err(found) = outcome {
        panic!("{found}");
    }
    let totals = totals.into_inner();
    assert!(totals.grants > 20 && totals.restores > 10, "{totals:?}");
}
