//! A folder of assets, as a mirror would leave it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::host::ignition::sha256;

/// The version of the sample assets.
pub const VERSION: &str = "43.20260901.3.0";

/// The version of k3s that stands beside them.
pub const K3S_VERSION: &str = "v1.34.1+k3s1";

/// Lays a binary of k3s into a folder of assets.
///
/// # Errors
/// When it cannot be written.
pub fn lay_k3s(assets: &Path, binary: &[u8]) -> Result<()> {
    let folder = assets.join("k3s").join(K3S_VERSION).join("x86_64");
    fs::create_dir_all(&folder)?;
    Ok(fs::write(folder.join("k3s"), binary)?)
}

/// What a cluster says of that k3s.
pub fn k3s(binary: &[u8]) -> Value {
    json!({"version": K3S_VERSION, "binaries": {"x86_64": {"sha256": sha256(binary)}}})
}

/// The live system's files.
#[derive(Clone, Debug)]
pub struct Images {
    /// The kernel.
    pub kernel: Vec<u8>,
    /// The initramfs.
    pub initramfs: Vec<u8>,
    /// The root filesystem.
    pub rootfs: Vec<u8>,
}

impl Images {
    /// Bytes that boot nowhere but are fetched, counted and compared as well as real ones.
    pub fn sample() -> Self {
        // A period of 251 bytes lines up with no block size: a shifted range shows.
        let bytes = |seed: u8, length: usize| -> Vec<u8> {
            (0..251)
                .map(|i: u8| i.wrapping_mul(31) ^ seed)
                .cycle()
                .take(length)
                .collect()
        };
        Self {
            kernel: bytes(1, 70_001),
            initramfs: bytes(2, 100_002),
            rootfs: bytes(3, 300_003),
        }
    }

    /// Writes them, their manifest and the `current` link under an assets folder.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, assets: &Path) -> Result<()> {
        let folder = assets.join("x86_64").join(VERSION);
        fs::create_dir_all(&folder)?;
        let mut files = Map::new();
        for (role, image, bytes) in [
            ("kernel", "kernel.x86_64", &self.kernel),
            ("initramfs", "initramfs.x86_64.img", &self.initramfs),
            ("rootfs", "rootfs.x86_64.img", &self.rootfs),
        ] {
            let name = format!("fedora-coreos-{VERSION}-live-{image}");
            fs::write(folder.join(&name), bytes)?;
            let described = json!({"name": name, "sha256": sha256(bytes), "size": bytes.len()});
            files.insert(role.to_owned(), described);
        }
        let manifest = json!({"version": VERSION, "arch": "x86_64", "files": Value::Object(files)});
        fs::write(folder.join("manifest.json"), manifest.to_string())?;
        symlink(VERSION, assets.join("x86_64/current"))?;
        Ok(())
    }
}
