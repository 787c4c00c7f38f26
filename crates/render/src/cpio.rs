//! The pointer config as an initrd: a newc cpio with one file, what `coreos-installer pxe ignition wrap` makes.

use std::fmt::Write as _;

/// Octal 0100600: a regular file that only root reads.
const CONFIG_MODE: u32 = 0o100_600;

/// Wraps a config as `config.ign`. The kernel unpacks it beside the live system's own initramfs.
#[must_use]
pub fn pointer_cpio(config: &[u8]) -> Vec<u8> {
    let mut archive = Vec::with_capacity(config.len() + 512);
    entry(&mut archive, "config.ign", CONFIG_MODE, config);
    entry(&mut archive, "TRAILER!!!", 0, &[]);
    // Whole 512-byte blocks, as cpio writes them: what iPXE places behind it stays aligned.
    archive.resize(archive.len().next_multiple_of(512), 0);
    archive
}

/// Magic and thirteen fields of eight hex digits, name and data, both padded to four bytes.
fn entry(archive: &mut Vec<u8>, name: &str, mode: u32, data: &[u8]) {
    let inode = u32::from(mode != 0);
    let name_len = name.len() + 1;
    let mut header = String::from("070701");
    let fields = [
        u64::from(inode),
        u64::from(mode),
        0, // owner: root
        0, // group: root
        1, // links
        0, // no time of modification: the same config is the same archive
        data.len() as u64,
        0, // device, twice
        0,
        0, // device of the file itself, twice
        0,
        name_len as u64,
        0, // no checksum in this format
    ];
    for field in fields {
        // A String takes every write.
        let _ = write!(header, "{field:08X}");
    }
    archive.extend_from_slice(header.as_bytes());
    archive.extend_from_slice(name.as_bytes());
    archive.push(0);
    pad(archive);
    archive.extend_from_slice(data);
    pad(archive);
}

fn pad(archive: &mut Vec<u8>) {
    archive.resize(archive.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, process};

    use super::*;

    #[test]
    fn its_header_stands() {
        let archive = pointer_cpio(b"{}");
        assert_eq!(archive.len() % 512, 0);
        let text: String = archive
            .iter()
            .map(|byte| {
                if byte.is_ascii_graphic() {
                    char::from(*byte)
                } else {
                    '.'
                }
            })
            .collect();
        insta::assert_snapshot!(text.trim_end_matches('.'));
    }

    #[test]
    fn cpio_unpacks_what_was_wrapped() {
        let folder = tempfile::tempdir().unwrap();
        let config = br#"{"ignition":{"version":"3.3.0"}}"#;
        let mut cpio = process::Command::new("cpio")
            .args(["--extract", "--quiet"])
            .current_dir(folder.path())
            .stdin(process::Stdio::piped())
            .spawn()
            .expect("cpio is installed");
        cpio.stdin.take().unwrap().write_all(&pointer_cpio(config)).unwrap();
        assert!(cpio.wait().unwrap().success());
        let file = folder.path().join("config.ign");
        assert_eq!(std::fs::read(&file).unwrap(), config);
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
}
