//! Hardware: a QEMU without KVM that keeps its disks, and whose plug can be pulled.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::Child;

use super::disk::Disk;
use super::serial::Serial;
use crate::bound;
use crate::vm::Firmware;

/// Where Debian's package ovmf puts the firmware.
const OVMF: &str = "/usr/share/OVMF/OVMF_CODE_4M.fd";

/// A cable to a socket on loopback: what is sent goes to `to`, what comes is read on `from`.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    /// The machine's own port.
    pub from: u16,
    /// The other end's.
    pub to: u16,
}

/// A network card beside the one that boots.
#[derive(Clone, Debug)]
pub struct Card {
    /// Its address.
    pub mac: String,
    /// What it is plugged into.
    pub wire: Wire,
}

/// One machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its name, and that of its files.
    pub name: String,
    /// How it starts.
    pub firmware: Firmware,
    /// SMBIOS UUID.
    pub uuid: String,
    /// SMBIOS serial number.
    pub serial: String,
    /// The card that boots, on QEMU's own network: 10.0.2.2 is this process's loopback.
    pub mac: String,
    /// Further cards.
    pub cards: Vec<Card>,
    /// Disks, the one that boots first.
    pub disks: Vec<Disk>,
    /// The URL that DHCP names.
    pub boot_url: String,
    /// The port on loopback that the machine reaches as 10.0.2.9:80, where the image's own
    /// package repository points.
    pub repository: u16,
    /// Where its serial log goes.
    pub folder: PathBuf,
    /// What it says, each time that it is on, is kept here too.
    pub heard: Heard,
}

/// The serial ports of a room: machine and what it said, in the order of their being switched on.
pub type Heard = Arc<Mutex<Vec<(String, Serial)>>>;

/// A machine that is switched on. Dropping it pulls the plug.
#[derive(Debug)]
pub struct Powered {
    /// What it says.
    pub serial: Serial,
    child: Child,
    monitor: PathBuf,
}

impl Machine {
    /// Switches it on.
    ///
    /// # Errors
    /// When nothing can be started. Without a QEMU the machine is off at once, and standard error says why.
    pub fn power_on(&self) -> Result<Powered> {
        let monitor = self.folder.join(format!("{}.qmp", self.name));
        let mut command = bound::command("qemu-system-x86_64");
        command
            .args(["-accel", "tcg", "-machine", "q35,graphics=off", "-cpu", "qemu64"])
            // One processor: with two, an emulated kernel was seen to lock up for ever as it started.
            .args(["-smp", "1", "-m", "2048", "-nodefaults", "-display", "none"])
            .args(["-serial", "stdio", "-device", "virtio-rng-pci"])
            .args(["-qmp", &format!("unix:{},server,nowait", monitor.display())])
            .args(["-uuid", &self.uuid])
            .args([
                "-smbios",
                &format!("type=1,manufacturer=Virtual,product=Metal,serial={}", self.serial),
            ])
            .args([
                "-netdev",
                &format!(
                    "user,id=boot,bootfile={},guestfwd=tcp:10.0.2.9:80-cmd:busybox nc 127.0.0.1 {}",
                    self.boot_url, self.repository
                ),
            ])
            .args([
                "-device",
                &format!("virtio-net-pci,netdev=boot,mac={},bootindex=1", self.mac),
            ]);
        for (n, card) in self.cards.iter().enumerate() {
            let Wire { from, to } = card.wire;
            command
                .args([
                    "-netdev",
                    &format!(
                        "dgram,id=card{n},local.type=inet,local.host=127.0.0.1,local.port={from},\
                         remote.type=inet,remote.host=127.0.0.1,remote.port={to}"
                    ),
                ])
                // A speed and full duplex: without them LACP does not negotiate.
                .args([
                    "-device",
                    &format!(
                        "virtio-net-pci,id=card{n}-device,netdev=card{n},mac={},romfile=,speed=10000,duplex=full",
                        card.mac
                    ),
                ]);
        }
        for (n, disk) in self.disks.iter().enumerate() {
            command
                .args([
                    "-drive",
                    &format!(
                        "file={},format=raw,if=none,id=disk{n},cache=unsafe",
                        disk.file.display()
                    ),
                ])
                .args([
                    "-device",
                    &format!(
                        "virtio-blk-pci,drive=disk{n},serial={},bootindex={}",
                        disk.serial,
                        n + 2
                    ),
                ]);
        }
        if self.firmware == Firmware::Uefi {
            command.args(["-drive", &format!("if=pflash,format=raw,readonly=on,file={OVMF}")]);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("setpriv (package util-linux)")?;
        let port = child.stdout.take().context("no serial port")?;
        let serial = Serial::follow(port, &self.folder.join(format!("{}.serial.log", self.name)))?;
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.push((self.name.clone(), serial.clone()));
        Ok(Powered { serial, child, monitor })
    }
}

impl Powered {
    /// Pulls the plug, and waits until the machine is off.
    ///
    /// # Errors
    /// When QEMU cannot be killed.
    pub async fn pull_the_plug(mut self) -> Result<Serial> {
        self.child.kill().await?;
        Ok(self.serial)
    }

    /// Plugs a card's cable in or out: `boot`, `card0`, `card1` …
    ///
    /// # Errors
    /// When QEMU refuses.
    pub async fn set_link(&self, card: &str, up: bool) -> Result<()> {
        self.ask("set_link", json!({"name": card, "up": up})).await
    }

    /// Stops its processors: it stands still and knows nothing of it.
    ///
    /// # Errors
    /// When QEMU refuses.
    pub async fn pause(&self) -> Result<()> {
        self.ask("stop", json!({})).await
    }

    /// Lets them go on.
    ///
    /// # Errors
    /// When QEMU refuses.
    pub async fn go_on(&self) -> Result<()> {
        self.ask("cont", json!({})).await
    }

    async fn ask(&self, verb: &str, arguments: Value) -> Result<()> {
        let (reader, mut writer) = UnixStream::connect(&self.monitor).await?.into_split();
        let mut lines = BufReader::new(reader).lines();
        lines.next_line().await?.context("no greeting")?;
        for request in [
            json!({"execute": "qmp_capabilities"}),
            json!({"execute": verb, "arguments": arguments}),
        ] {
            writer.write_all(format!("{request}\n").as_bytes()).await?;
            loop {
                let line = lines.next_line().await?.context("the monitor closed")?;
                let answer: Value = serde_json::from_str(&line)?;
                if answer.get("event").is_none() {
                    ensure!(answer.get("return").is_some(), "{request}: {answer}");
                    break;
                }
            }
        }
        Ok(())
    }
}
