//! Updates begin when the machine is ready; the reboot lock is taken once a month, and given back when the node is well.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::{
    machine::{BOOT_ID, LOCK, Machine},
    server::{Answer, Request, Server},
};

const CONF: &str = "etc/zincati/config.d";

fn asked(request: &Request) -> Option<&str> {
    request.path.strip_prefix(&format!("/fleetlock/{LOCK}/v1/"))
}

/// What the server was asked of the lock, in order.
fn questions(server: &Server) -> Vec<String> {
    server
        .seen()
        .iter()
        .filter_map(|request| asked(request).map(str::to_owned))
        .collect()
}

fn refused(status: u16, kind: &str, value: &str) -> Answer {
    (status, json!({"kind": kind, "value": value}).to_string())
}

/// A server that answers the lock's questions with these in turn, the last one for ever, and takes every report.
fn answering(answers: Vec<Answer>) -> Server {
    let answers = std::sync::Mutex::new(answers);
    Server::answering(move |request| {
        if asked(request).is_none() {
            return (200, r#"{"stage":"ready"}"#.to_owned());
        }
        let mut answers = answers.lock().unwrap();
        if answers.len() > 1 {
            return answers.remove(0);
        }
        answers[0].clone()
    })
}

/// A ready machine that booted then.
fn ready(server: &Server, booted: &str) -> Machine {
    let machine = Machine::at(&server.url);
    machine.write("var/lib/thirdboot/ready", "");
    machine.write("proc/stat", &format!("cpu 1 2\nbtime {booted}\n"));
    machine
}

fn now() -> String {
    let output = std::process::Command::new("date").arg("+%s").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn zincatis_group_alone_reads_where_the_lock_is_and_only_once_the_machine_is_ready() {
    let server = Server::in_stage("ready");
    let machine = Machine::at(&server.url);
    let strategy = format!("{CONF}/55-updates-strategy.toml");
    machine.write("etc/thirdboot/zincati.toml", "[updates]\nstrategy = \"fleet_lock\"\n");
    machine.write("usr/local/bin/thirdboot-join", "");
    machine.prints("podman", "5.0");
    machine.write("run/thirdboot/kind", "layered-boot");
    assert!(!machine.has(&strategy));
    machine.run("runner", &[]).ok();
    assert_eq!(machine.read(&strategy), machine.read("etc/thirdboot/zincati.toml"));
    let mode = machine.path(&strategy).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o640);
    let new = machine.path(&format!("{strategy}.new"));
    assert_eq!(machine.calls("chgrp"), [format!("chgrp zincati {}", new.display())]);
    assert!(!machine.has(&format!("{CONF}/90-disable-updates.toml")));
    assert_eq!(
        machine.calls("systemctl"),
        ["systemctl --no-block restart zincati.service"]
    );
}

#[test]
fn without_that_group_nobody_reads_it_and_updates_stay_off() {
    let server = Server::in_stage("ready");
    let machine = Machine::at(&server.url);
    machine.write("etc/thirdboot/zincati.toml", "secret");
    machine.prints("podman", "5.0");
    machine.stub("chgrp", "exit 1");
    machine.write("run/thirdboot/kind", "layered-boot");
    machine.run("runner", &[]).ok();
    assert!(machine.has(&format!("{CONF}/90-disable-updates.toml")));
    assert!(
        !machine.has(&format!("{CONF}/55-updates-strategy.toml"))
            && !machine.has(&format!("{CONF}/55-updates-strategy.toml.new"))
    );
    assert!(
        server.report("note")["message"]
            .as_str()
            .unwrap()
            .contains("updates stay off")
    );
}

#[test]
fn the_lock_is_given_back_once_the_node_is_ready_in_this_boot() {
    let server = answering(vec![refused(503, "node_not_ready", "not Ready"), (200, String::new())]);
    let machine = ready(&server, "0");
    machine.write("etc/rancher/k3s/config.yaml", "");
    // First the boot before, then not Ready.
    machine.stub(
        "k3s",
        &format!(
            "n=$(grep -c '^k3s' {0})\ncase $n in 1) echo other True ;; 2) echo {BOOT_ID} False ;; *) echo {BOOT_ID} True ;; esac",
            machine.path("calls").display()
        ),
    );
    machine.run("back", &[]).ok();
    assert_eq!(machine.calls("k3s").len(), 3);
    assert!(machine.calls("k3s")[0].contains("get node node1"));
    assert_eq!(questions(&server), ["steady-state", "steady-state"]);
    let body = json!({"client_params": {"id": "0af3", "group": "prod.agent"}});
    assert_eq!(server.seen()[0].body, body);
    assert_eq!(server.seen()[0].authorization, "");
}

#[test]
fn a_path_that_nobody_knows_is_not_asked_for_ever() {
    let server = answering(vec![refused(404, "unknown_client", "nobody has this path")]);
    let ran = ready(&server, "0").run("back", &[]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("status 404: nobody has this path"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains(LOCK));
}

#[test]
fn once_a_month_the_machine_waits_for_its_turn_and_reboots() {
    let server = answering(vec![
        refused(409, "slots_held", "held by a2"),
        refused(503, "draining", "3 pods left"),
        (200, String::new()),
    ]);
    let machine = ready(&server, "1000000000");
    machine.run("reboot", &[]).ok();
    assert_eq!(questions(&server), ["pre-reboot"; 3]);
    assert_eq!(machine.calls("systemctl"), ["systemctl --no-block reboot"]);
    assert_eq!(server.report("note")["message"], "rebooting, as once a month");
}

#[test]
fn a_machine_that_booted_this_month_is_left_alone() {
    let server = answering(vec![(200, String::new())]);
    let machine = ready(&server, &now());
    machine.run("reboot", &[]).ok();
    assert_eq!(questions(&server), Vec::<String>::new());
    assert_eq!(machine.calls("systemctl"), Vec::<String>::new());
}

/// What a machine notes whose window is over, when it gives its place back and is told this.
fn waits_no_more(given_back: Answer) -> serde_json::Value {
    let server = answering(vec![refused(409, "slots_held", "held by a2"), given_back]);
    let machine = ready(&server, "1000000000");
    let lock = machine
        .read("etc/thirdboot/lock.env")
        .replace("MINUTES=60", "MINUTES=0");
    machine.write("etc/thirdboot/lock.env", &lock);
    machine.run("reboot", &[]).ok();
    assert_eq!(questions(&server), ["pre-reboot", "steady-state"]);
    assert_eq!(machine.calls("systemctl"), Vec::<String>::new());
    server.report("note")["message"].clone()
}

#[test]
fn when_the_window_is_over_it_waits_no_more() {
    assert_eq!(
        waits_no_more((200, String::new())),
        "no monthly reboot: the window is over (held by a2)"
    );
    assert_eq!(
        waits_no_more(refused(404, "unknown_client", "no such host")),
        "no monthly reboot: the window is over (held by a2); its place in the queue was not given back"
    );
}

#[test]
fn a_monthly_reboot_that_nobody_wants_any_more_is_left() {
    let server = answering(vec![refused(409, "monthly_off", "prod.agent has no monthly reboot")]);
    let machine = ready(&server, "1000000000");
    machine.run("reboot", &[]).ok();
    assert_eq!(questions(&server), ["pre-reboot"]);
    assert_eq!(machine.calls("systemctl"), Vec::<String>::new());
    assert_eq!(
        server.report("note")["message"],
        "no monthly reboot: prod.agent has no monthly reboot"
    );
}
