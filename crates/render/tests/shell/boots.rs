use serde_json::json;

use crate::{
    machine::Machine,
    server::{Server, problem},
};

const OLD: &str = "aaaa";
const NEW: &str = "bbbb";

/// What `rpm-ostree status --json` says: the booted deployment with its packages, and perhaps a staged one before it.
fn deployments(machine: &Machine, checksum: &str, requested: &[&str], staged: Option<&str>) {
    let mut list =
        vec![json!({"booted": true, "checksum": checksum, "version": "43.1", "requested-packages": requested})];
    if let Some(staged) = staged {
        list.insert(
            0,
            json!({"booted": false, "staged": true, "checksum": staged, "version": "43.1"}),
        );
    }
    machine.prints("rpm-ostree", &json!({"deployments": list}).to_string());
}

fn kind(machine: &Machine) -> String {
    machine.run("boot", &[]).ok();
    machine.read("run/thirdboot/kind").trim().to_owned()
}

const NEXT_BOOT: &str = "99999999-2222-4333-8444-555555555555";

#[test]
fn packages_are_layered_and_the_next_boot_is_the_third() {
    let server = Server::in_stage("layering");
    let machine = Machine::at(&server.url);
    machine.write("etc/thirdboot/packages", "k3s-selinux\nvim-enhanced\n");
    deployments(&machine, OLD, &[], Some(NEW));
    assert_eq!(kind(&machine), "first-boot");
    machine.run("layer", &[]).ok();
    assert_eq!(server.events(), ["first-boot", "layering", "layered"]);
    assert_eq!(
        server.report("first-boot")["facts"],
        json!({"os_version": "43.1", "deployment": OLD})
    );
    assert_eq!(server.report("layered")["facts"], json!({"deployment": NEW}));
    let install = "rpm-ostree install -y --allow-inactive --idempotent k3s-selinux vim-enhanced";
    assert!(machine.calls("rpm-ostree").contains(&install.to_owned()));
    assert_eq!(machine.calls("systemctl"), ["systemctl --no-block reboot"]);

    machine.boots(NEXT_BOOT);
    deployments(&machine, NEW, &["k3s-selinux", "vim-enhanced"], None);
    assert_eq!(kind(&machine), "layered-boot");
    machine.run("layer", &[]).ok();
    assert_eq!(server.events()[3..], ["layered-boot"]);
    assert_eq!(server.report("layered-boot")["facts"]["deployment"], NEW);
}

#[test]
fn a_staged_deployment_that_a_power_cut_lost_is_layered_again() {
    let server = Server::in_stage("layering");
    let machine = Machine::at(&server.url);
    machine.write("etc/thirdboot/packages", "k3s-selinux\n");
    deployments(&machine, OLD, &[], Some(NEW));
    kind(&machine);
    machine.run("layer", &[]).ok();
    machine.boots(NEXT_BOOT);
    deployments(&machine, OLD, &[], None);
    assert_eq!(kind(&machine), "first-boot", "no stamp says otherwise");
}

#[test]
fn a_run_that_failed_is_not_layered_and_rebooted_for_ever() {
    let server = Server::answering(|request| match request.body["event"].as_str() {
        // The old deployment once too often: recorded, and the end of the run.
        Some("first-boot") => (200, r#"{"stage":"failed"}"#.to_owned()),
        _ => problem(409, "https://thirdboot.invalid/problems/run-over", "the run failed"),
    });
    let machine = Machine::at(&server.url);
    machine.write("etc/thirdboot/packages", "k3s-selinux\n");
    deployments(&machine, OLD, &[], Some(NEW));
    assert_eq!(kind(&machine), "first-boot");
    machine.run("layer", &[]).ok();
    assert!(machine.calls("rpm-ostree").iter().all(|call| !call.contains("install")));
    assert_eq!(machine.calls("systemctl"), [""; 0], "no reboot");
}

#[test]
fn what_a_rollback_would_take_is_not_what_was_staged() {
    let server = Server::in_stage("layering");
    let machine = Machine::at(&server.url);
    machine.write("etc/thirdboot/packages", "k3s-selinux\n");
    let list = json!({"deployments": [{"booted": true, "checksum": OLD, "version": "43.1"}, {"booted": false, "checksum": "cccc"}]});
    machine.prints("rpm-ostree", &list.to_string());
    kind(&machine);
    assert_eq!(machine.run("layer", &[]).status, 1);
    assert!(machine.read("run/thirdboot/why").contains("staged no deployment"));
}

#[test]
fn without_packages_the_same_deployment_boots_once_more() {
    let server = Server::in_stage("layering");
    let machine = Machine::at(&server.url);
    deployments(&machine, OLD, &[], None);
    assert_eq!(kind(&machine), "first-boot");
    machine.run("layer", &[]).ok();
    assert_eq!(server.report("layered")["facts"], json!({"deployment": OLD}));
    assert!(machine.calls("rpm-ostree").iter().all(|call| !call.contains("install")));
    assert_eq!(machine.calls("systemctl"), ["systemctl --no-block reboot"]);
    assert_eq!(kind(&machine), "first-boot", "the unit ran again in the same boot");
    machine.boots(NEXT_BOOT);
    assert_eq!(kind(&machine), "layered-boot");
}

#[test]
fn without_packages_a_power_cut_before_the_memory_only_costs_a_reboot() {
    let server = Server::in_stage("layering");
    let machine = Machine::at(&server.url);
    deployments(&machine, OLD, &[], None);
    kind(&machine);
    machine.boots(NEXT_BOOT);
    assert_eq!(kind(&machine), "first-boot");
}

#[test]
fn layering_that_keeps_failing_says_so_at_last() {
    let server = Server::in_stage("layering");
    let machine = Machine::at(&server.url);
    machine.write("etc/thirdboot/packages", "k3s-selinux\n");
    deployments(&machine, OLD, &[], None);
    kind(&machine);
    machine.stub("rpm-ostree", "echo 'error: cannot download' >&2; exit 1");
    assert_eq!(machine.run("layer", &[]).status, 1);
    assert_eq!(
        machine
            .calls("rpm-ostree")
            .iter()
            .filter(|call| call.contains("install"))
            .count(),
        10
    );
    assert!(machine.read("run/thirdboot/why").contains("cannot download"));
    assert!(machine.calls("systemctl").is_empty(), "no reboot");
}

#[test]
fn a_ready_machine_reports_booted_with_its_network_and_may_update() {
    let server = Server::in_stage("ready");
    let machine = Machine::at(&server.url);
    deployments(&machine, NEW, &[], None);
    machine.write("var/lib/thirdboot/ready", "");
    machine.prints("ip", r#"[{"ifname":"eth0","link_type":"ether","operstate":"UP","mtu":1500,"addr_info":[{"local":"192.0.2.5","prefixlen":24,"scope":"global"}]}]"#);
    assert_eq!(kind(&machine), "booted");
    let facts = &server.report("booted")["facts"];
    assert_eq!((&facts["deployment"], &facts["mtu"]), (&json!(NEW), &json!(1500)));
    assert_eq!(
        facts["addresses"],
        json!([{"interface": "eth0", "address": "192.0.2.5/24"}])
    );
    assert!(!machine.has("etc/zincati/config.d/90-disable-updates.toml"));
    machine.run("layer", &[]).ok();
    machine.run("network", &[]).ok();
    machine.run("join", &[]).ok();
    assert_eq!(server.events(), ["booted"]);
}

#[test]
fn a_ready_that_was_still_queued_makes_the_next_boot_a_ready_one() {
    let server = Server::in_stage("ready");
    let machine = Machine::at(&server.url);
    deployments(&machine, NEW, &[], None);
    machine.prints("ip", "[]");
    machine.write("var/lib/thirdboot/layered-in", "another boot\n");
    machine.write("var/lib/thirdboot/queue/000000001.json", r#"{"run":3,"event":"ready"}"#);
    assert_eq!(kind(&machine), "booted");
    assert_eq!(server.events(), ["ready", "booted"]);
}
