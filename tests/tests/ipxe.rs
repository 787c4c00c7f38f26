//! A real iPXE in a virtual machine against the real server: `tests/run ipxe`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use thirdboot_tests::assets::Images;
use thirdboot_tests::host::{Hardware, Machine, cpio, ignition};
use thirdboot_tests::proxy::{Exchange, Proxy};
use thirdboot_tests::vm::{self, Firmware, Network, Plan, Vm, disk, initramfs};
use thirdboot_tests::{Site, site, wait};

/// Names Debian's small kernel; `tests/run ipxe` fetches it.
const KERNEL_VARIABLE: &str = "THIRDBOOT_KERNEL";

/// A server that virtual machines reach through a recording proxy, and one machine's disk.
struct Rack {
    site: Site,
    proxy: Proxy,
    boot_url: String,
    disk: PathBuf,
}

impl Rack {
    async fn with(kernel: Vec<u8>) -> Result<Self> {
        let proxy = Proxy::open().await?;
        let base = format!("http://{}:{}", vm::LOOPBACK, proxy.address.port());
        let images = Images {
            kernel,
            initramfs: initramfs::build()?,
            ..Images::sample()
        };
        // An outage of seconds, not of minutes.
        let patience = ["--boot-retries", "3", "--boot-retry-pause", "1"];
        let arguments = ["--address-source", "127.0.0.0/8", "--boot-url", &base];
        let arguments = [arguments.as_slice(), &patience].concat();
        let site = Site::with(&images, &arguments).await?;
        proxy.lead_to(&site.server.endpoints.boot);
        let disk = site.path("disk");
        disk::write(&disk)?;
        Ok(Self {
            site,
            proxy,
            boot_url: format!("{base}/boot.ipxe"),
            disk,
        })
    }

    /// Its hosts boot a kernel that runs in the machine.
    async fn with_kernel() -> Result<Self> {
        let file = std::env::var(KERNEL_VARIABLE)
            .with_context(|| format!("{KERNEL_VARIABLE} names no kernel: use tests/run ipxe"))?;
        Self::with(std::fs::read(&file).context(file)?).await
    }

    /// Its hosts get no further than their script.
    async fn without_kernel() -> Result<Self> {
        Self::with(Images::sample().kernel).await
    }

    /// Adds machine 1 as a host that talks on the serial port.
    async fn host(&self) -> Result<()> {
        let mut host = site::host("r1", "runner", &Hardware::number(1));
        host["install"] = json!({"console": ["tty0", "ttyS0,115200n8"]});
        self.site.admin.add(&host).await?;
        Ok(())
    }

    /// Machine 1 as a black box, behind the same proxy as the virtual one.
    fn machine(&self) -> Result<Machine> {
        let proxy = format!("http://{}", self.proxy.address);
        Machine::new(self.boot_url.clone(), Hardware::number(1))?.through(&proxy)
    }

    fn power_on(&self, firmware: Firmware) -> Result<Vm> {
        Vm::power_on(&Plan {
            firmware,
            hardware: Hardware::number(1),
            network: Network::Named(self.boot_url.clone()),
            disk: self.disk.clone(),
        })
    }

    /// What was fetched, in order, without secrets and versions.
    fn fetched(&self) -> Vec<String> {
        let name = |e: &Exchange| {
            let path = e.request.rsplit('/').next().unwrap_or_default();
            path.rsplit("-live-").next().unwrap_or_default().to_owned()
        };
        self.proxy.exchanges().iter().map(name).collect()
    }
}

/// The live system starts: what iPXE fetched, and what the kernel found in its initramfs.
async fn starts_the_live_system(firmware: Firmware) -> Result<()> {
    let rack = Rack::with_kernel().await?;
    rack.host().await?;
    rack.site.admin.arm("r1").await?;
    let mut vm = rack.power_on(firmware)?;
    let serial = vm.wait_for(initramfs::END).await?.to_owned();

    let order = [
        "boot.ipxe",
        "ipxe",
        "kernel.x86_64",
        "pointer.cpio",
        "initramfs.x86_64.img",
    ];
    assert_eq!(rack.fetched(), order);
    let exchanges = rack.proxy.exchanges();
    assert!(
        exchanges
            .iter()
            .all(|e| e.status == 200 && e.user_agent.starts_with("iPXE"))
    );
    let asked = exchanges[1].query.replace("%3A", ":");
    for word in ["mac=52:54:00:00:01:01", "serial=SN-0001", "uuid=3f2a0000-"] {
        assert!(asked.contains(word), "no {word} in {asked}");
    }

    let pointer = cpio::read(&exchanges[3].body)?.remove(0).data;
    assert!(serial.contains("config.ign mode 600:0:0"), "{serial}");
    let digest = format!("config.ign sha256 {}", ignition::sha256(&pointer));
    assert!(serial.contains(&digest), "no {digest}:\n{serial}");
    assert!(
        String::from_utf8_lossy(&pointer).contains("/live.ign"),
        "the pointer names it"
    );
    for word in [
        "initrd=config initrd=main",
        "ignition.firstboot",
        "ignition.platform.id=metal",
    ] {
        let line = serial.lines().find(|l| l.contains("thirdboot-init: cmdline"));
        assert!(line.is_some_and(|l| l.contains(word)), "no {word} in {line:?}");
    }
    assert_eq!(rack.site.admin.stage("r1").await?, "netbooting");
    Ok(())
}

#[tokio::test]
async fn an_armed_machine_starts_the_live_system_with_its_config_in_place() -> Result<()> {
    starts_the_live_system(Firmware::Bios).await
}

#[tokio::test]
async fn so_does_one_with_uefi() -> Result<()> {
    starts_the_live_system(Firmware::Uefi).await
}

#[tokio::test]
async fn a_ready_machine_is_sent_to_its_disk() -> Result<()> {
    let rack = Rack::without_kernel().await?;
    rack.host().await?;
    rack.site.admin.arm("r1").await?;
    rack.machine()?.provision(false).await?;
    assert_eq!(rack.site.admin.stage("r1").await?, "ready");

    let mut vm = rack.power_on(Firmware::Bios)?;
    vm.wait_for(disk::MARKER).await?;
    let last = rack.proxy.exchanges().pop().context("nothing was fetched")?;
    assert!(String::from_utf8(last.body)?.contains("# thirdboot: local host=r1"));
    Ok(())
}

#[tokio::test]
async fn an_unknown_machine_is_held_and_listed() -> Result<()> {
    let rack = Rack::without_kernel().await?;
    let mut vm = rack.power_on(Firmware::Bios)?;
    vm.wait_for("Thirdboot holds this machine").await?;
    let held = |e: &Exchange| String::from_utf8_lossy(&e.body).contains("hold reason=unknown");
    wait::until("a held machine that asks again", Duration::from_secs(180), async || {
        Ok((rack.proxy.exchanges().iter().filter(|e| held(e)).count() >= 2).then_some(()))
    })
    .await?;
    let listed = Value::Array(rack.site.admin.unknown_machines().await?).to_string();
    assert!(
        listed.contains("SN-0001") && listed.contains("52:54:00:00:01:01"),
        "{listed}"
    );
    let serial = vm.power_off().await?;
    assert!(!serial.contains(disk::MARKER), "it left the hold:\n{serial}");
    Ok(())
}

#[tokio::test]
async fn without_a_server_the_machine_boots_its_disk() -> Result<()> {
    let mut rack = Rack::without_kernel().await?;
    let mut vm = rack.power_on(Firmware::Bios)?;
    wait::until("the first script", Duration::from_secs(180), async || {
        Ok((!rack.proxy.exchanges().is_empty()).then_some(()))
    })
    .await?;
    rack.site.server.kill().await?;
    rack.proxy.close();
    vm.wait_for(disk::MARKER).await?;
    Ok(())
}
