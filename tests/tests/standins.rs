//! From what Ignition made to a cluster: the installed system's own programs against the real server, with the stand-ins for
//! rpm-ostree and k3s. Needs root: `tests/run ignition`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};
use thirdboot_tests::assets::Images;
use thirdboot_tests::standins::{Disk, End, Packages, Powered, inside, plug_in};
use thirdboot_tests::{Site, ignition, site, wait};

/// No more than this, for anything.
const LIMIT: Duration = Duration::from_secs(300);
const K3S: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/metal/standins/k3s");

/// What the first server asks of systemctl in its three boots: its packages are staged twice.
const ASKED: &str = "\
--no-block reboot
--no-block reboot
enable k3s.service
restart --no-block k3s.service
--no-block restart zincati.service
";

/// A server on IPv6, and a cluster whose nodes and pods have nothing else.
async fn site() -> Result<Site> {
    let site = Site::on("[::1]:0", &Images::sample(), &["--address-source", "::1/128"]).await?;
    let cluster = json!({"name": "lab", "insecure_join": true, "pod_cidrs": ["fd01::/56"], "service_cidrs": ["fd02::/112"],
        "k3s": site.k3s(&fs::read(K3S)?)?});
    site.admin.add_cluster(&cluster).await?;
    Ok(site)
}

/// Machine `n`, installed: what the real Ignition made of its config.
async fn installed(site: &Site, folder: &Path, n: u8, name: &str, role: &str) -> Result<Disk> {
    let mut machine = site.machine(n)?;
    let (mac, address) = (machine.hardware.macs[0].clone(), format!("fd00:8::{n}/64"));
    plug_in(&format!("eno{n}"), &mac, &address).await?;
    let mut host = site::host(name, role, &machine.hardware);
    host["cluster"] = "lab".into();
    host["packages"] = json!(["htop"]);
    host["network"] = json!({"port": {"mac": mac}, "uplink": {"method": "static", "addresses": [address]}});
    site.admin.add(&host).await?;
    site.admin.arm(name).await?;
    let mut live = machine.boot_live().await?;
    live.install(&mut machine).await?;
    let tree = ignition::apply(&live.installed_document()?).await?;
    Disk::of(tree, folder, name)
}

/// Its third boot, until the server calls it ready.
async fn joins(site: &Site, disk: &Disk, name: &str) -> Result<(Powered, Value)> {
    let mut powered = disk.boot()?;
    let host = wait::until(&format!("{name} is ready"), LIMIT, async || {
        disk.is_up(&mut powered)?;
        let host = site.admin.host(name).await?;
        match host["run"]["stage"].as_str() {
            Some("ready") => Ok(Some(host)),
            Some("failed") => bail!("{host:#}"),
            _ => Ok(None),
        }
    })
    .await?;
    Ok((powered, host))
}

#[tokio::test]
async fn a_server_and_a_worker_with_ipv6_alone_layer_and_join() -> Result<()> {
    let Some(folder) = inside("a_server_and_a_worker_with_ipv6_alone_layer_and_join").await? else {
        return Ok(());
    };
    let packages = Packages::serve(&folder).await?;
    let site = site().await?;
    packages.offer(&site).await?;

    let first = installed(&site, &folder, 1, "s1", "server").await?;
    // The staged deployment goes with the power, and is staged again.
    first.boot_until(End::PowerCut).await?;
    assert_eq!(site.admin.stage("s1").await?, "layered");
    first.boot_until(End::Orderly).await?;
    assert_eq!(site.admin.stage("s1").await?, "layered");
    let (mut first_is_up, host) = joins(&site, &first, "s1").await?;
    assert_eq!(host["run"]["rollbacks"], 1);
    assert_eq!(host["run"]["ready_by"], "own-word");
    for package in ["k3s-selinux", "htop"] {
        assert!(
            first
                .written(&format!("/usr/share/thirdboot-standin/{package}"))?
                .contains(package)
        );
    }
    let config = first.written("/etc/rancher/k3s/config.yaml")?;
    for line in [
        "cluster-init: true\n",
        "node-ip: \"fd00:8::1\"\n",
        "cluster-cidr: \"fd01::/56\"\n",
    ] {
        assert!(config.contains(line), "no {line} in {config}");
    }
    // The last that it does, after it said that it is ready.
    let asked = wait::until("updates begin", LIMIT, async || {
        first.is_up(&mut first_is_up)?;
        let asked = first.written("/var/log/systemctl")?;
        Ok(asked.contains("zincati.service").then_some(asked))
    })
    .await?;
    assert_eq!(asked, ASKED);
    assert!(first.is_enabled("k3s.service")?, "k3s is not there after the next boot");
    let strategy = first.written("/etc/zincati/config.d/55-updates-strategy.toml")?;
    assert!(strategy.contains("fleet_lock"), "{strategy}");

    let second = installed(&site, &folder, 2, "a1", "agent").await?;
    second.boot_until(End::Orderly).await?;
    let (_second_is_up, host) = joins(&site, &second, "a1").await?;
    assert_eq!(host["run"]["rollbacks"], 0);
    let config = second.written("/etc/rancher/k3s/config.yaml")?;
    for line in ["server: \"https://[fd00:8::1]:6443\"\n", "node-ip: \"fd00:8::2\"\n"] {
        assert!(config.contains(line), "no {line} in {config}");
    }
    assert!(
        config.contains("::node:") && !config.contains("::server:"),
        "an agent's token"
    );
    let cluster = site.admin.cluster("lab").await?;
    assert_eq!(cluster["init"]["state"], "done", "{cluster:#}");
    Ok(())
}
