use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::machine::Machine;

/// A disk as `lsblk` tells it, with these partitions.
pub(crate) fn disk(name: &str, serial: &str, children: &Value) -> Value {
    json!({"name": name, "path": format!("/dev/{name}"), "type": "disk", "size": 500_000_000_000_u64, "rm": false,
        "ro": false, "serial": serial, "wwn": null, "model": "Model", "fstype": null, "label": null,
        "partlabel": null, "pttype": null, "mountpoint": null, "children": children})
}

/// A partition with a file system.
pub(crate) fn part(name: &str, partlabel: &str, fstype: Option<&str>, label: Option<&str>) -> Value {
    json!({"name": name, "path": format!("/dev/{name}"), "type": "part", "size": 1_000_000_000, "rm": false,
        "ro": false, "serial": null, "wwn": null, "model": null, "fstype": fstype, "label": label,
        "partlabel": partlabel, "pttype": "gpt", "mountpoint": null})
}

/// The partitions of a Fedora CoreOS.
pub(crate) fn coreos(disk: &str) -> Value {
    json!([
        part(&format!("{disk}1"), "BIOS-BOOT", None, None),
        part(&format!("{disk}2"), "EFI-SYSTEM", Some("vfat"), Some("EFI-SYSTEM")),
        part(&format!("{disk}3"), "boot", Some("ext4"), Some("boot")),
        part(&format!("{disk}4"), "root", Some("xfs"), Some("root")),
    ])
}

/// A machine with these disks; signatures beside those of `lsblk` by node; the mark that every boot partition carries.
pub(crate) fn with_disks(machine: &Machine, disks: &Value, signatures: &[(&str, &str)], mark: &str) {
    machine.prints("lsblk", &json!({"blockdevices": disks}).to_string());
    let mut cases = String::new();
    for (node, types) in signatures {
        let list: Vec<Value> = types
            .split(' ')
            .map(|kind| json!({"type": kind, "label": null}))
            .collect();
        let _ = writeln!(cases, "*/{node}) echo '{}' ;;", json!({"signatures": list}));
    }
    machine.stub("wipefs", &format!("case \"${{@: -1}}\" in\n{cases}esac"));
    machine.prints("debugfs", mark);
}

fn found(machine: &Machine) -> Vec<Value> {
    serde_json::from_str(&machine.run("disks", &[]).ok().stdout).unwrap()
}

fn holds(disks: &Value, signatures: &[(&str, &str)], mark: &str) -> Value {
    let machine = Machine::at("http://127.0.0.1:9");
    with_disks(&machine, disks, signatures, mark);
    found(&machine)[0]["holds"].clone()
}

#[test]
fn an_empty_disk_holds_nothing_and_has_its_links() {
    let machine = Machine::at("http://127.0.0.1:9");
    with_disks(&machine, &json!([disk("sda", "S1", &json!([]))]), &[], "");
    machine.link("dev/disk/by-id/wwn-0x5000", "../../sda");
    machine.link("dev/disk/by-id/ata-MODEL_S1", "../../sda");
    // Named for what the disk holds: it goes with a wipe.
    machine.link("dev/disk/by-id/lvm-pv-uuid-0", "../../sda");
    machine.link("dev/disk/by-path/pci-0000", "../../sda");
    machine.link("dev/disk/by-id/ata-MODEL_S1-part1", "../../sda1");
    assert_eq!(
        found(&machine),
        [json!({
            "path": "/dev/disk/by-id/ata-MODEL_S1",
            "links": ["/dev/disk/by-id/wwn-0x5000", "/dev/disk/by-path/pci-0000"],
            "serial": "S1", "wwn": null, "model": "Model", "size_bytes": 500_000_000_000_u64,
            "removable": false, "read_only": false, "previous": null, "holds": [],
        })]
    );
}

#[test]
fn an_empty_partition_table_holds_nothing() {
    // What the installer leaves when it fails.
    assert_eq!(
        holds(&json!([disk("sda", "S1", &json!([]))]), &[("sda", "gpt gpt PMBR")], ""),
        json!([])
    );
}

/// A signature as `wipefs` names it, and the word of a claim.
const WORDS: [(&str, &str); 14] = [
    ("ceph_bluestore", "ceph-bluestore"),
    ("LVM2_member", "lvm"),
    ("linux_raid_member", "md"),
    ("isw_raid_member", "md"),
    ("zfs_member", "zfs"),
    ("crypto_LUKS", "luks"),
    ("btrfs", "btrfs"),
    ("xfs", "xfs"),
    ("ext3", "ext4"),
    ("vfat", "vfat"),
    ("ntfs", "ntfs"),
    ("swap", "swap"),
    ("hfsplus", "other"),
    ("PMBR", "partition-table"),
];

#[test]
fn everything_recognisable_is_named() {
    let machine = Machine::at("http://127.0.0.1:9");
    let names: Vec<String> = (0..WORDS.len()).map(|at| format!("nvme{at}n1")).collect();
    let disks: Vec<Value> = names.iter().map(|name| disk(name, name, &json!([]))).collect();
    let signatures: Vec<(&str, &str)> = names
        .iter()
        .zip(WORDS)
        .map(|(name, (signature, _))| (name.as_str(), signature))
        .collect();
    with_disks(&machine, &json!(disks), &signatures, "");
    for (disk, (signature, word)) in found(&machine).iter().zip(WORDS) {
        assert_eq!(disk["holds"], json!([word]), "{signature}");
    }
}

#[test]
fn partitions_and_what_lies_on_them_count() {
    let mut pv = part("sda2", "", Some("LVM2_member"), None);
    pv["children"] = json!([{"name": "vg-lv", "path": "/dev/mapper/vg-lv", "type": "lvm", "fstype": "xfs",
        "label": null, "mountpoint": null}]);
    let disks = json!([disk(
        "sda",
        "S1",
        &json!([part("sda1", "", Some("ext4"), Some("boot")), pv])
    )]);
    assert_eq!(
        holds(&disks, &[], ""),
        json!(["boot-label", "ext4", "lvm", "partition-table", "xfs"])
    );
}

#[test]
fn a_disk_that_cannot_be_read_holds_something() {
    let machine = Machine::at("http://127.0.0.1:9");
    with_disks(&machine, &json!([disk("sda", "S1", &json!([]))]), &[], "");
    machine.stub("wipefs", "exit 1");
    assert_eq!(found(&machine)[0]["holds"], json!(["other"]));
}

#[test]
fn an_earlier_install_of_ours_is_vouched_for_by_its_mark() {
    let machine = Machine::at("http://127.0.0.1:9");
    with_disks(
        &machine,
        &json!([disk("sda", "S1", &coreos("sda"))]),
        &[],
        r#"{"host":"node1","run":2}"#,
    );
    let found = found(&machine);
    assert_eq!(found[0]["previous"], json!({"host": "node1", "run": 2}));
    assert_eq!(found[0]["holds"], json!([]));
}

#[test]
fn a_partition_beside_our_own_is_still_named() {
    let mut parts = coreos("sda");
    parts
        .as_array_mut()
        .unwrap()
        .push(part("sda5", "data", Some("ceph_bluestore"), None));
    let disks = json!([disk("sda", "S1", &parts)]);
    assert_eq!(
        holds(&disks, &[], r#"{"host":"node1","run":2}"#),
        json!(["ceph-bluestore", "partition-table"])
    );
}

#[test]
fn a_coreos_without_a_mark_or_with_a_strange_one_is_foreign() {
    for mark in [
        "",
        "rubbish",
        r#"{"host":"Node 1","run":2}"#,
        r#"{"host":"node1","run":"2"}"#,
        r#"{"host":"node1"}"#,
    ] {
        let disks = json!([disk("sda", "S1", &coreos("sda"))]);
        let expected = json!(["boot-label", "ext4", "partition-table", "vfat", "xfs"]);
        assert_eq!(holds(&disks, &[], mark), expected, "{mark}");
    }
}

#[test]
fn what_is_no_disk_of_the_machine_is_left_out() {
    let machine = Machine::at("http://127.0.0.1:9");
    let mut medium = disk("sdb", "S2", &json!([]));
    medium["mountpoint"] = json!("/run/media/iso");
    let mut card_reader = disk("sdc", "S3", &json!([]));
    card_reader["size"] = json!(0);
    let disks = json!([disk("zram0", "", &json!([])), medium, card_reader, {"name": "loop0", "path": "/dev/loop0",
        "type": "loop", "size": 1}, disk("nvme0n1", "S4", &json!([]))]);
    with_disks(&machine, &disks, &[], "");
    let serials: Vec<_> = found(&machine).iter().map(|disk| disk["serial"].clone()).collect();
    assert_eq!(serials, ["S4"]);
}
