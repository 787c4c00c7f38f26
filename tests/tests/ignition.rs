//! What the server renders, checked and applied by the real Ignition. Needs root:
//! `tests/run ignition`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::Result;
use serde_json::json;
use thirdboot_tests::host::LiveSystem;
use thirdboot_tests::ignition::{self, Tree};
use thirdboot_tests::{Site, firewall, secrets, site};

/// Host's name and role, one of each.
const HOSTS: [(u8, &str, &str); 3] = [(1, "s1", "server"), (2, "a1", "agent"), (3, "r1", "runner")];

/// A server that has described a cluster, whose nodes meet on VLAN 1234.
async fn site() -> Result<Site> {
    let site = Site::start().await?;
    site.cluster_on("lab", Some(CLUSTER_VLAN)).await?;
    Ok(site)
}

const CLUSTER_VLAN: u16 = 1234;

/// Machines that run strangers' jobs have a VLAN of their own.
fn vlan_of(role: &str) -> u16 {
    if role == "runner" { 1235 } else { CLUSTER_VLAN }
}

/// A host that uses most of what can be set.
async fn live_of(site: &Site, n: u8, name: &str, role: &str) -> Result<LiveSystem> {
    let machine = site.machine(n)?;
    let mut host = site::host(name, role, &machine.hardware);
    host["time_servers"] = json!(["ntp.sample"]);
    host["packages"] = json!(["htop"]);
    host["install"] = json!({"console": ["tty0", "ttyS1,115200n8"]});
    host["network"] = json!({
        "bond": {"ports": machine.hardware.macs},
        "vlans": [{"id": vlan_of(role), "addresses": [format!("10.8.0.{n}/24"), format!("fd00::{n}/64")]}],
    });
    if role != "runner" {
        host["cluster"] = "lab".into();
    }
    site.admin.add(&host).await?;
    site.admin.arm(name).await?;
    machine.boot_live().await
}

#[tokio::test]
async fn every_document_passes_ignition_validate() -> Result<()> {
    let site = site().await?;
    for (n, name, role) in HOSTS {
        let live = live_of(&site, n, name, role).await?;
        ignition::validate("pointer.ign", &live.pointer).await?;
        ignition::validate("live.ign", &live.document).await?;
        ignition::validate("installed.ign", &live.installed_document()?).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_pointer_brings_up_a_live_system_that_installs() -> Result<()> {
    let site = site().await?;
    for (n, name, role) in HOSTS {
        let live = live_of(&site, n, name, role).await?;
        // Ignition itself fetches the live config from the server and checks its hash.
        let tree = ignition::apply(&live.pointer).await?;
        only_root_reads_secrets(&tree)?;
        let environment = tree.file("/etc/thirdboot/reporter.env")?;
        assert_eq!((environment.mode, environment.owner), (0o600, (0, 0)));
        assert!(environment.text.contains(&format!("THIRDBOOT_HOST={name}\n")));
        assert!(environment.text.contains("THIRDBOOT_SECRET=tb_live_"));
        let installed = tree.file("/etc/thirdboot/installed.ign")?;
        assert_eq!(installed.text.as_bytes(), live.installed_document()?);
        assert_eq!(tree.file("/etc/coreos/installer.d/50-thirdboot.yaml")?.mode, 0o600);
        its_initramfs_has_its_network(&live, &tree, vlan_of(role))?;
        everything_can_run(&tree)?;

        let links = tree.enable_units()?;
        for link in [
            "coreos-installer.service.requires/thirdboot-precheck.service",
            "coreos-installer.target.requires/thirdboot-installed.service",
            "coreos-installer.target.wants/thirdboot-live.service",
        ] {
            assert!(links.contains(link), "no {link} in {links:?}");
        }
        let failure = "OnFailure=thirdboot-failed@%n.service";
        let drop_in = "/etc/systemd/system/coreos-installer.service.d/50-thirdboot.conf";
        assert!(tree.file(drop_in)?.text.contains(failure));
        for unit in ["thirdboot-precheck", "thirdboot-installed", "thirdboot-live"] {
            let unit = format!("/etc/systemd/system/{unit}.service");
            assert!(tree.file(&unit)?.text.contains(failure), "{unit}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_installed_config_makes_a_host_of_its_role() -> Result<()> {
    let site = site().await?;
    for (n, name, role) in HOSTS {
        let live = live_of(&site, n, name, role).await?;
        let tree = ignition::apply(&live.installed_document()?).await?;
        only_root_reads_secrets(&tree)?;
        assert_eq!(tree.file("/etc/hostname")?.text.trim(), name);
        let environment = tree.file("/etc/thirdboot/reporter.env")?;
        assert_eq!((environment.mode, environment.owner), (0o600, (0, 0)));
        assert!(environment.text.contains("THIRDBOOT_SECRET=tb_host_"));
        assert!(tree.file("/etc/chrony.conf")?.text.contains("ntp.sample"));
        assert!(tree.file("/etc/thirdboot/packages")?.text.contains("htop\n"));
        the_admin_can_log_in(&tree)?;
        its_network_is_written(&tree, n, vlan_of(role))?;
        everything_can_run(&tree)?;

        let links = tree.enable_units()?;
        let own = if role == "runner" { "runner" } else { "join" };
        for unit in ["boot", "layer", "network", own] {
            let link = format!("multi-user.target.wants/thirdboot-{unit}.service");
            assert!(links.contains(&link), "no {link} in {links:?}");
        }
        assert!(links.contains("timers.target.wants/thirdboot-send.timer"), "{links:?}");
        let k3s = tree.file("/etc/systemd/system/k3s.service");
        assert_eq!(k3s.is_ok(), role != "runner", "k3s on a {role}");
    }
    Ok(())
}

/// What a power cut leaves empty when it comes before the first boot counts as complete.
const EMPTIED: [&str; 4] = [
    "/etc/.ignition-result.json",
    "/etc/systemd/",
    "/etc/thirdboot/",
    "/usr/local/",
];

/// Ignition then runs again, and finds the names of its own files, without what was in them.
#[tokio::test]
async fn the_installed_config_can_be_applied_over_itself() -> Result<()> {
    let site = site().await?;
    for (n, name, role) in HOSTS {
        let live = live_of(&site, n, name, role).await?;
        let config = live.installed_document()?;
        let once = ignition::apply(&config).await?;
        let files = once.files()?;
        let mut emptied = BTreeMap::new();
        for path in files
            .iter()
            .filter(|path| EMPTIED.iter().any(|at| path.starts_with(at)))
        {
            emptied.insert(path.clone(), fs::read(once.path(path))?);
            fs::write(once.path(path), "")?;
        }
        for at in EMPTIED {
            assert!(
                emptied.keys().any(|path| path.starts_with(at)),
                "{name}: nothing at {at}"
            );
        }
        let twice = ignition::apply_over(once, &config).await?;
        assert_eq!(twice.files()?, files);
        // What Ignition says of itself is another word each time; the order of its presets is a hash map's.
        for (path, was) in emptied.iter().filter(|(path, _)| *path != EMPTIED[0]) {
            let is = fs::read(twice.path(path))?;
            let same = if path.ends_with(".preset") {
                presets(&is) == presets(was)
            } else {
                is == *was
            };
            assert!(same, "{name}: {path} is not what it was");
        }
        only_root_reads_secrets(&twice)?;
        assert!(
            twice
                .file("/etc/thirdboot/reporter.env")?
                .text
                .contains("THIRDBOOT_SECRET=tb_host_")
        );
        everything_can_run(&twice)?;
        assert!(
            twice
                .enable_units()?
                .contains("multi-user.target.wants/thirdboot-boot.service")
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_nodes_say_to_one_another_is_heard_on_their_vlan_only() -> Result<()> {
    let site = site().await?;
    for (n, name, role) in HOSTS {
        let live = live_of(&site, n, name, role).await?;
        let tree = ignition::apply(&live.installed_document()?).await?;
        let rules = tree.file("/etc/thirdboot/firewall.nft");
        if role == "runner" {
            assert!(rules.is_err(), "a runner joins nothing");
            continue;
        }
        assert_eq!(rules?.mode, 0o600);
        assert!(
            tree.enable_units()?
                .contains("multi-user.target.wants/thirdboot-firewall.service")
        );
        let ways = firewall::ways_in(&tree.path("/etc/thirdboot/firewall.nft")).await?;
        let closed: Vec<&String> = ways.iter().filter(|way| !way.ends_with(" open")).collect();
        assert_eq!(
            closed,
            ["uplink 2379 closed", "uplink 2380 closed", "uplink 10250 closed"]
        );
        assert_eq!(ways.len(), 15, "{ways:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_pointer_by_its_url_does_the_same() -> Result<()> {
    let site = site().await?;
    let live = live_of(&site, 1, "s1", "server").await?;
    let pointer = live.config_url.replace("live.ign", "pointer.ign");
    let (by_url, by_initrd) = (
        ignition::apply_url(&pointer).await?,
        ignition::apply(&live.pointer).await?,
    );
    assert_eq!(by_url.files()?, by_initrd.files()?);
    Ok(())
}

#[tokio::test]
async fn a_config_that_was_changed_on_the_way_is_refused() -> Result<()> {
    let site = site().await?;
    let live = live_of(&site, 1, "s1", "server").await?;
    let pointer = String::from_utf8(live.pointer)?;
    let at = pointer
        .find("sha512-")
        .or_else(|| pointer.find("sha256-"))
        .unwrap_or_default()
        + 7;
    let other = if &pointer[at..=at] == "0" { "1" } else { "0" };
    let wrong = format!("{}{other}{}", &pointer[..at], &pointer[at + 1..]);
    let refused = ignition::apply(wrong.as_bytes()).await.err().map(|e| e.to_string());
    assert!(refused.is_some_and(|e| e.contains("hash")), "the hash is checked");
    Ok(())
}

#[tokio::test]
async fn inspecting_brings_nothing_that_installs() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.host(1, "r1", "runner").await?;
    site.admin.arm_with("r1", json!({"inspect": true})).await?;
    let live = machine.boot_live().await?;
    ignition::validate("live.ign", &live.document).await?;
    let tree = ignition::apply(&live.pointer).await?;
    let files = tree.files()?;
    assert!(
        !files
            .iter()
            .any(|f| f.contains("installer.d") || f.contains("installed.ign")),
        "{files:?}"
    );
    assert!(
        tree.enable_units()?
            .contains("multi-user.target.wants/thirdboot-inspect.service")
    );
    Ok(())
}

/// A preset file's lines, without their order.
fn presets(text: &[u8]) -> BTreeSet<&[u8]> {
    text.split(|byte| *byte == b'\n').collect()
}

/// Files with a secret in them are 0600 and root's.
fn only_root_reads_secrets(tree: &Tree) -> Result<()> {
    for path in tree.files()? {
        let Ok(file) = tree.file(&path) else { continue };
        if !secrets::found_in(&file.text).is_empty() {
            assert_eq!((file.mode, file.owner), (0o600, (0, 0)), "{path}");
        }
    }
    Ok(())
}

/// What units start is there and can be started.
fn everything_can_run(tree: &Tree) -> Result<()> {
    let mut started = BTreeSet::new();
    for path in tree.files()?.iter().filter(|p| p.starts_with("/etc/systemd/system/")) {
        let Ok(unit) = tree.file(path) else { continue };
        let commands = unit.text.lines().filter_map(|l| l.strip_prefix("ExecStart="));
        started.extend(commands.filter_map(|c| c.split(' ').next().map(str::to_owned)));
    }
    started.retain(|program| program.starts_with("/usr/local/bin/thirdboot-"));
    assert!(!started.is_empty());
    for program in started {
        let file = tree.file(&program)?;
        assert_eq!((file.mode, file.owner), (0o755, (0, 0)), "{program}");
        assert!(file.text.starts_with("#!/bin/bash\n"), "{program}");
    }
    Ok(())
}

fn the_admin_can_log_in(tree: &Tree) -> Result<()> {
    let keys = tree.file("/home/core/.ssh/authorized_keys.d/ignition")?;
    let user = tree.user("core")?;
    let owner = (user[2].parse()?, user[3].parse()?);
    assert!(keys.text.contains("admin@sample"));
    assert_eq!((keys.mode, keys.owner), (0o600, owner));
    assert!(tree.groups("core")?.contains("wheel"));
    Ok(())
}

/// The same files as in the live system, where the initramfs looks for them.
fn its_initramfs_has_its_network(live: &LiveSystem, tree: &Tree, vlan: u16) -> Result<()> {
    let mut names = Vec::new();
    for entry in &live.initrd {
        if let Some(name) = entry.name.strip_prefix("etc/coreos-firstboot-network/") {
            assert_eq!((entry.mode, entry.uid), (0o100_600, 0), "{name}");
            names.push(name);
            let there = tree.file(&format!("/etc/NetworkManager/system-connections/{name}"));
            // The one that is the initramfs's alone: NetworkManager asks on every other port by itself later.
            if name == "other-ports.nmconnection" {
                assert!(there.is_err(), "{name}");
                continue;
            }
            assert_eq!(there?.text.as_bytes(), entry.data, "{name}");
        }
    }
    assert!(
        names.contains(&"bond0.nmconnection") && names.contains(&format!("bond0.{vlan}.nmconnection").as_str()),
        "{names:?}"
    );
    Ok(())
}

fn its_network_is_written(tree: &Tree, n: u8, vlan: u16) -> Result<()> {
    let files = tree.files()?;
    let keyfiles = files.iter().filter(|f| f.ends_with(".nmconnection"));
    let mut all = String::new();
    for path in keyfiles {
        let file = tree.file(path)?;
        assert_eq!((file.mode, file.owner), (0o600, (0, 0)), "{path}");
        all.push_str(&file.text);
    }
    for word in [
        "mode=802.3ad",
        &format!("id={vlan}"),
        &format!("10.8.0.{n}/24"),
        &format!("fd00::{n}/64"),
    ] {
        assert!(all.contains(word), "no {word} in {all}");
    }
    Ok(())
}
