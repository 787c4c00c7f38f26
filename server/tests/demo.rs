//! The demo as a person starts it: every fault comes to the end that is meant for it, over a restart of the server.

use std::process::Command;

#[test]
fn every_host_of_the_demo_comes_to_its_end() {
    let played = Command::new(env!("CARGO_BIN_EXE_thirdboot"))
        .args(["demo", "--once"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&played.stdout);
    assert!(
        played.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&played.stderr)
    );
    assert_eq!(
        said.lines().filter(|line| line.starts_with("ok ")).count(),
        29,
        "{said}"
    );
    assert!(said.contains("installed at attempt 2"), "{said}");
    assert!(said.contains("staged twice"), "{said}");
    assert!(said.contains("28 of 28 hosts came to the end meant for them"), "{said}");
}
