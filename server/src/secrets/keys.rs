//! The file of the master key, or the environment variable in its stead: the present key, and former ones whose secrets
//! are still out there.
//!
//! ```text
//! 0123…                                             the present key, 64 hex digits
//! former 4567… rotated 2026-11-25T12:00:00Z         opens what it made before then, makes nothing
//! ```

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::MasterKey;
use super::master_key::{is_private, write_private};

/// Names the key as 64 hex digits, for those who keep it elsewhere than in a file; former keys on further lines.
pub const MASTER_KEY_VARIABLE: &str = "THIRDBOOT_MASTER_KEY";

/// The present master key and those before it.
#[derive(Debug)]
pub struct Keys {
    /// Every new secret is derived from it.
    pub present: MasterKey,
    /// The latest first.
    pub former: Vec<FormerKey>,
}

/// A key that was rotated away.
#[derive(Debug)]
pub struct FormerKey {
    /// The key.
    pub key: MasterKey,
    /// When: nothing that began later has secrets of it.
    pub rotated_at: Timestamp,
}

impl Keys {
    /// The keys in `text` (from the environment), or those in `file`, which is made when `is_first_start`.
    ///
    /// # Errors
    /// When it is malformed, others can read it, or it is gone although a database is there: a new key would
    /// strand every host that holds a secret of the old one.
    pub fn load_or_make(text: Option<&str>, file: &Path, is_first_start: bool) -> anyhow::Result<Self> {
        if let Some(text) = text {
            return Self::parse(text).with_context(|| format!("{MASTER_KEY_VARIABLE} is not a master key"));
        }
        match Self::read(file) {
            Ok(Some(keys)) => Ok(keys),
            Ok(None) if is_first_start => Self::make(file),
            Ok(None) => bail!(
                "{} is missing although the database is there: restore it (or set {MASTER_KEY_VARIABLE}); hosts hold secrets made with it",
                file.display()
            ),
            Err(error) => Err(error),
        }
    }

    /// The keys in a file, if it is there.
    ///
    /// # Errors
    /// When it is malformed or others can read it.
    pub fn read(file: &Path) -> anyhow::Result<Option<Self>> {
        let metadata = match fs::metadata(file) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| file.display().to_string()),
        };
        let mode = metadata.permissions().mode() & 0o777;
        ensure!(
            is_private(mode),
            "{} can be read by others (mode {mode:o}): chmod 600 it, and rotate the master key if others may have seen it",
            file.display()
        );
        let text = Zeroizing::new(fs::read_to_string(file).with_context(|| file.display().to_string())?);
        Self::parse(&text)
            .map(Some)
            .with_context(|| format!("{} is not a master key", file.display()))
    }

    fn make(file: &Path) -> anyhow::Result<Self> {
        let keys = Self {
            present: MasterKey::random()?,
            former: Vec::new(),
        };
        write_private(file, keys.to_text().as_bytes())?;
        // Another start may have been faster: what is in the file counts.
        Self::read(file)?.with_context(|| format!("{} vanished", file.display()))
    }

    /// A new present key; the one of before opens what it made until now.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn rotated(self, now: Timestamp) -> anyhow::Result<Self> {
        let before = FormerKey {
            key: self.present,
            rotated_at: now,
        };
        Ok(Self {
            present: MasterKey::random()?,
            former: std::iter::once(before).chain(self.former).collect(),
        })
    }

    /// Replaces the file, whole or not at all.
    ///
    /// # Errors
    /// When the disk refuses: the old file stays.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        let at = || file.display().to_string();
        let draft = file.with_extension(format!("draft-{}", std::process::id()));
        let written = (|| {
            let mut new = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&draft)?;
            new.write_all(self.to_text().as_bytes())?;
            new.sync_all()?;
            fs::rename(&draft, file)
        })();
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
        written.with_context(at)?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or_else(|| Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .with_context(at)
    }

    fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        text.push_str(&self.present.to_text());
        text.push('\n');
        for former in &self.former {
            text.push_str("former ");
            text.push_str(&former.key.to_text());
            // Writing to a string does not fail.
            let _ = writeln!(text, " rotated {}", former.rotated_at);
        }
        text
    }

    /// No message repeats what stands there: it may be a key with one character too many.
    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let present = MasterKey::parse(lines.next().unwrap_or_default())?;
        let former = lines.zip(2..).map(|(line, number)| {
            FormerKey::parse(line)
                .with_context(|| format!("line {number}: expected `former`, a key, `rotated` and a time (RFC 3339)"))
        });
        Ok(Self {
            present,
            former: former.collect::<Result<_, _>>()?,
        })
    }
}

impl FormerKey {
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["former", key, "rotated", time] => Some(Self {
                key: MasterKey::parse(key).ok()?,
                rotated_at: time.parse().ok()?,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::{Purpose, Secrets};
    use thirdboot_lifecycle::RunNumber;
    use thirdboot_store::{DocumentKind, HostId};

    #[test]
    fn the_first_start_makes_a_key_that_later_starts_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        let first = Keys::load_or_make(None, &file, true).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let second = Keys::load_or_make(None, &file, false).unwrap();
        assert_eq!(first.to_text(), second.to_text());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        Keys::load_or_make(None, &file, true).unwrap();
        for mode in [0o640, 0o604] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let error = Keys::load_or_make(None, &file, false).unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn a_lost_key_is_not_replaced_behind_a_databases_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        assert!(Keys::load_or_make(None, &file, false).is_err());
        assert!(!file.exists());
    }

    #[test]
    fn a_key_may_come_from_the_environment_and_then_no_file_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        assert!(Keys::load_or_make(Some(&"a5".repeat(32)), &file, true).is_ok());
        for wrong in ["a5", "", &format!("{0}\nformer {0}", "a5".repeat(32))] {
            let error = format!("{:#}", Keys::load_or_make(Some(wrong), &file, true).unwrap_err());
            assert!(!error.contains("a5a5"), "{error}");
        }
        assert!(!file.exists());
    }

    #[test]
    fn what_a_former_key_made_is_opened_and_nothing_new_is_made_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        let first = Keys::load_or_make(None, &file, true).unwrap();
        let before = Secrets::with(&first);
        let (host, run, kind) = (HostId(7), RunNumber(3), DocumentKind::Live);
        let old = before.derive(Purpose::Host, host, run, 0);
        let sealed = before.seal(host, run, kind, b"config").unwrap();
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        first.rotated(now).unwrap().write(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

        let keys = Keys::load_or_make(None, &file, false).unwrap();
        let secrets = Secrets::with(&keys);
        let new = secrets.derive(Purpose::Host, host, run, 0);
        assert_ne!(new.expose(), old.expose());
        let opened = secrets.open(Purpose::Host, old.expose()).unwrap();
        assert_eq!((opened.host, opened.run, opened.rotated_at), (host, run, Some(now)));
        let hour = jiff::SignedDuration::from_hours(1);
        assert!(opened.fits_run_armed_at(now - hour) && !opened.fits_run_armed_at(now + hour));
        assert_eq!(secrets.open(Purpose::Host, new.expose()).unwrap().rotated_at, None);
        assert_eq!(secrets.unseal(host, run, kind, &sealed).unwrap(), b"config");
        assert!(before.open(Purpose::Host, new.expose()).is_none());

        let forgotten = Keys {
            former: Vec::new(),
            ..keys
        };
        let secrets = Secrets::with(&forgotten);
        assert!(secrets.open(Purpose::Host, old.expose()).is_none());
        assert!(secrets.unseal(host, run, kind, &sealed).is_err());
    }
}
