//! `POST /v1/claim`: "may I write this disk?"

use serde::{Deserialize, Serialize};

/// The live system's last question before it writes. Sent with the run's live secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimBody {
    /// The run whose permit is claimed, counted per host from 1.
    pub run: u32,
    /// The kernel's `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
    /// What the firmware says of the machine.
    #[serde(default)]
    pub dmi: DmiBody,
    /// Every network card's permanent MAC.
    #[serde(default)]
    pub macs: Vec<String>,
    /// The disk it would write.
    pub disk: DiskBody,
    /// Every disk of the machine, the chosen one among them.
    #[serde(default)]
    pub disks: Vec<DiskBody>,
}

/// SMBIOS (DMI) identity, as `/sys/class/dmi/id` gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DmiBody {
    /// `product_serial`.
    pub serial: Option<String>,
    /// `product_uuid`.
    pub uuid: Option<String>,
    /// `product_name`.
    pub product: Option<String>,
}

/// One disk as the live system found it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskBody {
    /// Its stable path, `/dev/disk/by-id/…` where it has one.
    pub path: String,
    /// Further stable paths of the same disk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// Its serial, as the kernel gives it.
    #[serde(default)]
    pub serial: Option<String>,
    /// Its World Wide Name.
    #[serde(default)]
    pub wwn: Option<String>,
    /// Its model.
    #[serde(default)]
    pub model: Option<String>,
    /// Its size in bytes.
    #[serde(default)]
    pub size_bytes: u64,
    /// What was recognised on it, a word each: `ceph-bluestore`, `lvm`, `md`, `zfs`, `luks`, `btrfs`, `xfs`, `ext4`,
    /// `vfat`, `ntfs`, `swap`, `partition-table`, `boot-label`, `other`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<String>,
    /// The earlier install it carries, by the mark on its `boot` file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PreviousBody>,
    /// A removable medium is never chosen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removable: bool,
    /// A read-only medium is never chosen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

/// The mark that an install leaves on its disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviousBody {
    /// The name of the host it was.
    pub host: String,
    /// Which of that host's runs.
    pub run: u32,
}

/// 200: write. Any other status: do not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantAnswer {
    /// Always true in a 200.
    pub granted: bool,
    /// Which attempt of the permit this is, from 1.
    pub attempt: u8,
    /// How many the permit allows.
    pub of: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"{"run": 3, "boot_id": "b-1", "dmi": {"serial": "S", "uuid": "U", "product": "P"}, "macs": ["m"],
        "disk": {"path": "/dev/disk/by-id/x", "serial": "D", "wwn": "w", "model": "M", "size_bytes": 9,
                 "holds": ["ceph-bluestore"], "previous": {"host": "a", "run": 2}},
        "disks": [{"path": "/dev/disk/by-id/x"}]}"#;

    #[test]
    fn the_protocols_sample_is_read_and_written_again() {
        let claim: ClaimBody = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!(
            claim.disk.previous,
            Some(PreviousBody {
                host: "a".into(),
                run: 2
            })
        );
        let again: ClaimBody = serde_json::from_str(&serde_json::to_string(&claim).unwrap()).unwrap();
        assert_eq!(again, claim);
    }

    #[test]
    fn an_unknown_field_is_refused_at_every_level() {
        for (known, unknown) in [
            ("\"run\": 3", "\"x\": 1, \"run\": 3"),
            ("\"product\"", "\"vendor\""),
            ("\"wwn\"", "\"eui\""),
        ] {
            let error = serde_json::from_str::<ClaimBody>(&SAMPLE.replace(known, unknown)).unwrap_err();
            assert!(error.to_string().contains("unknown field"), "{error}");
        }
    }
}
