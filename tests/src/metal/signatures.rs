//! What other systems leave at the beginning of a disk, byte by byte: enough for udev and wipefs
//! to recognise it.

use anyhow::Result;

use super::disk::Disk;
use super::lvm;

/// Puts it on a disk.
pub type Leave = fn(&Disk) -> Result<()>;

/// What the disk check calls it, and how it gets there.
pub const ALL: [(&str, Leave); 4] = [
    ("ceph-bluestore", bluestore),
    ("lvm", lvm::label),
    ("md", md),
    ("zfs", zfs),
];

/// Ceph's BlueStore begins with a line of text.
fn bluestore(disk: &Disk) -> Result<()> {
    disk.write(0, b"bluestore block device\n3f2a0000-0000-4000-8000-00000000beef\n")
}

/// A member of a software RAID: superblock 1.2, 4 KiB from the start, with its checksum.
fn md(disk: &Disk) -> Result<()> {
    let mut block = [0; 256];
    block[..4].copy_from_slice(&0xa92b_4efc_u32.to_le_bytes());
    block[4] = 1;
    block[16..32].copy_from_slice(&[0x5a; 16]);
    block[72] = 1;
    // Where the superblock itself is, in sectors.
    block[144] = 8;
    let words = block
        .chunks_exact(4)
        .map(|word| u64::from(u32::from_le_bytes([word[0], word[1], word[2], word[3]])));
    let sum: u64 = words.sum();
    let folded = u32::try_from((sum & 0xffff_ffff) + (sum >> 32)).unwrap_or_default();
    block[216..220].copy_from_slice(&folded.to_le_bytes());
    disk.write(4096, &block)
}

/// ZFS: the first label's uberblocks.
fn zfs(disk: &Disk) -> Result<()> {
    for n in 0..16 {
        disk.write((128 + n) << 10, &0x00ba_b10c_u64.to_le_bytes())?;
    }
    Ok(())
}
