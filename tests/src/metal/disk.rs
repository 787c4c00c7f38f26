//! Disks: files that outlive their machine, looked at from outside while it is off.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::host::ignition::sha256;

/// Large enough to be eligible, and sparse.
pub const SIZE: u64 = 9 << 30;

/// What is compared when a disk must be untouched.
const HEAD: usize = 8 << 20;

/// A disk.
#[derive(Clone, Debug)]
pub struct Disk {
    /// The file that holds it.
    pub file: PathBuf,
    /// What it says of itself.
    pub serial: String,
}

impl Disk {
    /// An empty disk.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn empty(file: PathBuf, serial: &str) -> Result<Self> {
        File::create(&file)?.set_len(SIZE)?;
        Ok(Self {
            file,
            serial: serial.to_owned(),
        })
    }

    /// Makes the whole disk an ext4 with a label.
    ///
    /// # Errors
    /// When mke2fs fails.
    pub fn format(&self, label: &str) -> Result<()> {
        output(
            Command::new("mke2fs")
                .args(["-q", "-F", "-t", "ext4", "-L", label])
                .arg(&self.file),
        )?;
        Ok(())
    }

    /// Writes bytes at an offset.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut file = File::options().write(true).open(&self.file)?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)?;
        Ok(())
    }

    /// The digest of its first megabytes.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn head(&self) -> Result<String> {
        let mut head = vec![0; HEAD];
        File::open(&self.file)?.read_exact(&mut head)?;
        Ok(sha256(&head))
    }

    /// Whether not one byte of it was ever written.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn is_blank(&self) -> Result<bool> {
        use std::os::unix::fs::MetadataExt as _;
        Ok(fs::metadata(&self.file)?.blocks() == 0)
    }

    /// A partition by its name, ready to be looked into.
    ///
    /// # Errors
    /// When there is none.
    pub fn partition(&self, name: &str) -> Result<FileSystem> {
        let table = output(Command::new("sfdisk").arg("--json").arg(&self.file))?;
        let table: Value = serde_json::from_str(&table)?;
        let partitions = table["partitiontable"]["partitions"].as_array();
        let partitions = partitions.context("no partitions")?;
        let found = partitions.iter().find(|p| p["name"] == name);
        let start = found.and_then(|p| p["start"].as_u64());
        let start = start.with_context(|| format!("no partition {name}: {table}"))?;
        Ok(FileSystem {
            image: format!("{}?offset={}", self.file.display(), start * 512),
        })
    }
}

/// An ext4 inside a disk, read by e2fsprogs: no mount, no root.
#[derive(Clone, Debug)]
pub struct FileSystem {
    image: String,
}

impl FileSystem {
    /// A file's content.
    ///
    /// # Errors
    /// When it is not there.
    pub fn read(&self, path: &str) -> Result<String> {
        self.mode(path)?;
        self.debugfs(&format!("cat {path}"))
    }

    /// A file's permission bits and owner.
    ///
    /// # Errors
    /// When it is not there.
    pub fn mode(&self, path: &str) -> Result<(u32, u32)> {
        let stat = self.debugfs(&format!("stat {path}"))?;
        let field = |key: &str| {
            let after = stat.split(key).nth(1)?.trim_start();
            after.split_whitespace().next()
        };
        let mode = field("Mode:").with_context(|| format!("no {path}: {stat}"))?;
        let user = field("User:").context("no owner")?;
        Ok((u32::from_str_radix(mode, 8)? & 0o7777, user.parse()?))
    }

    /// Whether a path is there.
    pub fn has(&self, path: &str) -> bool {
        self.mode(path).is_ok()
    }

    /// Copies a folder with all below it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn copy_out(&self, folder: &str, to: &Path) -> Result<()> {
        fs::create_dir_all(to)?;
        self.debugfs(&format!("rdump {folder} {}", to.display()))?;
        Ok(())
    }

    fn debugfs(&self, request: &str) -> Result<String> {
        output(Command::new("debugfs").args(["-R", request, &self.image]))
    }
}

fn output(command: &mut Command) -> Result<String> {
    let done = command.output().with_context(|| format!("{command:?}"))?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{command:?}: {said}");
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}
