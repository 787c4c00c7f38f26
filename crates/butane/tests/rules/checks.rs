//! Partitions, volumes, arrays and units: what is wrong and what is only odd.

use crate::{accepts, findings};

fn disk(minor: u8, more: &str, partitions: &str) -> Vec<String> {
    findings(
        minor,
        &format!("storage:\n  disks:\n    - device: /dev/a\n      partitions: [{partitions}]\n{more}"),
    )
}

#[test]
fn reserved_labels_have_their_numbers() {
    for (label, number) in [
        ("BIOS-BOOT", 1),
        ("PowerPC-PReP-boot", 1),
        ("EFI-SYSTEM", 2),
        ("boot", 3),
    ] {
        assert_eq!(disk(5, "", &format!("{{label: {label}, number: {number}}}")), [""; 0]);
        assert_eq!(
            disk(5, "", &format!("{{label: {label}, number: 9}}")),
            ["warning 6:28"],
            "{label}"
        );
        assert_eq!(
            disk(5, "      wipe_table: true\n", &format!("{{label: {label}, number: 9}}")),
            [""; 0]
        );
    }
}

#[test]
fn root_needs_room() {
    assert_eq!(
        disk(3, "", "{label: root, number: 4, size_mib: 8191}"),
        ["warning 6:55"]
    );
    assert_eq!(disk(2, "", "{label: root, number: 4, size_mib: 8191}"), [""; 0]);
    assert_eq!(disk(3, "", "{label: root, number: 4, size_mib: 8192}"), [""; 0]);
    assert_eq!(
        disk(
            3,
            "",
            "{label: root, number: 4}, {label: v, number: 5, start_mib: 9000}"
        ),
        [""; 0]
    );
    assert_eq!(
        disk(3, "", "{label: root, number: 4}, {label: v, number: 5}"),
        ["warning 6:28"]
    );
}

#[test]
fn partitions_are_not_reused_by_label() {
    assert_eq!(disk(6, "", "{label: x}"), ["warning 6:20"]);
    assert_eq!(disk(5, "", "{label: x}"), [""; 0]);
    assert_eq!(disk(6, "      wipe_table: true\n", "{label: x}"), [""; 0]);
    assert!(
        findings(
            6,
            "storage: {disks: [{device: /dev/disk/by-id/coreos-boot-disk, partitions: [{label: x}]}]}\n"
        )
        .is_empty()
    );
    let mirrored = "boot_device: {layout: x86_64, mirror: {devices: [/dev/a, /dev/b]}}\n";
    assert_eq!(disk(6, mirrored, "{label: x}"), [""; 0]);
}

#[test]
fn partitions_that_cannot_be() {
    let bytes = "\u{e9}".repeat(18);
    assert_eq!(disk(5, "", &format!("{{label: {bytes}, number: 1}}")), [""; 0]);
    for (partitions, errors) in [
        ("{}", 1),
        ("{label: a:b, number: 1}", 1),
        (&*format!("{{label: {bytes}x, number: 1}}"), 1),
        ("{number: 1, guid: x}", 1),
        ("{number: 1, type_guid: \"\"}", 0),
        ("{number: 1, should_exist: false, size_mib: 1}", 1),
        ("{number: 1, should_exist: false}", 0),
        ("{number: 1, should_exist: false}, {label: a}", 1),
        ("{number: 1}, {number: 1}", 2),
        ("{number: 1, label: a}, {number: 2, label: a}", 1),
        ("{label: a}, {label: a}", 2),
        (
            "{number: 1, start_mib: 1, size_mib: 9}, {number: 2, start_mib: 10, size_mib: 5}",
            0,
        ),
        (
            "{number: 1, start_mib: 1, size_mib: 10}, {number: 2, start_mib: 10, size_mib: 5}",
            1,
        ),
        (
            "{number: 1, start_mib: 5, size_mib: 0}, {number: 2, start_mib: 1, size_mib: 9}",
            1,
        ),
        (
            "{number: 1, start_mib: 0, size_mib: 9}, {number: 2, start_mib: 0, size_mib: 9}",
            0,
        ),
    ] {
        assert_eq!(disk(5, "", partitions).len(), errors, "{partitions}");
    }
}

#[test]
fn the_other_one_of_two_overlapping_partitions_is_blamed() {
    let body = "storage:\n  disks:\n    - device: /dev/a\n      partitions:\n        - {number: 1, start_mib: 50, size_mib: 9}\n        - {number: 2, start_mib: 1, size_mib: 5}\n        - {number: 3, start_mib: 2, size_mib: 9}\n";
    assert_eq!(findings(5, body), ["error 9:11"]);
}

#[test]
fn filesystems() {
    let filesystem = |text: &str| {
        findings(
            7,
            &format!("storage:\n  filesystems:\n    - {{device: /dev/a, {text}}}\n"),
        )
        .len()
    };
    for (text, errors) in [
        ("format: ext4, label: 0123456789abcdef", 0),
        ("format: ext4, label: 0123456789abcdefg", 1),
        ("format: xfs, label: 0123456789abc", 1),
        ("format: vfat, label: 0123456789ab", 1),
        ("format: swap, label: 0123456789abcdef", 1),
        ("format: none", 0),
        ("format: ext3", 1),
        ("format: \"\"", 0),
        ("label: a", 2),
        ("uuid: a", 1),
        ("wipe_filesystem: true", 1),
        ("options: [-x, -x], format: xfs, mount_options: [a, a]", 0),
    ] {
        assert_eq!(filesystem(text), errors, "{text}");
    }
    assert!(!accepts(
        3,
        "storage: {filesystems: [{device: /dev/a, format: none}]}\n"
    ));
    let over =
        "storage:\n  disks: [{device: /dev/a, PARTS}]\n  filesystems:\n    - device: /dev/a\n      format: xfs\n";
    assert_eq!(
        findings(5, &over.replace("PARTS", "partitions: [{number: 1}]")),
        ["warning 6:15"]
    );
    assert_eq!(
        findings(5, &over.replace("PARTS", "wipe_table: true")),
        ["warning 6:15"]
    );
}

#[test]
fn arrays() {
    let raid = |minor: u8, text: &str| accepts(minor, &format!("storage: {{raid: [{{name: r, {text}}}]}}\n"));
    assert!(raid(7, "level: raid1, devices: [/dev/a], spares: 1, options: [-v, -v]"));
    assert!(raid(7, "level: stripe, devices: [/dev/a], spares: 0"));
    for text in [
        "level: stripe, devices: [/dev/a], spares: 1",
        "level: raid7, devices: [/dev/a]",
        "devices: [/dev/a]",
        "level: raid1",
        "level: raid1, devices: [a]",
        "level: raid1, devices: [/dev/a, /dev/a]",
    ] {
        assert!(!raid(7, text), "{text}");
    }
    assert!(raid(3, "level: raid1"));
}

#[test]
fn volumes() {
    let luks = |minor: u8, text: &str| {
        findings(
            minor,
            &format!("storage:\n  luks:\n    - {{name: d, device: /dev/a, {text}}}\n"),
        )
        .len()
    };
    for (text, errors) in [
        ("options: [--x, --x]", 0),
        ("clevis: {tpm2: true, threshold: 1}", 0),
        ("clevis: {custom: {pin: tang, config: c}}", 0),
        ("clevis: {custom: {pin: tang, config: c}, tpm2: true}", 1),
        ("clevis: {custom: {pin: what, config: c}}", 1),
        ("clevis: {custom: {config: c}}", 1),
        ("clevis: {custom: {pin: sss}}", 1),
        ("clevis: {custom: {needs_network: true}}", 2),
        (
            "clevis: {tang: [{url: \"http://t\", thumbprint: x, advertisement: \"{}\"}]}",
            0,
        ),
        (
            "clevis: {tang: [{url: \"http://t\", thumbprint: x, advertisement: \"{\"}]}",
            1,
        ),
        ("clevis: {tang: [{url: \"http://t\"}]}", 1),
        ("clevis: {tang: [{thumbprint: x}]}", 1),
        ("cex: {enabled: true}", 0),
        ("cex: {enabled: true}, clevis: {tpm2: true}", 1),
        (&*format!("label: {}", "l".repeat(48)), 1),
    ] {
        assert_eq!(luks(7, text), errors, "{text}");
    }
    assert_eq!(luks(3, "clevis: {custom: {needs_network: true}}"), 0);
    assert_eq!(findings(7, "storage: {luks: [{name: a/b}]}\n").len(), 2);
}

#[test]
fn empty_clevis_is_kept_up_to_1_3() {
    let clevis = |minor: u8, text: &str| {
        let body = format!("storage: {{luks: [{{name: d, device: /dev/a, clevis: {text}}}]}}\n");
        crate::json(minor, &body)["storage"]["luks"][0].get("clevis").cloned()
    };
    assert_eq!(clevis(3, "{}"), Some(serde_json::json!({})));
    assert_eq!(
        clevis(3, "{custom: {}}"),
        Some(serde_json::json!({"custom": {"config": "", "pin": ""}}))
    );
    assert_eq!(clevis(4, "{}"), None);
    assert_eq!(clevis(4, "{custom: {}}"), None);
}

#[test]
fn units() {
    let unit = |text: &str| findings(7, &format!("systemd:\n  units:\n    - {text}\n")).len();
    for (text, found) in [
        ("{name: a.service}", 0),
        ("{name: a@1.socket}", 0),
        ("{name: a.container}", 1),
        ("{name: a}", 1),
        ("{name: a.service, enabled: true, contents: \"[Unit]\\nA=b\"}", 1),
        ("{name: a.service, enabled: true, contents: \"[Install]\\n\"}", 1),
        (
            "{name: a.service, enabled: true, contents: \"[Install]\\nWantedBy=x\"}",
            0,
        ),
        ("{name: a.service, enabled: true}", 0),
        ("{name: a.service, contents: \"[Service\"}", 1),
        ("{name: a.service, contents: \"[Service] x\"}", 1),
        ("{name: a.service, contents: \"[Service]\\nfoo\"}", 1),
        ("{name: a.service, contents: \"[Service]\\nfoo\\nb=c\"}", 1),
        ("{name: a.service, contents: \"foo\"}", 0),
        (
            "{name: a.service, contents: \"[Service]\\n# foo\\n; bar\\n\\na=b\\\\\\n  c\\\\\\nd\"}",
            0,
        ),
        ("{name: a.service, contents: \"# a\\\\\\n[Service\"}", 0),
        ("{name: a.service, dropins: [{name: a.conf}, {name: b.txt}]}", 1),
        ("{name: a.service, dropins: [{name: a.conf}, {name: a.conf}]}", 1),
        ("{name: a.service, dropins: [{name: a.conf, contents: \"[\"}]}", 1),
    ] {
        assert_eq!(unit(text), found, "{text}");
    }
    let long = |len: usize| {
        unit(&format!(
            "{{name: a.service, contents: \"[S]\\nA={}\"}}",
            "x".repeat(len)
        ))
    };
    assert_eq!((long(2040), long(2048)), (0, 1));
}

#[test]
fn duplicates() {
    for body in [
        "passwd: {users: [{name: a}, {name: a}]}\n",
        "passwd: {groups: [{name: a}, {name: a}]}\n",
        "passwd: {users: [{name: a, groups: [b, b]}]}\n",
        "passwd: {users: [{name: a, ssh_authorized_keys: [b, b]}]}\n",
        "kernel_arguments: {should_exist: [a, a]}\n",
        "kernel_arguments: {should_exist: [a], should_not_exist: [a]}\n",
        "systemd: {units: [{name: a.service}, {name: a.service}]}\n",
        "storage: {disks: [{device: /dev/a}, {device: /dev/a}]}\n",
        "storage: {filesystems: [{device: /dev/a}, {device: /dev/a}]}\n",
        "storage: {luks: [{name: a, device: /dev/a}, {name: a, device: /dev/b}]}\n",
        "ignition: {security: {tls: {certificate_authorities: [{source: \"data:,a\"}, {source: \"data:,a\"}]}}}\n",
    ] {
        assert_eq!(findings(7, body).len(), 1, "{body}");
    }
}

#[test]
fn an_early_phase_hides_the_later_ones() {
    // An unknown key and an odd mode are told of together with the errors of the result …
    let body = "foo: 1\nstorage: {files: [{path: a, mode: 644}]}\n";
    assert_eq!(findings(7, body), ["warning 3:1", "warning 4:35", "error 4:26"]);
    // … but not if a local file was missing, or Butane's own rules were broken.
    assert_eq!(
        findings(7, "storage: {files: [{path: a, contents: {local: x}}]}\n"),
        ["error 3:47"]
    );
    assert_eq!(
        findings(
            7,
            "grub: {users: [{name: a}]}\nstorage: {files: [{path: a, contents: {local: x}}]}\n"
        ),
        ["error 3:16"]
    );
}
