//! A machine at a provider: the binary against the stand-in of the provider's API, hosts as everywhere.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use thirdboot_fake_equinix::{Device, FakeEquinix};
use thirdboot_tests::assets::Images;
use thirdboot_tests::host::{Event, InstalledSystem};
use thirdboot_tests::{Machine, Site, site, wait};
use uuid::Uuid;

const TOKEN: &str = "equinix-9d41c7";
const DEVICE: &str = "7a8b0000-0000-4000-8000-0000000000d1";
/// Outer bound of what a look at the provider brings; most take a second.
const LIMIT: Duration = Duration::from_secs(60);

/// A server with the provider's token, and the provider.
struct Rented {
    site: Site,
    provider: FakeEquinix,
    _folder: TempDir,
}

impl Rented {
    async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("token");
        fs::write(&file, format!("{TOKEN}\n"))?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        let provider = FakeEquinix::start(TOKEN).await?;
        let file = file.display().to_string();
        let arguments = ["--equinix-url", provider.url(), "--equinix-token-file", &file];
        let site = Site::talkative_with(&Images::sample(), &arguments).await?;
        Ok(Self {
            site,
            provider,
            _folder: folder,
        })
    }

    /// Racks a machine at the provider and adds it as a runner with a VLAN.
    async fn runner(&self) -> Result<Machine> {
        let machine = self.site.machine(1)?;
        let mut host = site::host("r1", "runner", &machine.hardware);
        host["known_by"] = "key".into();
        host["platform"] = "equinix-metal".into();
        host["provider"] = json!({"device": DEVICE});
        host["network"] = json!({"bond": {}, "vlans": [{"id": 1000, "addresses": ["10.8.0.9/24"]}]});
        self.provider.add(DEVICE, "http://nowhere.example/", &[1000]);
        self.site.admin.add(&host).await?;
        Ok(machine)
    }

    fn device(&self) -> Result<Device> {
        self.provider.device(DEVICE).context("no device")
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Device) -> bool) -> Result<()> {
        wait::until(what, LIMIT, async || Ok(is_so(&self.device()?).then_some(()))).await
    }

    async fn told(&self) -> Result<Vec<String>> {
        let events = self.site.admin.events("r1").await?;
        let told = events.iter().filter(|event| event["event"] == "provider");
        Ok(told
            .filter_map(|event| event["message"].as_str().map(str::to_owned))
            .collect())
    }
}

/// The network as the host describes it.
fn network(machine: &Machine) -> Event {
    let port = |mac: &String| json!({"mac": mac, "link": true, "partner": "00:1c:73:00:00:01"});
    let ports: Vec<Value> = machine.hardware.macs.iter().map(port).collect();
    let facts = json!({"bond": {"name": "bond0", "mode": "802.3ad"}, "ports": ports, "mtu": 1500, "peer": null,
        "vlans": [{"id": 1000, "parent": "bond0", "up": true, "mtu": 1500}],
        "addresses": [{"interface": "bond0", "address": "192.0.2.10/31"}, {"interface": "bond0.1000", "address": "10.8.0.9/24"}]});
    Event::new("network").with("facts", facts)
}

#[tokio::test]
async fn arming_brings_a_rented_machine_to_ready() -> Result<()> {
    let mut rented = Rented::start().await?;
    let mut machine = rented.runner().await?;
    assert_eq!(rented.provider.boots(DEVICE), None, "its network boot is used up");
    rented.site.admin.arm_with("r1", json!({"power": "reboot"})).await?;
    // Whatever was under way is taken up again.
    rented.site.server.kill().await?;
    rented.site.server.start_again().await?;
    rented
        .until("the reboot", |device| device.actions == ["reboot"])
        .await?;
    let device = rented.device()?;
    ensure!(device.always_pxe && device.port.vlans.contains(&1000), "{device:?}");

    machine.firmware_url = rented.provider.boots(DEVICE).context("boots its disk")?;
    ensure!(machine.firmware_url.contains("/ipxe/tb_boot_"), "not its own URL");
    let mut live = machine.boot_live().await?;
    ensure!(rented.device()?.state == "active");
    assert_eq!(
        rented.site.admin.stage("r1").await?,
        "netbooting",
        "active proves nothing"
    );
    live.install(&mut machine).await?;
    rented
        .until("the end of the network boot", |device| !device.always_pxe)
        .await?;

    assert_eq!(rented.provider.boots(DEVICE), None, "from its disk, without asking");
    let boot = |machine: &Machine| {
        let disk = machine.disk.as_ref().context("nothing is installed")?;
        InstalledSystem::start(machine.client().clone(), disk, Uuid::new_v4())
    };
    boot(&machine)?.layer(&mut machine).await?;
    let mut third = boot(&machine)?;
    let layered = third.event("layered-boot");
    third.reporter.tell(layered).await?;
    assert_eq!(third.reporter.tell(network(&machine)).await?, "networked");
    assert_eq!(third.reporter.tell(Event::new("ready")).await?, "ready");

    let told = rented.told().await?;
    let of = |words: &str| told.iter().filter(|line| line.contains(words)).count();
    assert_eq!(
        (of("reboot was asked for"), of("device is active")),
        (1, 1),
        "{told:#?}"
    );
    assert_eq!(rented.device()?.actions, ["reboot"]);
    assert_eq!(rented.provider.violations(), Vec::<String>::new());
    let log = rented.site.server.log()?;
    ensure!(!log.contains(TOKEN), "the token is in the log");
    ensure!(!log.contains("tb_boot_"), "the boot secret is in the log");
    Ok(())
}

#[tokio::test]
async fn a_provider_that_refuses_is_told_with_what_to_do() -> Result<()> {
    let rented = Rented::start().await?;
    rented.runner().await?;
    rented.provider.take_only("another");
    rented.site.admin.arm_with("r1", json!({"power": "reinstall"})).await?;
    let host = wait::until("the trouble", LIMIT, async || {
        let host = rented.site.admin.host("r1").await?;
        Ok((host["diagnosis"]["cause"] == "at-provider").then_some(host))
    })
    .await?;
    let advice = host["diagnosis"]["advice"].as_str().context("no advice")?;
    ensure!(advice.contains("replace the token's file"), "{advice}");
    assert_eq!(host["run"]["stage"], "armed");
    assert_eq!(host["alerts"][0]["kind"], "at-provider");
    assert_eq!(rented.device()?.actions, Vec::<String>::new());
    Ok(())
}
