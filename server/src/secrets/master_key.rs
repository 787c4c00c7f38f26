//! The master key: a file that only the server can read, or an environment variable.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Names the key as 64 hex digits, for those who keep it elsewhere than in a file.
pub const MASTER_KEY_VARIABLE: &str = "THIRDBOOT_MASTER_KEY";

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

    /// The key in `text` (from the environment), or the one in `file`, which is made when `is_first_start`.
    ///
    /// # Errors
    /// When it is malformed, others can read it, or it is gone although a database is there: a new key would
    /// strand every host that holds a secret of the old one.
    pub fn load_or_make(text: Option<&str>, file: &Path, is_first_start: bool) -> anyhow::Result<Self> {
        if let Some(text) = text {
            return Self::parse(text).with_context(|| format!("{MASTER_KEY_VARIABLE} is not a master key"));
        }
        match Self::read(file) {
            Ok(Some(key)) => Ok(key),
            Ok(None) if is_first_start => Self::make(file),
            Ok(None) => bail!(
                "{} is missing although the database is there: restore it (or set {MASTER_KEY_VARIABLE}); hosts hold secrets made with it",
                file.display()
            ),
            Err(error) => Err(error),
        }
    }

    fn read(file: &Path) -> anyhow::Result<Option<Self>> {
        let metadata = match fs::metadata(file) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| file.display().to_string()),
        };
        let mode = metadata.permissions().mode() & 0o777;
        ensure!(
            is_private(mode),
            "{} can be read by others (mode {mode:o}): chmod 600 it, and rotate every host's keys if others may have seen it",
            file.display()
        );
        let text = Zeroizing::new(fs::read_to_string(file).with_context(|| file.display().to_string())?);
        Self::parse(&text)
            .map(Some)
            .with_context(|| format!("{} is not a master key", file.display()))
    }

    fn make(file: &Path) -> anyhow::Result<Self> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        getrandom::fill(bytes.as_mut_slice()).context("the system has no random numbers")?;
        let text = Zeroizing::new(format!("{}\n", HEXLOWER.encode(bytes.as_slice())));
        write_private(file, text.as_bytes())?;
        // Another start may have been faster: what is in the file counts.
        Self::read(file)?.with_context(|| format!("{} vanished", file.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_start_makes_a_key_that_later_starts_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        let first = MasterKey::load_or_make(None, &file, true).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let second = MasterKey::load_or_make(None, &file, false).unwrap();
        assert_eq!(first.0, second.0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        MasterKey::load_or_make(None, &file, true).unwrap();
        for mode in [0o640, 0o604] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let error = MasterKey::load_or_make(None, &file, false).unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn a_lost_key_is_not_replaced_behind_a_databases_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        assert!(MasterKey::load_or_make(None, &file, false).is_err());
        assert!(!file.exists());
    }

    #[test]
    fn a_key_may_come_from_the_environment_and_then_no_file_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        assert!(MasterKey::load_or_make(Some(&"a5".repeat(32)), &file, true).is_ok());
        assert!(MasterKey::load_or_make(Some("a5"), &file, true).is_err());
        assert!(!file.exists());
    }
}
