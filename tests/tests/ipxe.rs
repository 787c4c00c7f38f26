//! A real iPXE in a virtual machine against the real server: `tests/run ipxe`.

use anyhow::Result;
use axum::Router;
use axum::routing::get;
use thirdboot_tests::host::Hardware;
use thirdboot_tests::vm::{Firmware, Plan, Vm, disk, initramfs};

async fn rig(script: &'static str, firmware: Firmware) -> Result<Vm> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let base = format!("http://10.0.2.2:{port}");
    let text = script.replace("BASE", &base);
    let kernel = std::fs::read(std::env::var("THIRDBOOT_KERNEL")?)?;
    let image = initramfs::build()?;
    let mut cfg = Vec::new();
    {
        use std::io::Write;
        let d = b"{\"a\":1}";
        let n = "config.ign";
        write!(
            cfg,
            "070701{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{n}\0",
            1,
            0o100_600,
            0,
            0,
            1,
            0,
            d.len(),
            0,
            0,
            0,
            0,
            n.len() + 1,
            0
        )?;
        cfg.resize(cfg.len().next_multiple_of(4), 0);
        cfg.extend(d);
        cfg.resize(cfg.len().next_multiple_of(4), 0);
        let n = "TRAILER!!!";
        write!(
            cfg,
            "070701{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{n}\0",
            0,
            0,
            0,
            0,
            1,
            0,
            0,
            0,
            0,
            0,
            0,
            n.len() + 1,
            0
        )?;
        cfg.resize(cfg.len().next_multiple_of(4), 0);
    }
    let router = Router::new()
        .route("/boot.ipxe", get(move || async move { text }))
        .route("/kernel", get(move || async move { kernel }))
        .route("/initramfs", get(move || async move { image }))
        .route("/config.cpio", get(move || async move { cfg }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let dir = tempfile::TempDir::new()?.keep();
    disk::write(&dir.join("disk"))?;
    Vm::power_on(&Plan {
        firmware,
        hardware: Hardware::number(1),
        boot_url: format!("{base}/boot.ipxe"),
        disk: dir.join("disk"),
    })
}

#[tokio::test]
async fn a_disk() -> Result<()> {
    let mut vm = rig("#!ipxe\nexit\n", Firmware::Bios).await?;
    vm.wait_for(disk::MARKER).await?;
    Ok(())
}

const INSTALL: &str = "#!ipxe\nkernel BASE/kernel initrd=config initrd=main console=ttyS0\ninitrd --name config BASE/config.cpio\ninitrd --name main BASE/initramfs\nboot\n";

#[tokio::test]
async fn a_kernel() -> Result<()> {
    let mut vm = rig(INSTALL, Firmware::Bios).await?;
    println!("{}", vm.wait_for(initramfs::END).await?);
    Ok(())
}
#[tokio::test]
async fn a_kernel_uefi() -> Result<()> {
    let mut vm = rig(INSTALL, Firmware::Uefi).await?;
    println!("{}", vm.wait_for(initramfs::END).await?);
    Ok(())
}
