//! A tiny initramfs: busybox and one script.

use std::fs;
use std::io::Write as _;

use anyhow::{Context, Result};

/// Debian's statically linked busybox.
const BUSYBOX: &str = "/bin/busybox";

/// What runs first in the machine.
const INIT: &[u8] = include_bytes!("init.sh");

/// The line that init ends with.
pub const END: &str = "thirdboot-init: end";

/// Builds it. The last bytes make its size no multiple of four, as a real one's may be: a
/// config that is joined behind it would be lost under UEFI.
///
/// # Errors
/// When there is no busybox.
pub fn build() -> Result<Vec<u8>> {
    let busybox = fs::read(BUSYBOX).context("/bin/busybox (package busybox-static)")?;
    let mut archive = Vec::new();
    entry(&mut archive, "bin", 0o040_755, b"")?;
    entry(&mut archive, "bin/busybox", 0o100_755, &busybox)?;
    entry(&mut archive, "init", 0o100_755, INIT)?;
    entry(&mut archive, "TRAILER!!!", 0, b"")?;
    archive.push(0);
    Ok(archive)
}

fn entry(archive: &mut Vec<u8>, name: &str, mode: u32, data: &[u8]) -> Result<()> {
    let inode = archive.len();
    write!(
        archive,
        "070701{inode:08X}{mode:08X}{:08X}{:08X}{:08X}{:08X}",
        0, 0, 1, 0
    )?;
    write!(archive, "{:08X}{:08X}{:08X}{:08X}{:08X}", data.len(), 0, 0, 0, 0)?;
    write!(archive, "{:08X}{:08X}{name}\0", name.len() + 1, 0)?;
    archive.resize(archive.len().next_multiple_of(4), 0);
    archive.extend(data);
    archive.resize(archive.len().next_multiple_of(4), 0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::cpio;

    #[test]
    fn is_an_archive_that_can_be_read() {
        let mut archive = Vec::new();
        entry(&mut archive, "init", 0o100_755, INIT).unwrap();
        entry(&mut archive, "TRAILER!!!", 0, b"").unwrap();
        let entries = cpio::read(&archive).unwrap();
        assert_eq!((entries[0].name.as_str(), entries[0].data.as_slice()), ("init", INIT));
    }
}
