use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::{
    disks::{coreos, disk, part, with_disks},
    machine::{BOOT_ID, Machine, Ran},
    server::{Answer, Server, problem},
};

const TARGET: &str = "etc/coreos/installer.d/60-thirdboot-disk.yaml";

fn granted() -> Answer {
    (200, r#"{"granted": true, "attempt": 1, "of": 3}"#.into())
}

/// Runs the check on a machine with these disks, its claim answered so.
fn check(
    disks: &Value,
    plan: &Value,
    mark: &str,
    answer: impl Fn() -> Answer + Send + 'static,
) -> (Machine, Server, Ran) {
    let server = Server::answering(move |_| answer());
    let machine = Machine::at(&server.url);
    with_disks(&machine, disks, &[], mark);
    machine.plan(&plan.to_string());
    let ran = machine.run("precheck", &[]);
    (machine, server, ran)
}

fn plan(disk: Option<&str>, wipe: &[&str]) -> Value {
    json!({"host": "node1", "run": 3, "disk": disk, "wipe": wipe, "version": "43.1", "image": null})
}

fn why(machine: &Machine) -> String {
    machine.read("run/thirdboot/why").trim().to_owned()
}

#[test]
fn the_only_eligible_disk_is_claimed_and_named_to_the_installer() {
    let mut stick = disk("sdb", "S2", &json!([]));
    stick["rm"] = json!(true);
    let mut small = disk("sdc", "S3", &json!([]));
    small["size"] = json!(4_000_000_000_u64);
    let disks = json!([disk("sda", "S1", &json!([])), stick, small]);
    let (machine, server, ran) = check(&disks, &plan(None, &[]), "", granted);
    ran.ok();
    let [claim] = server.seen().try_into().unwrap();
    assert_eq!(claim.path, "/v1/claim");
    let body = &claim.body;
    assert_eq!((&body["run"], &body["boot_id"]), (&json!(3), &json!(BOOT_ID)));
    assert_eq!(body["dmi"], json!({"serial": "S3RI4L", "product": "Model 1"}));
    assert_eq!(body["macs"], json!(["52:54:00:00:00:01"]));
    assert_eq!(body["disk"]["serial"], "S1");
    assert_eq!(body["disks"].as_array().unwrap().len(), 3);
    assert_eq!(machine.json(TARGET), json!({"dest-device": "/dev/sda"}));
}

#[test]
fn several_disks_are_refused_with_their_names_before_any_claim() {
    let disks = json!([disk("sda", "S1", &json!([])), disk("sdb", "S2", &json!([]))]);
    let (machine, server, ran) = check(&disks, &plan(None, &[]), "", granted);
    assert_eq!((ran.status, server.seen().len()), (1, 0));
    assert_eq!(
        why(&machine),
        "several disks could be meant, arm with one of them: /dev/sda (500 GB, serial S1), /dev/sdb (500 GB, serial S2)"
    );
    assert!(!machine.has(TARGET));
}

#[test]
fn a_disk_is_found_by_serial_or_link_and_a_missing_one_is_said() {
    let disks = json!([disk("sda", "S1", &json!([])), disk("sdb", "S2", &json!([]))]);
    let (machine, _, ran) = check(&disks, &plan(Some("S2"), &[]), "", granted);
    ran.ok();
    assert_eq!(machine.json(TARGET), json!({"dest-device": "/dev/sdb"}));
    let (machine, _, ran) = check(&disks, &plan(Some("S9"), &[]), "", granted);
    assert_eq!(ran.status, 1);
    assert!(
        why(&machine).starts_with("S9: no such disk; this machine has /dev/sda"),
        "{}",
        why(&machine)
    );
}

#[test]
fn a_refused_claim_ends_the_install_with_the_servers_reason() {
    let disks = json!([disk("sda", "S1", &json!([]))]);
    let refuse = || {
        problem(
            409,
            "https://thirdboot.invalid/problems/refused",
            "the host is on hold: maintenance",
        )
    };
    let (machine, _, ran) = check(&disks, &plan(None, &["S1"]), "", refuse);
    assert_eq!(ran.status, 1);
    assert_eq!(why(&machine), "the claim was refused: the host is on hold: maintenance");
    assert!(!machine.has(TARGET));
    assert!(
        machine.calls("wipefs").iter().all(|call| call.contains("--no-act")),
        "nothing was wiped"
    );
}

#[test]
fn only_a_grant_in_so_many_words_is_a_grant() {
    let disks = json!([disk("sda", "S1", &json!([]))]);
    for answer in [
        (200, String::new()),
        (200, "{}".into()),
        (200, r#"{"granted": false}"#.into()),
        (204, String::new()),
    ] {
        let (machine, _, ran) = check(&disks, &plan(None, &[]), "", move || answer.clone());
        assert_eq!(ran.status, 1);
        assert!(!machine.has(TARGET));
    }
}

#[test]
fn a_server_that_is_away_is_asked_until_it_answers() {
    let asked = AtomicUsize::new(0);
    let answer = move || match asked.fetch_add(1, Ordering::SeqCst) {
        0..4 => problem(503, "about:blank", "store away"),
        _ => granted(),
    };
    let (machine, server, ran) = check(&json!([disk("sda", "S1", &json!([]))]), &plan(None, &[]), "", answer);
    ran.ok();
    assert_eq!(server.seen().len(), 5);
    assert!(machine.has(TARGET));
}

#[test]
fn what_a_new_install_waits_for_is_told_once() {
    let asked = AtomicUsize::new(0);
    let server = Server::answering(move |request| {
        if request.path == "/v1/report" {
            return (200, r#"{"stage":"live"}"#.to_owned());
        }
        match asked.fetch_add(1, Ordering::SeqCst) {
            0..3 => problem(503, "/problems/not-yet", "the slot of runner is held by a1"),
            _ => granted(),
        }
    });
    let machine = Machine::at(&server.url);
    with_disks(&machine, &json!([disk("sda", "S1", &json!([]))]), &[], "");
    machine.plan(&plan(None, &[]).to_string());
    machine.run("precheck", &[]).ok();
    assert_eq!(server.events(), ["note"]);
    let message = "waiting to claim: the slot of runner is held by a1";
    assert_eq!(server.report("note")["message"], message);
}

#[test]
fn a_finished_install_of_this_run_is_booted_and_not_written() {
    let disks = json!([disk("sda", "S1", &coreos("sda"))]);
    let answer = || {
        problem(
            409,
            "https://thirdboot.invalid/problems/already-installed",
            "run 3 is on this disk",
        )
    };
    let (machine, _, ran) = check(&disks, &plan(None, &[]), r#"{"host":"node1","run":3}"#, answer);
    assert_eq!(ran.status, 1, "a good end would start the installer");
    assert_eq!(machine.calls("systemctl"), ["systemctl --no-block reboot"]);
    assert!(!machine.has(TARGET));
    // Its OnFailure= has nothing to report.
    machine.run("failed", &["thirdboot-precheck.service"]).ok();
    assert_eq!(machine.queued(), 0);
}

#[test]
fn a_newer_install_of_this_host_is_not_written_whatever_the_server_says() {
    let disks = json!([disk("sda", "S1", &coreos("sda"))]);
    for run in [3, 7] {
        let mark = format!(r#"{{"host":"node1","run":{run}}}"#);
        let (machine, _, ran) = check(&disks, &plan(None, &["S1"]), &mark, granted);
        assert_eq!(ran.status, 1);
        assert!(
            why(&machine).contains(&format!("carries run {run}")),
            "{}",
            why(&machine)
        );
        assert!(!machine.has(TARGET));
    }
    let (machine, _, ran) = check(&disks, &plan(None, &[]), r#"{"host":"node1","run":2}"#, granted);
    ran.ok();
    assert!(machine.has(TARGET));
}

#[test]
fn only_what_the_permit_names_is_wiped() {
    let disks = json!([
        disk("sda", "S1", &json!([part("sda1", "", Some("xfs"), None)])),
        disk("sdb", "S2", &json!([part("sdb1", "", Some("ext4"), Some("boot"))])),
        disk("sdc", "S3", &json!([part("sdc1", "", Some("ceph_bluestore"), None)])),
    ]);
    let server = Server::answering(|_| granted());
    let machine = Machine::at(&server.url);
    with_disks(&machine, &disks, &[], "");
    let tree = json!({"blockdevices": disks}).to_string();
    // The list of one disk's nodes, as the wiping asks for it.
    machine.stub(
        "lsblk",
        &format!(
            "if [[ $* == *--list* ]]; then echo \"${{@: -1}} disk\"; echo \"${{@: -1}}1 part\"; else echo '{tree}'; fi"
        ),
    );
    machine.plan(&plan(Some("S1"), &["S2"]).to_string());
    machine.run("precheck", &[]).ok();
    let wiped: Vec<String> = machine
        .calls("wipefs")
        .into_iter()
        .filter(|call| call.contains("--all"))
        .collect();
    assert_eq!(
        wiped,
        ["wipefs --all --force /dev/sdb1", "wipefs --all --force /dev/sdb"]
    );
}
