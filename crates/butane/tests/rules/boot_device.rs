//! Mirrored and encrypted boot devices, and the boot loader's passwords.

use serde_json::{Value, json};

use crate::{findings, json as translate};

fn parts(layout: &str) -> Vec<(String, i64)> {
    let json = translate(
        7,
        &format!("boot_device: {{layout: {layout}, mirror: {{devices: [/dev/a, /dev/b]}}}}\n"),
    );
    json["storage"]["disks"][1]["partitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| {
            (
                part["label"].as_str().unwrap().to_owned(),
                part["sizeMiB"].as_i64().unwrap_or(0),
            )
        })
        .collect()
}

#[test]
fn each_architecture_has_its_partitions() {
    let named = |parts: [(&str, i64); 4]| parts.map(|(label, size)| (label.to_owned(), size)).to_vec();
    assert_eq!(
        parts("x86_64"),
        named([("bios-2", 1), ("esp-2", 127), ("boot-2", 384), ("root-2", 0)])
    );
    assert_eq!(
        parts("aarch64"),
        named([("reserved-2", 1), ("esp-2", 127), ("boot-2", 384), ("root-2", 0)])
    );
    assert_eq!(
        parts("ppc64le"),
        named([("prep-2", 4), ("reserved-2", 1), ("boot-2", 384), ("root-2", 0)])
    );
}

#[test]
fn a_mirror_in_full() {
    let json = translate(
        3,
        "boot_device: {layout: x86_64, mirror: {devices: [/dev/a, /dev/b]}}\n",
    );
    insta::assert_json_snapshot!(json["storage"]);
}

#[test]
fn encryption_alone_and_on_a_mirror() {
    let alone = translate(5, "boot_device: {luks: {tpm2: true, discard: true}}\n");
    assert_eq!(
        alone["storage"],
        json!({
            "filesystems": [{"device": "/dev/mapper/root", "format": "xfs", "label": "root", "wipeFilesystem": true}],
            "luks": [{
                "clevis": {"tpm2": true}, "device": "/dev/disk/by-partlabel/root", "discard": true,
                "label": "luks-root", "name": "root", "wipeVolume": true,
            }],
        })
    );
    let mirrored = translate(
        5,
        "boot_device: {layout: x86_64, luks: {tang: [{url: \"http://t\", thumbprint: x}], threshold: 1}, mirror: {devices: [/dev/a, /dev/b]}}\n",
    );
    assert_eq!(mirrored["storage"]["luks"][0]["device"], "/dev/md/md-root");
    assert_eq!(mirrored["storage"]["filesystems"][3]["device"], "/dev/mapper/root");
}

#[test]
fn s390x() {
    let luks = |layout: &str, device: &str| {
        let json = translate(
            6,
            &format!("boot_device: {{layout: {layout}, luks: {{tpm2: true{device}}}}}\n"),
        );
        json["storage"]["luks"][0]["device"].clone()
    };
    assert_eq!(luks("s390x-eckd", ", device: /dev/dasda"), "/dev/dasda2");
    assert_eq!(luks("s390x-zfcp", ", device: /dev/sda"), "/dev/sda4");
    assert_eq!(luks("s390x-virt", ""), "/dev/disk/by-partlabel/root");
    for (layout, more, errors) in [
        ("s390x-eckd", "luks: {tpm2: true}", 1),
        ("s390x-eckd", "luks: {tpm2: true, device: /dev/sda}", 1),
        ("s390x-zfcp", "luks: {tpm2: true, device: /dev/sda1}", 1),
        ("s390x-virt", "mirror: {devices: [/dev/a, /dev/b]}", 1),
        ("x86_64", "luks: {cex: {enabled: true}}", 1),
        ("s390x-virt", "luks: {cex: {enabled: true}, tpm2: true}", 1),
        ("s390x-virt", "luks: {cex: {enabled: true}}", 0),
    ] {
        assert_eq!(
            findings(6, &format!("boot_device: {{layout: {layout}, {more}}}\n")).len(),
            errors,
            "{layout} {more}"
        );
    }
    assert_eq!(
        findings(6, "boot_device: {luks: {cex: {enabled: true}}}\n"),
        ["error 3:27"]
    );
    assert_eq!(findings(5, "boot_device: {layout: s390x-virt}\n"), ["error 3:23"]);
    let no_method = "boot_device: {layout: s390x-eckd, luks: {device: /dev/dasda}}\n";
    assert_eq!((findings(6, no_method).len(), findings(7, no_method).len()), (0, 1));
}

#[test]
fn a_mirror_names_its_layout_and_has_two_disks() {
    let body = "boot_device:\n  mirror: {devices: [/dev/a, /dev/b]}\n";
    assert_eq!(findings(3, body), ["warning 4:11"]);
    assert_eq!(findings(6, body), ["warning 4:11"]);
    assert_eq!(findings(7, body), ["error 4:11"]);
    // Said twice, as Butane does.
    let one = "boot_device:\n  layout: x86_64\n  mirror: {devices: [/dev/a]}\n";
    assert_eq!(findings(7, one), ["error 5:21", "error 5:21"]);
    assert_eq!(findings(7, "boot_device: {layout: riscv64}\n"), ["error 3:23"]);
}

#[test]
fn the_user_wins_over_what_is_generated_and_lists_append() {
    let json = translate(
        7,
        "boot_device: {layout: x86_64, mirror: {devices: [/dev/a, /dev/b]}}
storage:
  disks:
    - device: /dev/a
      partitions: [{label: root-1, size_mib: 10000}, {label: var-1}]
    - device: /dev/z
  raid: [{name: md-boot, options: [--x]}, {name: md-var, level: raid1, devices: [/dev/p, /dev/q]}]
  filesystems: [{device: /dev/md/md-root, label: mine, format: ext4}]
",
    );
    let storage = &json["storage"];
    let labels = |disk: &Value| {
        disk["partitions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part["label"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        labels(&storage["disks"][0]),
        ["bios-1", "esp-1", "boot-1", "root-1", "var-1"]
    );
    assert_eq!(storage["disks"][0]["partitions"][3]["sizeMiB"], 10000);
    assert_eq!(storage["disks"][2], json!({"device": "/dev/z"}));
    assert_eq!(storage["raid"][0]["options"], json!(["--metadata=1.0", "--x"]));
    assert_eq!(storage["raid"][2]["name"], "md-var");
    let root = &storage["filesystems"][3];
    assert_eq!(
        (root["label"].as_str(), root["format"].as_str()),
        (Some("mine"), Some("ext4"))
    );
}

#[test]
fn errors_in_what_is_generated_are_found_where_they_were_caused() {
    let body = "boot_device:\n  layout: x86_64\n  mirror: {devices: [a, /dev/b]}\n";
    assert_eq!(findings(7, body), ["error 5:22"]);
    // What nobody wrote stands nowhere.
    let tang = "boot_device:\n  luks:\n    tang: [{url: \"ftp://t\"}]\n";
    assert_eq!(findings(7, tang), ["error 5:18", "error 1:1"]);
}

#[test]
fn grub_passwords() {
    let json = translate(
        5,
        "grub: {users: [{name: root, password_hash: h1}, {name: b, password_hash: h2}]}\nstorage: {files: [{path: /z}]}\n",
    );
    let storage = &json["storage"];
    assert_eq!(
        storage["filesystems"],
        json!([{"device": "/dev/disk/by-label/boot", "format": "ext4", "path": "/boot"}])
    );
    assert_eq!(storage["files"][0]["path"], "/boot/grub2/user.cfg");
    assert_eq!(
        storage["files"][0]["append"],
        json!([{"compression": "", "source": "data:,%23%20Generated%20by%20Butane%0A%0Aset%20superusers%3D%22root%20b%22%0Apassword_pbkdf2%20root%20h1%0Apassword_pbkdf2%20b%20h2%0A"}])
    );
    assert_eq!(storage["files"][1]["path"], "/z");
    assert_eq!(findings(5, "grub: {users: [{}]}\n"), ["error 3:16", "error 3:16"]);
}
