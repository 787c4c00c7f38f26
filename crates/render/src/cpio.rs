//! The pointer config as an initrd: a newc cpio, what `coreos-installer pxe ignition wrap` makes, and beside it the
//! connection profiles of a host whose live system must not count on DHCP, where `coreos-installer pxe customize
//! --network-keyfile` puts them.

use std::fmt::Write as _;

use crate::Keyfile;

/// Octal 0100600: a regular file that only root reads.
const FILE_MODE: u32 = 0o100_600;
/// Octal 040755: a folder.
const FOLDER_MODE: u32 = 0o040_755;

/// The live initramfs of Fedora CoreOS takes its network from here, if there is anything, and then neither from DHCP
/// nor from kernel arguments.
const NETWORK_FOLDER: &str = "etc/coreos-firstboot-network";

/// Wraps a config as `config.ign`. The kernel unpacks it beside the live system's own initramfs.
#[must_use]
pub fn pointer_cpio(config: &[u8], network: &[Keyfile]) -> Vec<u8> {
    let mut archive = Vec::with_capacity(config.len() + 512);
    entry(&mut archive, "config.ign", FILE_MODE, config);
    if !network.is_empty() {
        // The kernel makes no folders by itself.
        entry(&mut archive, "etc", FOLDER_MODE, &[]);
        entry(&mut archive, NETWORK_FOLDER, FOLDER_MODE, &[]);
    }
    for keyfile in network {
        let name = format!("{NETWORK_FOLDER}/{}", keyfile.name);
        entry(&mut archive, &name, FILE_MODE, keyfile.text.as_bytes());
    }
    entry(&mut archive, "TRAILER!!!", 0, &[]);
    // Whole 512-byte blocks, as cpio writes them: what iPXE places behind it stays aligned.
    archive.resize(archive.len().next_multiple_of(512), 0);
    archive
}

/// Magic and thirteen fields of eight hex digits, name and data, both padded to four bytes.
fn entry(archive: &mut Vec<u8>, name: &str, mode: u32, data: &[u8]) {
    // Links share a number: every entry has its own, and the end has none.
    let inode = if mode == 0 { 0 } else { archive.len() as u64 + 1 };
    let name_len = name.len() + 1;
    let mut header = String::from("070701");
    let fields = [
        inode,
        u64::from(mode),
        0,                                       // owner: root
        0,                                       // group: root
        if mode == FOLDER_MODE { 2 } else { 1 }, // links
        0,                                       // no time of modification: the same config is the same archive
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
        let archive = pointer_cpio(b"{}", &[]);
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

    /// What `cpio` makes of an archive.
    fn unpacked(archive: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut cpio = process::Command::new("cpio")
            .args(["--extract", "--quiet"])
            .current_dir(folder.path())
            .stdin(process::Stdio::piped())
            .spawn()
            .expect("cpio is installed");
        cpio.stdin.take().unwrap().write_all(archive).unwrap();
        assert!(cpio.wait().unwrap().success());
        folder
    }

    fn mode(file: &std::path::Path) -> u32 {
        std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions()) & 0o777
    }

    #[test]
    fn cpio_unpacks_what_was_wrapped() {
        let config = br#"{"ignition":{"version":"3.3.0"}}"#;
        let folder = unpacked(&pointer_cpio(config, &[]));
        let file = folder.path().join("config.ign");
        assert_eq!(std::fs::read(&file).unwrap(), config);
        assert_eq!(mode(&file), 0o600);
        assert!(!folder.path().join("etc").exists(), "DHCP needs no files");
    }

    #[test]
    fn the_network_lies_where_the_live_initramfs_looks_for_it() {
        let host = crate::samples::with_network(
            r#"{"uplink":{"method":"static","addresses":["192.0.2.5/24"],"gateways":["192.0.2.1"]}}"#,
        );
        let network = crate::keyfiles(&host).unwrap();
        let folder = unpacked(&pointer_cpio(b"{}", &network));
        let file = folder.path().join("etc/coreos-firstboot-network/uplink.nmconnection");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), network[0].text);
        assert_eq!(mode(&file), 0o600);
        assert_eq!(mode(&folder.path().join("etc")), 0o755);
    }
}
