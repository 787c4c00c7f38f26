//! A disk whose boot sector says that it was booted.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

/// What the boot sector says on the serial port.
pub const MARKER: &str = "thirdboot-disk: booted from the local disk";

/// 16-bit code, loaded at 0x7c00: writes the text behind it to the first serial port, then
/// halts.
const CODE: [u8; 30] = [
    0x31, 0xc0, //       xor  ax, ax
    0x8e, 0xd8, //       mov  ds, ax
    0xfc, //             cld
    0xbe, 0x1e, 0x7c, // mov  si, 0x7c00 + 30
    0xba, 0xfd, 0x03, // mov  dx, 0x3fd       ; line status
    0xec, //             in   al, dx
    0xa8, 0x20, //       test al, 0x20        ; ready for a byte?
    0x74, 0xf8, //       jz   $-6             ; no: mov dx again
    0xac, //             lodsb
    0x84, 0xc0, //       test al, al
    0x74, 0x06, //       jz   halt
    0xba, 0xf8, 0x03, // mov  dx, 0x3f8       ; data
    0xee, //             out  dx, al
    0xeb, 0xed, //       jmp  the line status
    0xf4, //       halt: hlt
    0xeb, 0xfd, //       jmp  halt
];

/// Bytes of a disk: enough for a firmware to take it for one.
const SIZE: usize = 1 << 20;

/// Writes a bootable disk.
///
/// # Errors
/// When the file cannot be written.
pub fn write(file: &Path) -> Result<()> {
    let text = format!("\r\n{MARKER}\r\n\0");
    let end = CODE.len() + text.len();
    ensure!(end <= 446, "the text runs into the partition table");
    let mut disk = vec![0; SIZE];
    disk[..CODE.len()].copy_from_slice(&CODE);
    disk[CODE.len()..end].copy_from_slice(text.as_bytes());
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    fs::write(file, disk)?;
    Ok(())
}
