//! What stands in the rack when a history begins.

use jiff::Timestamp;
use thirdboot_lifecycle::{Disk, Host, Mac, Serial};

/// How many hosts and machines there are.
pub const MACHINES: usize = 3;

/// A machine in the rack: what it is, and what is on its disk. No database changes that.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub(super) mac: Mac,
    pub(super) serial: Serial,
    pub(super) disk: Disk,
    pub(super) boot: u32,
    /// Further cards: iPXE names the first, a claim all.
    pub(super) extra: Vec<Mac>,
}

/// The hosts of every fleet: the first is pinned at its first boot, the others are described in full.
#[must_use]
pub fn hosts() -> Vec<Host> {
    machines()
        .into_iter()
        .enumerate()
        .map(|(n, machine)| {
            let mut host: Host = serde_json::from_str(&format!(r#"{{"name":"node-{n}","role":"agent"}}"#)).unwrap();
            host.macs = vec![machine.mac];
            host.serial = (n > 0).then(|| machine.serial.clone());
            host
        })
        .collect()
}

/// When every history begins.
#[must_use]
pub fn noon() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(super) fn machines() -> Vec<Machine> {
    (0..MACHINES)
        .map(|n| Machine {
            mac: format!("52:54:00:00:00:0{n}").parse().unwrap(),
            serial: format!("SERIAL-{n}").parse().unwrap(),
            disk: Disk {
                path: format!("/dev/disk/by-id/d{n}"),
                serial: Some(format!("DISK-{n}")),
                size_bytes: 64 << 30,
                ..Disk::default()
            },
            boot: 1,
            extra: Vec::new(),
        })
        .collect()
}
