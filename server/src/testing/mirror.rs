//! A mirror of three small files.

use std::os::unix::fs::symlink;
use std::path::Path;

use data_encoding::HEXLOWER;
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// Version of the sample files.
pub(crate) const VERSION: &str = "43.20260901.3.0";

/// The bytes of a sample file: a period of 251 lines up with no block, so that a shifted range shows.
pub(crate) fn bytes(name: &str) -> Vec<u8> {
    let length = 1000 * name.len();
    (0..251_u8).cycle().take(length).collect()
}

pub(crate) fn write(root: &Path) {
    let folder = root.join("x86_64").join(VERSION);
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| {
        let bytes = bytes(name);
        std::fs::write(folder.join(name), &bytes).unwrap();
        json!({"name": name, "sha256": HEXLOWER.encode(&Sha256::digest(&bytes)), "size": bytes.len()})
    };
    let files = json!({"kernel": file("kernel"), "initramfs": file("initramfs.img"), "rootfs": file("rootfs.img")});
    let manifest = json!({"version": VERSION, "arch": "x86_64", "files": files});
    std::fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
    symlink(VERSION, root.join("x86_64/current")).unwrap();
}
