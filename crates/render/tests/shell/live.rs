use serde_json::{Value, json};

use crate::{
    disks::{coreos, disk, with_disks},
    machine::Machine,
    server::{Server, problem},
};

#[test]
fn the_live_system_says_which_machine_it_is() {
    let server = Server::in_stage("live");
    let machine = Machine::at(&server.url);
    machine.run("live", &[]).ok();
    let dmi = json!({"serial": "S3RI4L", "product": "Model 1"});
    assert_eq!(
        server.report("live")["facts"],
        json!({"dmi": dmi, "macs": ["52:54:00:00:00:01"]})
    );
}

/// A live system whose installer just ended well: its new disk has a boot file system.
fn after_the_installer(server: &Server) -> Machine {
    let machine = Machine::at(&server.url);
    with_disks(&machine, &json!([disk("sda", "S1", &coreos("sda"))]), &[], "");
    machine.write(
        "run/thirdboot/disk.json",
        r#"{"path":"/dev/disk/by-id/ata-X","serial":"S1"}"#,
    );
    machine.write("etc/thirdboot/installed.ign", "{}");
    machine
}

#[test]
fn the_new_disk_is_marked_before_it_is_reported() {
    let server = Server::in_stage("installed");
    let machine = after_the_installer(&server);
    machine.run("installed", &[]).ok();
    assert_eq!(machine.calls("mount").len(), 1);
    assert!(
        machine.calls("mount")[0].starts_with("mount /dev/sda3 "),
        "{:?}",
        machine.calls("mount")
    );
    assert_eq!(
        machine.json("run/thirdboot/boot/thirdboot/install.json"),
        json!({"host": "node1", "run": 3})
    );
    let sha256 = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(
        server.report("installed")["facts"],
        json!({"image": "embedded", "version": "43.20260901.3.0", "disk_serial": "S1", "config_sha256": sha256})
    );
}

#[test]
fn the_first_boot_waits_for_no_network() {
    let server = Server::in_stage("installed");
    let machine = after_the_installer(&server);
    machine.write(
        "run/thirdboot/boot/ignition.firstboot",
        "set ignition_network_kcmdline='rd.neednet=1 rd.net.timeout.carrier=30'\n",
    );
    machine.run("installed", &[]).ok();
    assert_eq!(machine.read("run/thirdboot/boot/ignition.firstboot"), "");
}

#[test]
fn a_downloaded_image_is_named_with_its_version() {
    let server = Server::in_stage("installed");
    let machine = after_the_installer(&server);
    machine.plan(r#"{"host":"node1","run":3,"disk":null,"wipe":[],"version":"43.1","image":"http://x/y.raw.xz"}"#);
    machine.run("installed", &[]).ok();
    let facts = &server.report("installed")["facts"];
    assert_eq!(
        (&facts["image"], &facts["version"]),
        (&json!("http://x/y.raw.xz"), &json!("43.1"))
    );
}

#[test]
fn a_disk_without_a_boot_file_system_is_no_install() {
    let server = Server::in_stage("installing");
    let machine = after_the_installer(&server);
    with_disks(&machine, &json!([disk("sda", "S1", &json!([]))]), &[], "");
    assert_eq!(machine.run("installed", &[]).status, 1);
    assert_eq!(server.events(), [""; 0]);
    assert_eq!(
        machine.read("run/thirdboot/why"),
        "the installer left no file system labelled boot\n"
    );
}

#[test]
fn progress_is_reported_in_steps() {
    let server = Server::in_stage("installing");
    let machine = Machine::at(&server.url);
    // Two percent more at each look.
    machine.stub(
        "journalctl",
        "echo \"Read disk 1.0 GiB/2.0 GiB ($((2 * $(grep -c '^journalctl ' \"$THIRDBOOT_ROOT/calls\")))%)\"; echo done",
    );
    machine.run("progress", &[]).ok();
    let percents: Vec<u64> = server
        .seen()
        .iter()
        .map(|report| report.body["percent"].as_u64().unwrap())
        .collect();
    assert_eq!(percents.first(), Some(&2));
    assert!(percents.windows(2).all(|pair| pair[1] >= pair[0] + 5), "{percents:?}");
    assert_eq!(percents.last(), Some(&98));
}

#[test]
fn an_inspection_reports_disks_and_reboots() {
    let server = Server::in_stage("cancelled");
    let machine = Machine::at(&server.url);
    with_disks(
        &machine,
        &json!([disk("sda", "S1", &coreos("sda"))]),
        &[],
        r#"{"host":"node1","run":2}"#,
    );
    machine.run("inspect", &[]).ok();
    let facts: Value = server.report("note")["facts"].clone();
    assert_eq!(facts["inspection"], true);
    assert_eq!(facts["disks"][0]["previous"], json!({"host": "node1", "run": 2}));
    assert_eq!(facts["macs"], json!(["52:54:00:00:00:01"]));
    assert_eq!(machine.calls("systemctl"), ["systemctl --no-block reboot"]);
    assert!(machine.calls("wipefs").iter().all(|call| call.contains("--no-act")));
    assert_eq!(machine.calls("mount"), [""; 0]);
}

#[test]
fn an_inspection_that_nobody_wants_any_more_ends() {
    let server = Server::answering(|_| problem(409, "https://thirdboot.invalid/problems/run-over", "cancelled"));
    let machine = Machine::at(&server.url);
    with_disks(&machine, &json!([]), &[], "");
    machine.run("inspect", &[]).ok();
    assert_eq!(machine.calls("systemctl"), ["systemctl --no-block reboot"]);
}
