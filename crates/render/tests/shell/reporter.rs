use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{
    machine::{BOOT_ID, Machine, SECRET},
    server::{Server, problem},
};

/// An address where nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";

#[test]
fn a_report_says_run_boot_number_and_what_happened() {
    let server = Server::in_stage("first-boot");
    let machine = Machine::at(&server.url);
    machine.write("facts", r#"{"os_version":"43.1"}"#);
    machine.write("log", "a \"quoted\" line\n\\ and a backslash\n");
    let (facts, log) = (machine.path("facts"), machine.path("log"));
    let (facts, log) = (facts.to_str().unwrap(), log.to_str().unwrap());
    machine
        .run(
            "report",
            &[
                "first-boot",
                "--message",
                "it \"runs\"\n$(reboot)",
                "--facts",
                facts,
                "--log",
                log,
            ],
        )
        .ok();
    let [request] = server.seen().try_into().unwrap();
    assert_eq!(request.authorization, format!("Bearer {SECRET}"));
    let mut body = request.body;
    let at = body.as_object_mut().unwrap().remove("at").unwrap();
    assert!(at.as_str().unwrap().ends_with('Z'), "{at}");
    assert_eq!(
        body,
        serde_json::json!({
            "run": 3, "boot_id": BOOT_ID, "seq": 1, "event": "first-boot", "message": "it \"runs\"\n$(reboot)",
            "log": "a \"quoted\" line\n\\ and a backslash\n", "facts": {"os_version": "43.1"},
        })
    );
    assert_eq!(
        (machine.queued(), machine.read("run/thirdboot/stage").trim()),
        (0, "first-boot")
    );
}

#[test]
fn numbers_count_per_boot() {
    let server = Server::in_stage("live");
    let machine = Machine::at(&server.url);
    machine.run("report", &["live"]).ok();
    machine.run("report", &["installing", "--percent", "5"]).ok();
    machine.boots("99999999-2222-4333-8444-555555555555");
    machine.run("report", &["live"]).ok();
    let numbers: Vec<_> = server
        .seen()
        .iter()
        .map(|request| request.body["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [1, 2, 1]);
    assert_eq!(server.report("installing")["percent"], 5);
}

#[test]
fn what_nobody_took_waits_on_disk_over_a_reboot_and_goes_first() {
    let machine = Machine::at(NOBODY);
    machine.run("report", &["first-boot", "--for", "1"]).ok();
    machine.run("report", &["layering", "--for", "1"]).ok();
    assert_eq!(machine.queued(), 2);
    assert_eq!(machine.run("report", &["--send", "--for", "1"]).status, 75);

    let server = Server::in_stage("layered-boot");
    machine.boots("99999999-2222-4333-8444-555555555555");
    let env = machine.read("etc/thirdboot/reporter.env").replace(NOBODY, &server.url);
    machine.write("etc/thirdboot/reporter.env", &env);
    machine.run("report", &["layered-boot"]).ok();
    assert_eq!(server.events(), ["first-boot", "layering", "layered-boot"]);
    assert_eq!(server.seen()[0].body["boot_id"], BOOT_ID);
    assert_eq!(machine.queued(), 0);
}

#[test]
fn a_server_that_stumbles_is_asked_again() {
    let asked = AtomicUsize::new(0);
    let server = Server::answering(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => problem(503, "about:blank", "store away"),
        1 => problem(401, "about:blank", "no such secret yet"),
        2 => problem(500, "about:blank", "oops"),
        _ => (200, r#"{"stage":"live"}"#.into()),
    });
    let machine = Machine::at(&server.url);
    machine.run("report", &["live"]).ok();
    let seen = server.seen();
    assert_eq!(seen.len(), 4);
    assert!(
        seen.iter().all(|request| request.body == seen[0].body),
        "the same report each time"
    );
    assert_eq!(machine.queued(), 0);
}

#[test]
fn a_refused_report_is_dropped_and_the_next_is_sent() {
    for status in [409, 413, 422] {
        let server = Server::answering(move |request| match request.body["event"].as_str() {
            Some("layering") => problem(status, "https://thirdboot.invalid/problems/refused", "not now"),
            _ => (200, r#"{"stage":"layered"}"#.into()),
        });
        let machine = Machine::at(&server.url);
        machine.run("report", &["layering"]).ok();
        assert_eq!(machine.queued(), 0, "{status}");
        machine.run("report", &["layered"]).ok();
        assert_eq!(server.events(), ["layering", "layered"], "{status}");
        assert!(!machine.has("run/thirdboot/over"), "{status}");
    }
}

#[test]
fn a_run_that_is_over_stops_its_queue() {
    let machine = Machine::at(NOBODY);
    for event in ["first-boot", "layering", "layered"] {
        machine.run("report", &[event, "--for", "0"]).ok();
    }
    let server = Server::answering(|_| problem(409, "https://thirdboot.invalid/problems/run-over", "cancelled"));
    let env = machine.read("etc/thirdboot/reporter.env").replace(NOBODY, &server.url);
    machine.write("etc/thirdboot/reporter.env", &env);
    assert_eq!(machine.run("report", &["--send"]).status, 3);
    assert_eq!((server.events(), machine.queued()), (vec!["first-boot".to_owned()], 0));
}

#[test]
fn ready_is_remembered_before_the_report_is_forgotten() {
    let server = Server::in_stage("ready");
    let machine = Machine::at(&server.url);
    machine.run("report", &["ready"]).ok();
    assert!(machine.has("var/lib/thirdboot/ready"));
}

#[test]
fn progress_does_not_pile_up_and_milestones_do() {
    let machine = Machine::at(NOBODY);
    for place in 1..=50 {
        machine.write(&format!("var/lib/thirdboot/queue/{place:09}.json"), "{}");
    }
    machine
        .run("report", &["installing", "--percent", "50", "--for", "0"])
        .ok();
    assert_eq!(machine.queued(), 50);
    machine.run("report", &["installed", "--for", "0"]).ok();
    assert!(machine.has("var/lib/thirdboot/queue/000000051.json"));
}

#[test]
fn the_secret_stands_in_no_command_line_and_no_environment() {
    let machine = Machine::at("http://127.0.0.1:9");
    machine.stub("curl", "tr '\\0' '\\n' </proc/$$/cmdline >>\"$THIRDBOOT_ROOT/seen\"; tr '\\0' '\\n' </proc/$$/environ >>\"$THIRDBOOT_ROOT/seen\"; cat >>\"$THIRDBOOT_ROOT/config\"; printf 200");
    machine.run("report", &["live", "--for", "0"]).ok();
    assert!(
        machine.read("config").contains(SECRET),
        "curl gets it on its standard input"
    );
    assert!(!machine.read("seen").contains(SECRET));
    assert!(!machine.read("calls").contains(SECRET));
}

#[test]
fn a_pinned_ca_is_given_to_curl() {
    let machine = Machine::at(NOBODY);
    let env = machine.read("etc/thirdboot/reporter.env") + "THIRDBOOT_CA=/etc/thirdboot/ca.pem\n";
    machine.write("etc/thirdboot/reporter.env", &env);
    machine.stub("curl", "cat >/dev/null; printf 200");
    machine.run("report", &["live", "--for", "0"]).ok();
    let ca = format!("--cacert {}/etc/thirdboot/ca.pem", machine.root().display());
    assert!(machine.calls("curl")[0].contains(&ca));
}
