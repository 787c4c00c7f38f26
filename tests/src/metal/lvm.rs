//! A disk with a whole volume group: LVM's label, its metadata and one logical volume, byte by byte, since LVM itself
//! makes them on block devices only. A system that starts with it brings the volume up.
//!
//! Layout: LVM2's `lib/format_text/layout.h` and `lib/label/label.h`. Numbers are little-endian.

use anyhow::Result;

use super::disk::{Disk, SIZE};

/// What the logical volume holds. Whoever names it has seen the volume running.
pub const INSIDE: &str = "swap";

const GROUP: &str = "oldgroup";
const SECTOR: u64 = 512;
/// The metadata area follows the label, its text the area's header.
const AREA: u64 = 4096;
const TEXT: u64 = 512;
/// Where the first extent begins.
const DATA: u64 = 1 << 20;
/// 4 MiB, LVM's default.
const EXTENT: u64 = 4 << 20;

/// 32 characters, and the same with LVM's hyphens.
const DISK_ID: &str = "abcdefABCDEFabcdefABCDEFabcdefAB";
const HYPHENED: &str = "abcdef-ABCD-EFab-cdef-ABCD-EFab-cdefAB";

/// A physical volume that belongs to no group.
///
/// # Errors
/// When the disk cannot be written.
pub fn label(disk: &Disk) -> Result<()> {
    let mut sector = [0; 512];
    sector[..8].copy_from_slice(b"LABELONE");
    sector[8] = 1;
    sector[20] = 32;
    sector[24..32].copy_from_slice(b"LVM2 001");
    sector[32..64].copy_from_slice(DISK_ID.as_bytes());
    // The size, then two lists of (offset, size), each with an end: data, metadata.
    for (at, number) in [(64, SIZE), (72, DATA), (104, AREA), (112, DATA - AREA)] {
        sector[at..at + 8].copy_from_slice(&number.to_le_bytes());
    }
    let sum = checksum(&sector[20..]);
    sector[16..20].copy_from_slice(&sum.to_le_bytes());
    disk.write(SECTOR, &sector)
}

/// A volume group with one volume, which holds swap.
///
/// # Errors
/// When the disk cannot be written.
pub fn group(disk: &Disk) -> Result<()> {
    label(disk)?;
    let mut text = metadata().into_bytes();
    text.push(0);
    let mut header = [0; 512];
    header[4..20].copy_from_slice(b" LVM2 x[5A%r0N*>");
    header[20] = 1;
    for (at, number) in [
        (24, AREA),
        (32, DATA - AREA),
        (40, TEXT),
        (48, u64::try_from(text.len())?),
    ] {
        header[at..at + 8].copy_from_slice(&number.to_le_bytes());
    }
    header[56..60].copy_from_slice(&checksum(&text).to_le_bytes());
    let sum = checksum(&header[4..]);
    header[..4].copy_from_slice(&sum.to_le_bytes());
    disk.write(AREA, &header)?;
    disk.write(AREA + TEXT, &text)?;

    // Version 1 of a swap area, and how many pages it has.
    let mut swap = [0; 4096];
    swap[1024] = 1;
    swap[1028..1032].copy_from_slice(&1000_u32.to_le_bytes());
    swap[4086..].copy_from_slice(b"SWAPSPACE2");
    disk.write(DATA, &swap)
}

fn metadata() -> String {
    format!(
        r#"{GROUP} {{
id = "group0-0000-0000-0000-0000-0000-000000"
seqno = 2
format = "lvm2"
status = ["RESIZEABLE", "READ", "WRITE"]
flags = []
extent_size = {extent}
max_lv = 0
max_pv = 0
metadata_copies = 0

physical_volumes {{
pv0 {{
id = "{HYPHENED}"
device = "/dev/vda"
status = ["ALLOCATABLE"]
flags = []
dev_size = {size}
pe_start = {start}
pe_count = {count}
}}
}}

logical_volumes {{
osd {{
id = "volume-0000-0000-0000-0000-0000-000000"
status = ["READ", "WRITE", "VISIBLE"]
flags = []
segment_count = 1

segment1 {{
start_extent = 0
extent_count = 2
type = "striped"
stripe_count = 1
stripes = [
"pv0", 0
]
}}
}}
}}

}}
contents = "Text Format Volume Group"
version = 1
description = ""
creation_host = "somewhere"
creation_time = 1693526400
"#,
        extent = EXTENT / SECTOR,
        size = SIZE / SECTOR,
        start = DATA / SECTOR,
        count = (SIZE - DATA) / EXTENT,
    )
}

/// CRC-32 with LVM's own start value, and without the last inversion.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| {
        if crc & 1 == 1 {
            (crc >> 1) ^ 0xedb8_8320
        } else {
            crc >> 1
        }
    };
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), step);
    bytes.iter().fold(0xf597_a6cf, byte)
}
