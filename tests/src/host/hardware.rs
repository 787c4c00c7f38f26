//! What a machine is made of: what iPXE and DMI say of it, and its disks.

use serde_json::{Value, json};
use uuid::Uuid;

/// A disk as the pre-install check describes it.
#[derive(Clone, Debug)]
pub struct Disk {
    /// Its path by id.
    pub path: String,
    /// Its serial number.
    pub serial: String,
    /// Its size.
    pub size_bytes: u64,
    /// What was recognised on it.
    pub holds: Vec<&'static str>,
    /// The host and run of an earlier install.
    pub previous: Option<(String, u64)>,
}

impl Disk {
    /// An empty disk of 480 GB.
    pub fn empty(serial: &str) -> Self {
        Self {
            path: format!("/dev/disk/by-id/nvme-SAMPLE_{serial}"),
            serial: serial.to_owned(),
            size_bytes: 480_103_981_056,
            holds: Vec::new(),
            previous: None,
        }
    }

    /// The same disk with something on it.
    #[must_use]
    pub fn holding(mut self, what: &'static str) -> Self {
        self.holds.push(what);
        self
    }

    /// As the claim carries it.
    pub fn json(&self) -> Value {
        let mut disk = json!({
            "path": self.path, "serial": self.serial, "wwn": format!("0x5000{}", self.serial),
            "model": "SAMPLE", "size_bytes": self.size_bytes, "holds": self.holds,
        });
        if let Some((host, run)) = &self.previous {
            disk["previous"] = json!({"host": host, "run": run});
        }
        disk
    }
}

/// One machine's identity and disks.
#[derive(Clone, Debug)]
pub struct Hardware {
    /// Network ports, the booting one first.
    pub macs: Vec<String>,
    /// DMI's serial number.
    pub serial: String,
    /// DMI's UUID.
    pub uuid: Uuid,
    /// Its disks, the first one being installed to.
    pub disks: Vec<Disk>,
}

impl Hardware {
    /// The machine of a number; different numbers share nothing.
    pub fn number(n: u8) -> Self {
        Self {
            macs: vec![format!("52:54:00:00:{n:02x}:01"), format!("52:54:00:00:{n:02x}:02")],
            serial: format!("SN-{n:04}"),
            uuid: Uuid::from_u128(0x3f2a_0000_0000_4000_8000_0000_0000_0000 + u128::from(n)),
            disks: vec![Disk::empty(&format!("D{n:04}"))],
        }
    }

    /// A setting as iPXE has it; unknown ones are empty.
    pub fn setting(&self, name: &str) -> String {
        match name {
            "net0/mac" | "netX/mac" | "mac" => self.macs.first().cloned().unwrap_or_default(),
            "net1/mac" => self.macs.get(1).cloned().unwrap_or_default(),
            "uuid" => self.uuid.to_string(),
            "serial" => self.serial.clone(),
            "manufacturer" => "Sample Works".to_owned(),
            "product" => "Rack/1U".to_owned(),
            "buildarch" => "x86_64".to_owned(),
            "platform" => "efi".to_owned(),
            _ => String::new(),
        }
    }

    /// The body of a claim for the first disk.
    pub fn claim(&self, run: u64, boot_id: Uuid) -> Value {
        let disks: Vec<Value> = self.disks.iter().map(Disk::json).collect();
        json!({
            "run": run, "boot_id": boot_id,
            "dmi": {"serial": self.serial, "uuid": self.uuid, "product": "Rack/1U"},
            "macs": self.macs, "disk": disks.first(), "disks": disks,
        })
    }
}
