use std::collections::BTreeSet;
use std::fmt::Write as _;

use thirdboot_butane::ignition::{Config, from_slice};
use thirdboot_lifecycle::{Host, Role};

use super::*;
use crate::{documents, samples, samples::Run};

mod merging;
mod properties;

/// A template of these lines below `variant` and `version`.
fn template(lines: &str) -> Template {
    Template::parse("t", &format!("variant: fcos\nversion: 1.5.0\n{lines}")).unwrap()
}

fn file(path: &str, inline: &str) -> String {
    format!("storage:\n  files:\n    - path: {path}\n      contents:\n        inline: {inline}\n")
}

fn rack() -> Host {
    let mut host = samples::host("node1");
    host.labels.insert("rack".to_owned(), "r7".to_owned());
    host
}

/// What refuses the template for `node1` in rack r7, one a line.
fn refusals(lines: &str) -> String {
    match template(lines).render(&rack()) {
        Ok(_) => "taken\n".to_owned(),
        Err(faults) => faults.iter().fold(String::new(), |mut text, fault| {
            let _ = writeln!(text, "{fault}");
            text
        }),
    }
}

fn content(config: &Config, path: &str) -> String {
    let file = config
        .storage
        .files
        .iter()
        .find(|file| file.path == path)
        .expect("the file");
    samples::text(&file.contents)
}

#[test]
fn a_string_is_rendered_over_the_hosts_facts() {
    let text = file(
        "/etc/motd",
        "\"{{ host.name }} in {{ host.labels.rack }}{% if host.cluster is defined %}!{% endif %}\"",
    );
    let config = template(&text).render(&rack()).unwrap();
    assert_eq!(content(&config, "/etc/motd"), "node1 in r7");
}

#[test]
fn what_does_not_render_says_line_and_column() {
    let mut all = String::new();
    for lines in [
        &*file("/etc/a", "\"{{ host.labels.row }}\""),
        &file("/etc/a", "x {{ host.labels.row }}"),
        "storage:\n  files:\n    - path: /etc/a\n      contents:\n        inline: |\n          one\n          two {{ host.nmae }}\n",
        "storage:\n  files:\n    - path: /etc/a\n      contents:\n        inline: |\n          one\n            deep {{ host.name\n          two\n",
        "storage:\n  files:\n    - path: /etc/a\n      contents:\n        inline: >\n          folded\n          {{ nothing }}\n",
        &file("/etc/{{ host.labels.row }}", "x"),
        &file("/etc/a", "\"{{ host.name|shout }}\""),
        &file("/etc/a", "\"{% include 'x' %}\""),
        &file("/etc/a", "\"{{ debug() }}\""),
        &file("/etc/a", "\"{{ script('join.sh') }}\""),
        &file("/etc/a", "\"{{ run }}\""),
    ] {
        all.push_str(&refusals(lines));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_is_no_butane_says_line_and_column() {
    let mut all = String::new();
    for lines in [
        "storage:\n  files:\n    - path: /etc/a\n      content:\n        inline: x\n",
        "storage:\n  files:\n    - path: etc/a\n",
        "storage:\n  files:\n    - path: /etc/a\n      mode: '0644'\n",
        "storage:\n  files:\n    - path: /etc/a\n      contents:\n        local: secret.txt\n",
        "storage:\n  trees:\n    - local: etc\n",
    ] {
        all.push_str(&refusals(lines));
    }
    for text in [
        "a: [",
        "variant: fcos\nversion: 9.9.9\n",
        "variant: flatcar\nversion: 1.0.0\n",
        "{{ host.name }}",
        "",
    ] {
        let faults = Template::parse("t", text)
            .and_then(|template| template.render(&rack()))
            .unwrap_err();
        let _ = writeln!(all, "{}", faults[0]);
    }
    let long = Template::parse("t", &"#".repeat(MAX_TEMPLATE_BYTES + 1)).unwrap_err();
    let _ = writeln!(all, "{}", long[0]);
    insta::assert_snapshot!(all);
}

#[test]
fn what_is_reserved_is_refused_by_name() {
    let mut all = String::new();
    let paths = [
        "/etc/thirdboot/reporter.env",
        "/etc/thirdboot",
        "/etc",
        "/var/lib/thirdboot/x",
        "/usr/local/bin/thirdboot-report",
        "/var/usrlocal/bin/thirdboot-report",
        "/usr/local/lib/thirdboot.sh",
        "/etc/hostname",
        "/etc/NetworkManager/system-connections/eth0.nmconnection",
        "/etc/coreos/installer.d/99.yaml",
        "/etc/rancher/k3s/config.yaml",
        "/etc/rancher/k3s/config.yaml.d/10.yaml",
        "/etc/rancher/k3s",
        "/etc/zincati/config.d/90-disable-updates.toml",
        "/run/x",
        "/var/run/x",
        "/tmp/x",
        "/usr/bin/x",
        "/dev/x",
        "/etc/systemd/system/thirdboot-boot.service",
        "/etc/systemd/system/k3s.service.d/10.conf",
        "/etc/systemd/system/service.d/10.conf",
        "/etc/systemd/system/multi-user.target.wants/thirdboot-boot.service",
        "/usr/local/lib/systemd/system/thirdboot-.service.d/10.conf",
        "/etc/systemd/system-generators/x",
    ];
    for path in paths {
        all.push_str(&refusals(&file(path, "x")));
    }
    for lines in [
        "systemd:\n  units:\n    - name: thirdboot-send.timer\n      mask: true\n",
        "systemd:\n  units:\n    - name: k3s.service\n      dropins: [{name: a.conf, contents: x}]\n",
        "systemd:\n  units:\n    - name: etc-thirdboot.mount\n      contents: |\n        [Mount]\n        What=tmpfs\n        Where=/etc/thirdboot\n",
        "storage:\n  directories:\n    - path: /etc\n      overwrite: true\n",
        "storage:\n  links:\n    - path: /etc/a\n      target: thirdboot/reporter.env\n",
        "storage:\n  links:\n    - path: /etc/systemd/system/thirdboot-boot.service\n      target: /dev/null\n",
        "storage:\n  filesystems:\n    - device: /dev/disk/by-id/x\n      format: ext4\n      path: /etc/thirdboot\n",
        &*file("\"/etc/third{{ 'boot' }}/x\"", "x"),
    ] {
        all.push_str(&refusals(lines));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_people_want_is_taken() {
    for lines in [
        &*file("/etc/rancher/k3s/registries.yaml", "x"),
        &file("/var/lib/rancher/k3s/server/manifests/a.yaml", "x"),
        &file("/usr/local/bin/mine", "x"),
        &file("/etc/sysctl.d/90-mine.conf", "x"),
        &file("/etc/systemd/system/mine.service.d/10.conf", "x"),
        "storage:\n  links:\n    - path: /etc/localtime\n      target: ../usr/share/zoneinfo/Europe/Berlin\n      overwrite: true\n",
        "storage:\n  directories:\n    - path: /var/srv/data\n      mode: 0750\n",
        "systemd:\n  units:\n    - name: mine.service\n      enabled: true\n      contents: |\n        [Service]\n        ExecStart=/bin/true\n        [Install]\n        WantedBy=multi-user.target\n    - name: systemd-resolved.service\n      mask: true\n",
        "passwd:\n  users:\n    - name: core\n      ssh_authorized_keys: ['ssh-ed25519 AAAA you']\n    - name: deploy\n      groups: [wheel]\n",
        "kernel_arguments:\n  should_exist: ['mitigations=auto,nosmt']\n",
        "storage:\n  disks:\n    - device: /dev/disk/by-id/coreos-boot-disk\n      wipe_table: false\n      partitions: [{number: 4, label: root, size_mib: 20000, resize: true}, {label: var, size_mib: 0}]\n  filesystems:\n    - device: /dev/disk/by-partlabel/var\n      path: /var\n      format: xfs\n      wipe_filesystem: true\n      with_mount_unit: true\n",
        "boot_device:\n  luks:\n    tpm2: true\n",
        "storage:\n  filesystems:\n    - device: /dev/disk/by-id/data\n      path: /var/lib/data\n      format: xfs\n      with_mount_unit: true\n",
    ] {
        assert_eq!(refusals(lines), "taken\n", "{lines}");
    }
}

#[test]
fn nothing_is_wiped_that_no_permit_named() {
    let mut all = String::new();
    for lines in [
        "storage:\n  disks:\n    - device: /dev/disk/by-id/data\n      wipe_table: true\n",
        "storage:\n  disks:\n    - device: /dev/disk/by-id/data\n      partitions: [{number: 1, should_exist: false}]\n",
        "storage:\n  disks:\n    - device: /dev/disk/by-id/data\n      partitions: [{number: 1, label: a, size_mib: 10, wipe_partition_entry: true}]\n",
        "storage:\n  filesystems:\n    - device: /dev/disk/by-id/data\n      format: ext4\n      wipe_filesystem: true\n",
        "storage:\n  luks:\n    - name: data\n      device: /dev/disk/by-id/data\n      clevis: {tpm2: true}\n      wipe_volume: true\n",
        "storage:\n  raid:\n    - name: data\n      level: raid1\n      devices: [/dev/disk/by-id/a, /dev/disk/by-id/b]\n",
        "boot_device:\n  mirror:\n    devices: [/dev/disk/by-id/a, /dev/disk/by-id/b]\n",
    ] {
        all.push_str(&refusals(lines));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn nothing_is_fetched_and_no_config_hides_in_a_config() {
    let mut all = String::new();
    for lines in [
        "storage:\n  files:\n    - path: /etc/a\n      contents:\n        source: https://example.net/a\n",
        "storage:\n  files:\n    - path: /etc/a\n      append:\n        - source: s3://bucket/a\n",
        "storage:\n  files:\n    - path: /etc/a\n      contents:\n        source: 'https://example.net/{{ host.name }}'\n",
        "ignition:\n  config:\n    merge:\n      - inline: '{\"ignition\": {\"version\": \"3.4.0\"}}'\n",
        "ignition:\n  config:\n    replace:\n      source: https://example.net/x.ign\n",
        "ignition:\n  proxy:\n    http_proxy: http://192.0.2.1\n",
        "kernel_arguments:\n  should_exist: [ignition.firstboot]\n",
    ] {
        all.push_str(&refusals(lines));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_template_that_does_too_much_is_ended() {
    for inline in [
        "\"{% for a in range(10000) %}{% for b in range(10000) %}{{ b }}{% endfor %}{% endfor %}\"",
        "\"{{ 'x' * 1000000000 }}\"",
        "\"{% set x = 'xxxxxxxx' %}{% set ns = namespace(x=x) %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}\"",
        "\"{{ '%1000000000d'|format(1) }}\"",
        "\"{{ 'x'|indent(1000000000) }}\"",
        "\"{% for a in [1] recursive %}{{ loop([a, a]) }}{% endfor %}\"",
    ] {
        let told = refusals(&file("/etc/a", inline));
        assert!(told.starts_with("t, line "), "{inline}: {told}");
    }
    // The budget is the document's, not the string's.
    let one = "    - path: /etc/a@\n      contents: {inline: \"{% for i in range(9000) %}x{% endfor %}\"}\n";
    let many: String = (0..50).map(|n| one.replace('@', &n.to_string())).collect();
    assert!(refusals(&format!("storage:\n  files:\n{many}")).contains("ran out"));
}

#[test]
fn every_path_and_unit_of_the_built_in_configs_is_reserved() {
    let mut run = Run::new(samples::install());
    run.ca_pem = Some("-----BEGIN CERTIFICATE-----\n");
    let mut free = BTreeSet::new();
    for role in [Role::Server, Role::Agent, Role::Runner] {
        let mut host = samples::full_host();
        host.role = role;
        let (config, _) = from_slice(&documents(&run.facts(&host)).unwrap().installed).unwrap();
        for node in &config.storage.files {
            if refusals(&file(&node.path, "x")) == "taken\n" {
                free.insert(node.path.clone());
            }
        }
        for unit in &config.systemd.units {
            if refusals(&format!(
                "systemd:\n  units:\n    - name: {}\n      mask: true\n",
                unit.name
            )) == "taken\n"
            {
                free.insert(unit.name.clone());
            }
        }
        let others = (config.storage.directories.iter().map(|node| &node.path))
            .chain(config.storage.links.iter().map(|node| &node.path));
        free.extend(others.filter(|path| refusals(&file(path, "x")) == "taken\n").cloned());
    }
    assert!(free.is_empty(), "add them to RESERVED in overlay/reserved.rs: {free:?}");
}

/// Rewrite it with `THIRDBOOT_BLESS=1 cargo test -p thirdboot-render page`.
#[test]
fn the_tables_in_the_docs_have_not_drifted() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/templates.md");
    let mut page = std::fs::read_to_string(&path).unwrap();
    let kept = page.clone();
    for (name, table) in [("facts", facts_table()), ("reserved", reserved_table())] {
        let (begin, end) = (
            format!("<!-- {name}: written by a test -->\n"),
            format!("<!-- end of {name} -->"),
        );
        let from = page.find(&begin).expect("the mark") + begin.len();
        let to = page.find(&end).expect("the other mark");
        page.replace_range(from..to, &table);
    }
    if std::env::var_os("THIRDBOOT_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
        return;
    }
    assert_eq!(
        kept, page,
        "docs/templates.md has drifted: see the comment above this test"
    );
}
