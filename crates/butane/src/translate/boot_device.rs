//! The boot device: mirrored, encrypted or both.

use super::{Origins, Translator, luks};
use crate::ignition::{Clevis, Config, Disk, Filesystem, Luks, Partition, Raid};
use crate::path::place;
use crate::schema::{BootDevice, BootDeviceLuks};

const BIOS_GUID: &str = "21686148-6449-6E6F-744E-656564454649";
const ESP_GUID: &str = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
const PREP_GUID: &str = "9E1A2D38-C612-4316-AA26-8B49521E5A8B";
const RESERVED_GUID: &str = "8DA63339-0007-60C0-C436-083AC8230908";

const BIOS_MIB: i64 = 1;
const ESP_MIB: i64 = 127;
const PREP_MIB: i64 = 4;
const RESERVED_MIB: i64 = 1;
const BOOT_MIB: i64 = 384;

/// A partition of the image: the stem of its label, its size and its type.
type Part = (&'static str, i64, &'static str);

/// The first two partitions of the image for an architecture.
fn leading_parts(layout: Option<&str>) -> [Part; 2] {
    const ESP: Part = ("esp", ESP_MIB, ESP_GUID);
    const RESERVED: Part = ("reserved", RESERVED_MIB, RESERVED_GUID);
    match layout {
        None | Some("x86_64") => [("bios", BIOS_MIB, BIOS_GUID), ESP],
        Some("aarch64") => [RESERVED, ESP],
        Some("ppc64le") => [("prep", PREP_MIB, PREP_GUID), RESERVED],
        Some(_) => [RESERVED, RESERVED],
    }
}

impl Translator<'_> {
    pub(super) fn boot_device(&mut self, device: &BootDevice) {
        let encrypted =
            device.luks.tpm2 == Some(true) || !device.luks.tang.is_empty() || device.luks.cex.enabled == Some(true);
        let mirrored = !device.mirror.devices.is_empty();
        if !encrypted && !mirrored {
            return;
        }
        let mut generated = Config::default();
        let mut origins = Origins::default();
        let layout = device.layout.as_deref();
        if mirrored {
            mirror(&device.mirror.devices, layout, &mut generated, &mut origins);
        }
        if encrypted {
            generated.storage.luks.push(volume(&device.luks, layout, mirrored));
            luks_origins(&device.luks, &mut origins);
        }
        let root = if encrypted {
            "/dev/mapper/root"
        } else {
            "/dev/md/md-root"
        };
        let json = place!["storage", "filesystems", generated.storage.filesystems.len()];
        origins.add_all(json, place!["boot_device"]);
        generated.storage.filesystems.push(filesystem(root, "xfs", "root"));
        self.merge_onto(&generated, &origins);
    }
}

fn mirror(devices: &[String], layout: Option<&str>, generated: &mut Config, origins: &mut Origins) {
    let leading = leading_parts(layout);
    let storage = &mut generated.storage;
    for (index, device) in devices.iter().enumerate() {
        let number = index + 1;
        let yaml = place!["boot_device", "mirror", "devices", index];
        let mut partitions: Vec<Partition> = leading
            .iter()
            .map(|(stem, size, guid)| Partition {
                type_guid: Some((*guid).to_owned()),
                ..partition(stem, number, Some(*size))
            })
            .collect();
        partitions.push(partition("boot", number, Some(BOOT_MIB)));
        partitions.push(partition("root", number, None));
        origins.add_all(place!["storage", "disks", index], yaml.clone());
        storage.disks.push(Disk {
            device: device.clone(),
            partitions,
            wipe_table: Some(true),
        });
        if leading.iter().any(|(stem, ..)| *stem == "esp") {
            let label = format!("esp-{number}");
            origins.add_all(place!["storage", "filesystems", storage.filesystems.len()], yaml);
            storage
                .filesystems
                .push(filesystem(&format!("/dev/disk/by-partlabel/{label}"), "vfat", &label));
        }
    }
    let array = |stem: &str, options: &[&str]| Raid {
        devices: (1..=devices.len())
            .map(|number| format!("/dev/disk/by-partlabel/{stem}-{number}"))
            .collect(),
        level: Some("raid1".to_owned()),
        name: format!("md-{stem}"),
        options: options.iter().map(|option| (*option).to_owned()).collect(),
        spares: None,
    };
    // With its metadata at the end, a firmware that knows nothing of RAID can read the partition.
    storage.raid = vec![array("boot", &["--metadata=1.0"]), array("root", &[])];
    let yaml = place!["boot_device", "mirror"];
    origins.add_all(place!["storage", "raid"], yaml.clone());
    origins.add_all(place!["storage", "filesystems", storage.filesystems.len()], yaml);
    storage.filesystems.push(filesystem("/dev/md/md-boot", "ext4", "boot"));
}

fn partition(stem: &str, number: usize, size_mib: Option<i64>) -> Partition {
    Partition {
        label: Some(format!("{stem}-{number}")),
        size_mib,
        ..Partition::default()
    }
}

fn filesystem(device: &str, format: &str, label: &str) -> Filesystem {
    Filesystem {
        device: device.to_owned(),
        format: Some(format.to_owned()),
        label: Some(label.to_owned()),
        wipe_filesystem: Some(true),
        ..Filesystem::default()
    }
}

fn volume(from: &BootDeviceLuks, layout: Option<&str>, mirrored: bool) -> Luks {
    let whole = from.device.as_deref().unwrap_or_default();
    let device = match layout {
        Some("s390x-eckd") => format!("{whole}2"),
        Some("s390x-zfcp") => format!("{whole}4"),
        _ if mirrored => "/dev/md/md-root".to_owned(),
        _ => "/dev/disk/by-partlabel/root".to_owned(),
    };
    let by_cex = from.cex.enabled == Some(true);
    let clevis = Clevis {
        custom: None,
        tang: luks::tang(&from.tang),
        threshold: from.threshold,
        tpm2: from.tpm2,
    };
    Luks {
        cex: if by_cex { luks::cex(from.cex.enabled) } else { None },
        clevis: (!by_cex).then_some(clevis),
        device: Some(device),
        discard: from.discard,
        label: Some("luks-root".to_owned()),
        name: "root".to_owned(),
        wipe_volume: Some(true),
        ..Luks::default()
    }
}

fn luks_origins(from: &BootDeviceLuks, origins: &mut Origins) {
    let (yaml, json) = (place!["boot_device", "luks"], place!["storage", "luks", 0]);
    for key in ["device", "label", "name", "wipeVolume"] {
        origins.add(json.join(key), yaml.clone());
    }
    origins.add(json.join("discard"), yaml.join("discard"));
    origins.add(json.join("cex").join("enabled"), yaml.join("cex").join("enabled"));
    origins.add(json.join("cex"), yaml.clone());
    origins.add(json.join("clevis"), yaml.clone());
    let (yaml_tang, json_tang) = (yaml.join("tang"), json.join("clevis").join("tang"));
    for index in 0..from.tang.len() {
        for key in ["advertisement", "thumbprint", "url"] {
            origins.add(json_tang.join(index).join(key), yaml_tang.join(index).join(key));
        }
        origins.add(json_tang.join(index), yaml_tang.join(index));
    }
    for key in ["threshold", "tpm2"] {
        origins.add(json.join("clevis").join(key), yaml.join(key));
    }
    origins.add(json, yaml);
}
