//! Machines on a network of their own: a real dnsmasq with the sample configuration, the real server. Runs in a network
//! namespace that `tests/run dhcp` makes.

use std::fs;
use std::path::Path;
use std::process::{Command as Run, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use thirdboot_tests::assets::Images;
use thirdboot_tests::host::Hardware;
use thirdboot_tests::vm::{Firmware, Network, Plan, Vm, disk, initramfs};
use thirdboot_tests::{Site, bound, site};
use tokio::process::Child;

/// Names Debian's small kernel; `tests/run dhcp` fetches it.
const KERNEL_VARIABLE: &str = "THIRDBOOT_KERNEL";
/// The sample, as an admin finds it.
const SAMPLE: &str = include_str!("../../deploy/dnsmasq.conf");
/// The boot network's interface.
const INTERFACE: &str = "tb0";
/// The server's address in the sample.
const SERVER: &str = "192.0.2.1";

/// A network with a server and a dnsmasq on it. Dropping it ends both.
struct Lan {
    site: Site,
    dnsmasq: Child,
}

fn ip(arguments: &str) -> Result<()> {
    let status = Run::new("ip")
        .args(arguments.split(' '))
        .status()
        .context("ip (package iproute2)")?;
    ensure!(status.success(), "ip {arguments}");
    Ok(())
}

impl Lan {
    async fn open() -> Result<Self> {
        ip("link set lo up")?;
        ip(&format!("tuntap add {INTERFACE} mode tap"))?;
        ip(&format!("addr add {SERVER}/24 dev {INTERFACE}"))?;
        ip(&format!("link set {INTERFACE} up"))?;
        let kernel = std::env::var(KERNEL_VARIABLE)
            .with_context(|| format!("{KERNEL_VARIABLE} names no kernel: use tests/run dhcp"))?;
        let images = Images {
            kernel: fs::read(&kernel).context(kernel)?,
            initramfs: initramfs::build()?,
            ..Images::sample()
        };
        let base = format!("http://{SERVER}:8080");
        let arguments = ["--address-source", "192.0.2.0/24", "--boot-url", &base];
        let site = Site::on(&format!("{SERVER}:8080"), &images, &arguments).await?;
        let dnsmasq = dnsmasq(&site.path("dnsmasq"))?;
        Ok(Self { site, dnsmasq })
    }

    /// Adds and arms machine 1, which talks on its serial port.
    async fn armed(&self) -> Result<()> {
        let mut host = site::host("r1", "runner", &Hardware::number(1));
        host["install"] = json!({"console": ["tty0", "ttyS0,115200n8"]});
        self.site.admin.add(&host).await?;
        self.site.admin.arm("r1").await?;
        Ok(())
    }

    fn power_on(&self, firmware: Firmware) -> Result<Vm> {
        let disk = self.site.path("disk");
        disk::write(&disk)?;
        Vm::power_on(&Plan {
            firmware,
            hardware: Hardware::number(1),
            network: Network::Tap(INTERFACE),
            disk,
        })
    }

    async fn close(mut self) -> Result<()> {
        self.dnsmasq.kill().await?;
        ip(&format!("link delete {INTERFACE}"))
    }
}

/// The sample with the interface of this network, and nothing else changed.
fn dnsmasq(folder: &Path) -> Result<Child> {
    fs::create_dir(folder)?;
    let file = folder.join("dnsmasq.conf");
    ensure!(SAMPLE.contains("\ninterface=eth1\n"), "the sample names no interface");
    fs::write(
        &file,
        SAMPLE.replace("\ninterface=eth1\n", &format!("\ninterface={INTERFACE}\n")),
    )?;
    let log = fs::File::create(folder.join("log"))?;
    bound::command("dnsmasq")
        .args(["--keep-in-foreground", "--log-facility=-", "--user=root", "--pid-file="])
        .arg(format!("--conf-file={}", file.display()))
        .arg(format!("--dhcp-leasefile={}", folder.join("leases").display()))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("dnsmasq (package dnsmasq-base)")
}

/// From power-on over DHCP to a live system with its config.
async fn comes_up(firmware: Firmware) -> Result<String> {
    let lan = Lan::open().await?;
    lan.armed().await?;
    let mut vm = lan.power_on(firmware)?;
    let log = lan.site.path("dnsmasq/log");
    let serial = match vm.wait_for(initramfs::END).await {
        Ok(serial) => serial.to_owned(),
        Err(error) => return Err(error.context(fs::read_to_string(log)?)),
    };
    assert!(serial.contains("config.ign mode 600:0:0"), "{serial}");
    assert_eq!(lan.site.admin.stage("r1").await?, "netbooting");
    vm.power_off().await?;
    let said = fs::read_to_string(log)?;
    lan.close().await?;
    Ok(said)
}

#[tokio::test]
async fn a_machine_with_ipxe_on_its_card_is_led_to_the_first_script() -> Result<()> {
    let dnsmasq = comes_up(Firmware::Bios).await?;
    assert!(dnsmasq.contains("http://192.0.2.1:8080/boot.ipxe"), "{dnsmasq}");
    assert!(!dnsmasq.contains("sent /usr/lib/ipxe/"), "{dnsmasq}");
    Ok(())
}

#[tokio::test]
async fn a_uefi_machine_that_can_only_pxe_gets_ipxe_first() -> Result<()> {
    let dnsmasq = comes_up(Firmware::Uefi).await?;
    assert!(dnsmasq.contains("sent /usr/lib/ipxe/ipxe.efi"), "{dnsmasq}");
    assert!(dnsmasq.contains("http://192.0.2.1:8080/boot.ipxe"), "{dnsmasq}");
    Ok(())
}
