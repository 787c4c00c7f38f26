//! What is odd about partitions, but no error.

use super::Translator;
use crate::ignition::Partition;
use crate::path::place;
use crate::report::Kind;

/// The room that the root filesystem should have.
const ROOT_SIZE_MIB: i64 = 8192;
/// Since which minor version the size of the root partition is looked at.
const ROOT_SIZE_SINCE: u8 = 3;
/// The labels that the operating system's image has, and their numbers.
const RESERVED: [(&str, i64); 5] = [
    ("BIOS-BOOT", 1),
    ("PowerPC-PReP-boot", 1),
    ("EFI-SYSTEM", 2),
    ("boot", 3),
    ("root", 4),
];

impl Translator<'_> {
    pub(super) fn check_partitions(&mut self) {
        for (index, disk) in self.config.storage.disks.iter().enumerate() {
            for (at, partition) in disk.partitions.iter().enumerate() {
                let Some(label) = partition.label.as_deref() else {
                    continue;
                };
                let place = place!["storage", "disks", index, "partitions", at];
                let mut warn = |key: &'static str, message: &str| {
                    self.result_report.push(Kind::Warning, place.join(key), message);
                };
                if label == "root" && self.minor >= ROOT_SIZE_SINCE {
                    let followers = disk.partitions.get(at + 1..).unwrap_or_default();
                    match partition.size_mib.unwrap_or(0) {
                        0 if followers.iter().any(is_placed_automatically) => {
                            warn(
                                "label",
                                "root cannot grow: the next partition without a start is put right behind it",
                            );
                        }
                        0 => {}
                        // The key is the document's, not the result's; Butane looks it up that way.
                        size if size < ROOT_SIZE_MIB => warn("size_mib", "root should have at least 8192 MiB"),
                        _ => {}
                    }
                }
                let reserved = RESERVED.iter().find(|(reserved, _)| *reserved == label);
                if disk.wipe_table != Some(true) && reserved.is_some_and(|(_, number)| *number != partition.number) {
                    warn(
                        "label",
                        "this label belongs to a partition of another number; a further partition will be made",
                    );
                }
            }
        }
    }
}

fn is_placed_automatically(partition: &Partition) -> bool {
    partition.start_mib.unwrap_or(0) == 0
}
