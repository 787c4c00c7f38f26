//! The master key itself, and how a file that nobody else may read is written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Length in bytes.
const KEY_LEN: usize = 32;

/// What every secret is derived from.
pub struct MasterKey(Zeroizing<[u8; KEY_LEN]>);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

impl MasterKey {
    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; KEY_LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new one.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub(super) fn random() -> anyhow::Result<Self> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        getrandom::fill(bytes.as_mut_slice()).context("the system has no random numbers")?;
        Ok(Self(bytes))
    }

    /// As it stands in the file.
    pub(super) fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(HEXLOWER.encode(self.0.as_slice()))
    }

    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let bytes = HEXLOWER_PERMISSIVE
            .decode(text.trim().as_bytes())
            .map(Zeroizing::new)
            .ok()
            .and_then(|bytes| <[u8; KEY_LEN]>::try_from(bytes.as_slice()).ok())
            .with_context(|| format!("expected {} hex digits", 2 * KEY_LEN))?;
        Ok(Self::from_bytes(bytes))
    }

    pub(super) fn hmac(&self) -> Hmac<Sha256> {
        // HMAC's block is longer than the key: RFC 2104 pads it.
        let mut block = Zeroizing::new([0; 64]);
        block[..KEY_LEN].copy_from_slice(self.0.as_slice());
        Hmac::new((&*block).into())
    }
}

/// Whether a file of this mode is its owner's alone.
pub(crate) fn is_private(mode: u32) -> bool {
    let of_others = mode & 0o077;
    of_others == 0
}

/// Writes a file that only its owner can read, whole or not at all. A file that is there already stays.
///
/// # Errors
/// When the disk refuses.
pub fn write_private(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let at = || file.display().to_string();
    let draft = file.with_extension(format!("draft-{}", std::process::id()));
    let written = (|| {
        let mut draft_file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?;
        draft_file.write_all(bytes)?;
        draft_file.sync_all()?;
        match fs::hard_link(&draft, file) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    })();
    let _ = fs::remove_file(&draft);
    written.with_context(at)?;
    if let Some(folder) = file.parent() {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .with_context(at)?;
    }
    Ok(())
}
