//! The short story: one machine, from power-on to ready.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;
use thirdboot_tests::metal::{Disk, Rig, cluster, os, serial::Serial};
use thirdboot_tests::secrets;

#[tokio::test]
async fn a_machine_goes_from_power_on_to_ready_in_three_boots() -> Result<()> {
    let rig = Rig::for_story("short").await?;
    let (machine, switch) = cluster::first_server(&rig).await?;
    let powered = machine.power_on()?;
    for stage in [
        "live",
        "installed",
        "first-boot",
        "layered-boot",
        "networked",
        "joining",
        "ready",
    ] {
        rig.reach(&powered, "m1", stage).await?;
    }
    let serial = rig.off(powered).await?;

    assert_eq!(
        switch.aggregated(),
        [1, 2].into(),
        "ports whose other end is in the bond"
    );
    its_boots_are_proven(&rig).await?;
    its_disk_is_as_asked(&machine.disks[0])?;
    no_secret_is_where_it_does_not_belong(&rig, &machine.disks[0], &serial).await?;
    only_what_was_needed_was_fetched(&rig);
    Ok(())
}

/// Stages in order, three boots, and the deployment that was staged is the one that runs.
async fn its_boots_are_proven(rig: &Rig) -> Result<()> {
    let stages = rig.stages("m1").await?;
    let expected = [
        "armed",
        "netbooting",
        "live",
        "installing",
        "installed",
        "first-boot",
        "layering",
        "layered",
        "layered-boot",
        "networked",
        "joining",
        "ready",
    ];
    assert_eq!(stages, expected);

    let host = rig.admin.host("m1").await?;
    assert_eq!(
        (&host["serial"], &host["uuid"]),
        (&json!("SN-0001"), &json!("3f2a0000-0000-4000-8000-000000000001"))
    );
    let boots = host["run"]["boots"].as_array().context("no boots")?;
    let roles: Vec<_> = boots.iter().map(|boot| boot["role"].as_u64()).collect();
    assert_eq!(roles, [Some(1), Some(2), Some(3)], "{boots:?}");
    let ids: BTreeSet<_> = boots.iter().map(|boot| boot["boot_id"].as_str()).collect();
    assert_eq!(ids.len(), 3, "{boots:?}");
    for boot in &boots[1..] {
        assert_eq!(boot["os_version"], os::VERSION, "{boot}");
    }
    assert_ne!(boots[1]["deployment"], boots[2]["deployment"], "nothing was layered");
    assert_eq!(host["run"]["network_differs"], json!([]));
    Ok(())
}

/// What the installer, Ignition and the layered package left on it.
fn its_disk_is_as_asked(disk: &Disk) -> Result<()> {
    let (boot, root) = (disk.partition("boot")?, disk.partition("root")?);
    assert_eq!(boot.read("/thirdboot/install.json")?.trim(), r#"{"host":"m1","run":1}"#);
    for gone in ["/ignition.firstboot", "/ignition/config.ign"] {
        assert!(!boot.has(gone), "{gone} is still there");
    }
    assert_eq!(root.read("/etc/hostname")?.trim(), "m1");
    // The join brought it: tokens stand here and nowhere else.
    assert!(
        root.read("/etc/rancher/k3s/config.yaml")?
            .contains("cluster-init: true")
    );
    assert_eq!(root.mode("/etc/rancher/k3s/config.yaml")?, (0o600, 0));
    let environment = root.read("/etc/thirdboot/reporter.env")?;
    assert!(environment.contains("THIRDBOOT_SECRET=tb_host_"));
    assert_eq!(root.mode("/etc/thirdboot/reporter.env")?, (0o600, 0));
    assert_eq!(root.read("/usr/share/thirdboot-standin/htop")?.trim(), "htop 3.4.1");
    Ok(())
}

/// Zincati runs as a user of its own: its group reads where the reboot lock is, nobody else.
const READABLE: &str = "etc/zincati/config.d/55-updates-strategy.toml";

/// Secrets stand in files of root's and nowhere else; those that a console shows are dead.
async fn no_secret_is_where_it_does_not_belong(rig: &Rig, disk: &Disk, serial: &Serial) -> Result<()> {
    let mut shown = BTreeSet::new();
    for line in serial.lines() {
        shown.extend(secrets::found_in(&line.text));
    }
    // The way to the rootfs, on the live system's command line; and what Ignition fetched.
    assert!(shown.iter().all(|s| s.starts_with("tb_conf_")), "{shown:?}");
    for secret in shown {
        let url = format!("{}/ignition/{secret}/live.ign", rig.server.endpoints.boot);
        assert_eq!(rig.status_of(&url).await?, 404, "it lives on");
    }

    let root = disk.partition("root")?;
    let copy = rig.folder.join("root");
    for folder in ["/etc", "/var", "/usr/local"] {
        root.copy_out(folder, &copy)?;
    }
    let mut open = vec![copy.clone()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                let text = String::from_utf8_lossy(&fs::read(entry.path())?).into_owned();
                let found = secrets::found_in(&text);
                let mode = entry.metadata()?.permissions().mode();
                assert!(
                    found.is_empty()
                        || mode.trailing_zeros() >= 6
                        || (mode.trailing_zeros() >= 3 && entry.path().ends_with(READABLE)),
                    "{}: {found:?}",
                    entry.path().display()
                );
            }
        }
    }
    let journal = journal(&copy.join("var/log/journal"))?;
    assert!(journal.contains("Reached target"), "no journal: {journal}");
    assert_eq!(secrets::found_in(&journal), [""; 0]);
    assert_eq!(secrets::found_in(&rig.server.log()?), [""; 0]);
    fs::remove_dir_all(copy)?;
    Ok(())
}

fn journal(folder: &Path) -> Result<String> {
    let read = Command::new("journalctl")
        .args(["--no-pager", "--output", "short", "--directory"])
        .arg(folder)
        .output()
        .context("journalctl (package systemd)")?;
    Ok(String::from_utf8_lossy(&read.stdout).into_owned())
}

/// The lists of both repositories, the image's own and the fleet's, and two packages, each from one of them.
fn only_what_was_needed_was_fetched(rig: &Rig) {
    let asked = rig.packages.asked();
    let count = |word: &str| asked.iter().filter(|path| path.ends_with(word)).count();
    let counts = (
        count("/repomd.xml"),
        count("-primary.xml.gz"),
        count("/htop-3.4.1-1.noarch.rpm"),
        count("/k3s-selinux-1.6-1.noarch.rpm"),
    );
    assert_eq!((counts, asked.len()), ((2, 2, 1, 1), 6), "{asked:?}");
}
