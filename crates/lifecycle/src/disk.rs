//! Disks as a live system reports them, and which one may be written.

use serde::{Deserialize, Serialize};

use crate::text::checked_text;
use crate::{HostName, RunNumber};

/// Smallest disk that is considered, in bytes (8 GiB): Fedora CoreOS wants that much for its root alone.
pub const MIN_DISK_BYTES: u64 = 8 << 30;

/// Names a disk: by an id path, a serial or a WWN. All three are compared, since an admin copies what is at hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DiskSelector(Box<str>);

/// Text that names no disk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} does not name a disk: expected a path below /dev/disk/by-id/ or /dev/disk/by-path/, a serial or a WWN")]
pub struct InvalidSelector(String);

impl DiskSelector {
    /// Whether it names `disk`.
    #[must_use]
    pub fn names(&self, disk: &Disk) -> bool {
        let equals = |other: &Option<String>| other.as_deref().is_some_and(|other| other == &*self.0);
        disk.path == *self.0
            || disk.links.iter().any(|link| *link == *self.0)
            || equals(&disk.serial)
            || equals(&disk.wwn)
    }
}

impl std::str::FromStr for DiskSelector {
    type Err = InvalidSelector;

    fn from_str(text: &str) -> Result<Self, InvalidSelector> {
        // Kernel names such as /dev/sda move between boots: FACTS.md and DESIGN.md allow id paths, serials and WWNs.
        let is_stable = !text.starts_with('/')
            || (["/dev/disk/by-id/", "/dev/disk/by-path/"]
                .iter()
                .any(|dir| text.strip_prefix(dir).is_some_and(|rest| !rest.is_empty()))
                && !text.contains(".."));
        let is_plain = (1..=256).contains(&text.len())
            && text
                .chars()
                .all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '\\' | '`' | '$'));
        if is_stable && is_plain {
            Ok(Self(text.into()))
        } else {
            Err(InvalidSelector(text.chars().take(80).collect()))
        }
    }
}

checked_text!(DiskSelector, InvalidSelector);

/// One disk as the live system found it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
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
    /// Its model, for people.
    #[serde(default)]
    pub model: Option<String>,
    /// Its size in bytes.
    #[serde(default)]
    pub size_bytes: u64,
    /// What was recognised on it, one word each (`ceph-bluestore`, `lvm`, `boot-label` …).
    #[serde(default)]
    pub holds: Vec<String>,
    /// The install of this service that it carries.
    #[serde(default)]
    pub previous: Option<Previous>,
    /// A removable medium is never chosen.
    #[serde(default)]
    pub removable: bool,
    /// A read-only medium is never chosen.
    #[serde(default)]
    pub read_only: bool,
}

/// The mark that an install leaves on its disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// Whose install it was.
    pub host: HostName,
    /// Which of its runs.
    pub run: RunNumber,
}

impl Disk {
    /// Whether it is a candidate when no disk was named.
    #[must_use]
    pub fn is_eligible(&self) -> bool {
        self.size_bytes >= MIN_DISK_BYTES && !self.removable && !self.read_only
    }

    /// Whether `other` is the same disk: a serial or WWN decides where both have one, else the path.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.wwn, &other.wwn, &self.serial, &other.serial) {
            (Some(ours), Some(theirs), _, _) | (_, _, Some(ours), Some(theirs)) => ours == theirs,
            _ => self.path == other.path,
        }
    }

    /// A short name for people: path, and serial where it has one.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.serial {
            Some(serial) => format!("{} (serial {serial})", self.path),
            None => self.path.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_name_does_not_name_a_disk() {
        for bad in [
            "/dev/sda",
            "",
            "/dev/disk/by-id/",
            "/dev/disk/by-id/../../sda",
            "a b",
            "$(reboot)",
        ] {
            assert!(bad.parse::<DiskSelector>().is_err(), "{bad:?}");
        }
        for good in [
            "/dev/disk/by-id/nvme-X_1",
            "S3RI4L",
            "0x5000c500a1b2c3d4",
            "eui.0025388b710116a5",
        ] {
            assert!(good.parse::<DiskSelector>().is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_selector_matches_path_serial_or_wwn() {
        let disk = Disk {
            path: "/dev/disk/by-id/x".into(),
            serial: Some("S1".into()),
            wwn: Some("0xabc".into()),
            ..Disk::default()
        };
        for text in ["/dev/disk/by-id/x", "S1", "0xabc"] {
            assert!(text.parse::<DiskSelector>().unwrap().names(&disk));
        }
        assert!(!"S2".parse::<DiskSelector>().unwrap().names(&disk));
    }
}
