//! What a machine is made of: what iPXE and DMI say of it, and its disks.

use thirdboot_api::boot::{DiskBody, DmiBody};

/// Size of a sample disk: a 480 GB SSD.
const DISK_BYTES: u64 = 480_103_981_056;

/// One machine's identity and disks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hardware {
    /// Network cards, the booting one first.
    pub macs: Vec<String>,
    /// SMBIOS serial.
    pub serial: String,
    /// SMBIOS UUID.
    pub uuid: String,
    /// SMBIOS product.
    pub product: String,
    /// Its disks, the one to be installed first.
    pub disks: Vec<DiskBody>,
}

impl Hardware {
    /// The machine of a number; different numbers share nothing.
    #[must_use]
    pub fn number(n: u32) -> Self {
        let digits = format!("{n:08x}");
        let (high, low) = digits.split_at(4);
        let pairs = |half: &str| format!("{}:{}", &half[..2], &half[2..]);
        // 02: a locally administered address, so that no real card has it.
        let mac = |port: u8| format!("02:{}:{}:{port:02x}", pairs(high), pairs(low));
        let serial = format!("D{n:07}");
        Self {
            macs: vec![mac(1), mac(2)],
            serial: format!("SIM-{n:07}"),
            uuid: format!("7b1d0000-5a4c-4e00-8000-0000{n:08x}"),
            product: "Sample 1U".to_owned(),
            disks: vec![DiskBody {
                path: format!("/dev/disk/by-id/nvme-SAMPLE_{serial}"),
                wwn: Some(format!("0x5000{n:012x}")),
                serial: Some(serial),
                model: Some("SAMPLE 480".to_owned()),
                size_bytes: DISK_BYTES,
                ..DiskBody::default()
            }],
        }
    }

    /// The same with something recognisable on its first disk.
    #[must_use]
    pub fn holding(mut self, what: &str) -> Self {
        if let Some(disk) = self.disks.first_mut() {
            disk.holds.push(what.to_owned());
        }
        self
    }

    pub(crate) fn dmi(&self) -> DmiBody {
        DmiBody {
            serial: Some(self.serial.clone()),
            uuid: Some(self.uuid.clone()),
            product: Some(self.product.clone()),
        }
    }

    /// A setting as iPXE has it; an unset one is empty.
    pub(crate) fn setting(&self, name: &str) -> String {
        let mac = |at: usize| self.macs.get(at).cloned().unwrap_or_default();
        match name {
            "net0/mac" | "netX/mac" | "mac" => mac(0),
            "net1/mac" => mac(1),
            "uuid" => self.uuid.clone(),
            "serial" => self.serial.clone(),
            "manufacturer" => "Sample Works".to_owned(),
            "product" => self.product.clone(),
            "buildarch" => "x86_64".to_owned(),
            "platform" => "efi".to_owned(),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_machines_share_nothing() {
        let (a, b) = (Hardware::number(255), Hardware::number(256));
        assert!(a.macs.iter().all(|mac| !b.macs.contains(mac)));
        assert_eq!(a.macs[0], "02:00:00:00:ff:01");
        assert_ne!((a.serial, a.uuid, a.disks), (b.serial, b.uuid, b.disks));
    }
}
