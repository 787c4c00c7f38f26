use crate::{machine::Machine, server::Server};

const JOURNAL: &str = r#"2026-11-22T17:10:16+0000 node1 ignition[570]: Ignition failed: files: op(3): bad
2026-11-22T17:10:16+0000 node1 ignition[570]: Full config: {"ignition":{"x":"tb_live_aaaabbbbccccdddd2345"}}
2026-11-22T17:10:16+0000 node1 ignition[570]: {
2026-11-22T17:10:16+0000 node1 ignition[570]:   "storage": {
                                                  "source": "data:,secret"
2026-11-22T17:10:16+0000 node1 kernel: ignition[570]:   "passwordHash": "$y$secret"
2026-11-22T17:10:17+0000 node1 coreos-installer[99]: Error: disk busy, asked /assets/tb_conf_aaaabbbbccccdddd2345/x
"#;

#[test]
fn a_failed_installer_is_reported_with_a_log_that_is_cut_and_cleaned() {
    let server = Server::in_stage("failed");
    let machine = Machine::at(&server.url);
    machine.prints("journalctl", JOURNAL);
    machine.run("failed", &["coreos-installer.service"]).ok();
    let report = server.report("install-failed");
    assert_eq!(report["message"], "coreos-installer: failed, see the log");
    insta::assert_snapshot!(report["log"].as_str().unwrap());
    assert_eq!(machine.calls("systemctl"), ["systemctl --no-block reboot"]);
}

#[test]
fn a_failed_hook_says_why_in_its_own_words() {
    let server = Server::in_stage("failed");
    let machine = Machine::at(&server.url);
    machine.prints("journalctl", "");
    machine.write("run/thirdboot/why", "the claim was refused: held\n");
    machine.run("failed", &["thirdboot-precheck.service"]).ok();
    assert_eq!(
        server.report("install-failed")["message"],
        "thirdboot-precheck: the claim was refused: held"
    );
}

#[test]
fn units_of_the_installed_system_fail_their_own_stage_and_do_not_reboot() {
    for (unit, event) in [
        ("thirdboot-layer.service", "layer-failed"),
        ("thirdboot-join.service", "join-failed"),
        ("thirdboot-runner.service", "join-failed"),
        ("thirdboot-network.service", "note"),
        ("thirdboot-live.service", "note"),
    ] {
        let server = Server::in_stage("failed");
        let machine = Machine::at(&server.url);
        machine.prints("journalctl", "");
        machine.run("failed", &[unit]).ok();
        assert_eq!(server.events(), [event], "{unit}");
        assert_eq!(machine.calls("systemctl"), [""; 0], "{unit}");
    }
}

#[test]
fn a_long_log_is_cut_to_what_the_server_takes() {
    let server = Server::in_stage("failed");
    let machine = Machine::at(&server.url);
    machine.prints(
        "journalctl",
        &"2026 node1 x[1]: \u{1b}[31mmuch \"ado\" ä \\\n".repeat(20_000),
    );
    machine.run("failed", &["coreos-installer.service"]).ok();
    let report = server.report("install-failed");
    let log = report["log"].as_str().unwrap();
    assert!(
        log.len() <= 65_536 && log.is_ascii() && !log.contains('\u{1b}'),
        "{}",
        log.len()
    );
}
