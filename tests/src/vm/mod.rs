//! A virtual machine that boots from the network: QEMU without KVM, Debian's iPXE ROM.
//!
//! Its firmware, iPXE, kernel and boot sector all speak on the serial port, which is this
//! process's pipe: tests wait for words there, and fail at once on words that mean the end.

pub mod disk;
pub mod initramfs;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;

use crate::bound;
use crate::host::Hardware;

/// How the machine starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// QEMU's own, as old servers have it.
    Bios,
    /// OVMF, as new servers have it.
    Uefi,
}

/// Where Debian's package ovmf puts the firmware.
const OVMF: &str = "/usr/share/OVMF/OVMF_CODE_4M.fd";

/// This process's loopback as the machine sees it.
pub const LOOPBACK: &str = "10.0.2.2";

/// Words on the serial port after which nothing good follows.
const ENDS: [&str; 5] = [
    "No bootable",
    "Kernel panic",
    "Initramfs unpacking failed",
    "Boot Failed",
    "Operating System not found",
];

/// Outer bound of waiting for a word: a kernel starts 7 s after power-on on two idle cores.
const WORD_LIMIT: Duration = Duration::from_secs(900);

/// What a network card is plugged into.
#[derive(Clone, Debug)]
pub enum Network {
    /// QEMU's own network, whose DHCP server names this URL to everybody.
    Named(String),
    /// An interface of this host, with whatever DHCP server there is.
    Tap(&'static str),
}

/// What is switched on.
#[derive(Debug)]
pub struct Plan {
    /// How it starts.
    pub firmware: Firmware,
    /// Its identifiers.
    pub hardware: Hardware,
    /// What its network card is plugged into.
    pub network: Network,
    /// Its disk, second in the boot order.
    pub disk: PathBuf,
}

impl Plan {
    fn netdev(&self) -> String {
        match &self.network {
            Network::Named(url) => format!("user,id=n0,bootfile={url}"),
            Network::Tap(interface) => format!("tap,id=n0,ifname={interface},script=no,downscript=no"),
        }
    }

    /// A UEFI machine on a real network has no iPXE on its card: its firmware gets one by PXE.
    fn rom(&self) -> &'static str {
        match (self.firmware, &self.network) {
            (Firmware::Uefi, Network::Tap(_)) => ",romfile=",
            _ => "",
        }
    }
}

/// A machine that is switched on. Dropping it pulls the plug.
#[derive(Debug)]
pub struct Vm {
    child: Child,
    serial: ChildStdout,
    log: String,
}

impl Vm {
    /// Switches the machine on.
    ///
    /// # Errors
    /// When nothing can be started. Without a QEMU the machine is off at once, and standard error says why.
    pub fn power_on(plan: &Plan) -> Result<Self> {
        let mac = plan.hardware.macs.first().context("no MAC")?;
        let mut command = bound::command("qemu-system-x86_64");
        command
            .args([
                "-accel",
                "tcg",
                "-machine",
                "q35,graphics=off",
                "-cpu",
                "qemu64",
                "-m",
                "512",
            ])
            .args(["-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio"])
            .args(["-uuid", &plan.hardware.uuid.to_string()])
            .args(["-smbios", &format!("type=1,serial={}", plan.hardware.serial)])
            .args(["-netdev", &plan.netdev()])
            .args([
                "-device",
                &format!("virtio-net-pci,netdev=n0,mac={mac},bootindex=1{}", plan.rom()),
            ])
            .args([
                "-drive",
                &format!("file={},format=raw,if=none,id=d0", plan.disk.display()),
            ])
            .args(["-device", "virtio-blk-pci,drive=d0,bootindex=2"])
            .args(["-device", "virtio-rng-pci"]);
        if plan.firmware == Firmware::Uefi {
            command.args(["-drive", &format!("if=pflash,format=raw,readonly=on,file={OVMF}")]);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("setpriv (package util-linux)")?;
        let serial = child.stdout.take().context("no serial port")?;
        Ok(Self {
            child,
            serial,
            log: String::new(),
        })
    }

    /// Waits until a word stands on the serial port; gives everything said up to now.
    ///
    /// # Errors
    /// When a word of the end comes first, the machine goes off, or the outer bound passes.
    pub async fn wait_for(&mut self, word: &str) -> Result<&str> {
        let seen = timeout(WORD_LIMIT, self.read_until(word)).await;
        match seen {
            Ok(Ok(())) => Ok(&self.log),
            Ok(Err(error)) => bail!("{error} while waiting for {word:?}:\n{}", self.log),
            Err(_) => bail!("no {word:?} within {} s:\n{}", WORD_LIMIT.as_secs(), self.log),
        }
    }

    async fn read_until(&mut self, word: &str) -> Result<()> {
        let mut buffer = [0; 4096];
        while !self.log.contains(word) {
            if let Some(end) = ENDS.iter().find(|end| self.log.contains(**end)) {
                bail!("the serial port says {end:?}");
            }
            let length = self.serial.read(&mut buffer).await?;
            if length == 0 {
                bail!("the machine went off ({})", self.child.wait().await?);
            }
            self.log.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
        Ok(())
    }

    /// Pulls the plug and waits until it is off.
    ///
    /// # Errors
    /// When QEMU cannot be killed.
    pub async fn power_off(mut self) -> Result<String> {
        self.child.kill().await?;
        Ok(self.log)
    }
}
