//! No byte of a file is served before the whole of it has the hash that its manifest names.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::{AssetError, AssetFile, io};
use crate::metrics::{Metrics, OutcomeLabels};

/// How long a request waits for a check before it is told to come again.
const PATIENCE: Duration = Duration::from_secs(8);
/// Read at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// A file that may be served.
#[derive(Debug)]
pub(crate) struct Verified {
    /// Open at its start: what is served is what was checked, even when the name points elsewhere by now.
    pub(crate) file: tokio::fs::File,
    /// Its length in bytes.
    pub(crate) size: u64,
    /// A strong validator.
    pub(crate) etag: String,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fingerprint {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl From<&Metadata> for Fingerprint {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// What was checked before.
#[derive(Debug, Default)]
pub(super) struct Checks(Mutex<HashMap<PathBuf, Slot>>);

/// One file's check: whoever holds the lock checks, everybody else waits for it.
type Slot = Arc<tokio::sync::Mutex<Option<(Fingerprint, String)>>>;

impl Checks {
    fn slot(&self, path: &Path) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(path.to_owned()).or_default())
    }
}

/// Opens a file, and checks it unless that was done since it last changed.
pub(super) async fn open(
    checks: &Checks,
    path: &Path,
    described: &AssetFile,
    metrics: &Metrics,
) -> Result<Verified, AssetError> {
    let opened = open_checked(checks, path, described).await;
    let outcome = match &opened {
        Ok((_, true)) => "known",
        Ok((_, false)) => "hashed",
        Err(AssetError::Differs { .. }) => "differs",
        Err(_) => "failed",
    };
    metrics.asset_checks.get_or_create(&OutcomeLabels { outcome }).inc();
    opened.map(|(verified, _)| verified)
}

/// The file, and whether it was known to be good.
async fn open_checked(checks: &Checks, path: &Path, described: &AssetFile) -> Result<(Verified, bool), AssetError> {
    let file = tokio::fs::File::open(path).await.map_err(|error| io(path, error))?;
    let metadata = file.metadata().await.map_err(|error| io(path, error))?;
    if !metadata.is_file() || metadata.len() != described.size {
        return Err(differs(
            path,
            format!("{} bytes, expected {}", metadata.len(), described.size),
        ));
    }
    let verified = Verified {
        file,
        size: described.size,
        etag: format!("\"{}\"", described.sha256.to_ascii_lowercase()),
    };
    let slot = checks.slot(path);
    let waited = tokio::time::timeout(PATIENCE, slot.lock_owned());
    let Ok(mut known) = waited.await else {
        return Err(AssetError::Checking);
    };
    let fingerprint = Fingerprint::from(&metadata);
    let mut was_known = true;
    let hash = match known.as_ref() {
        Some((seen, hash)) if *seen == fingerprint => hash.clone(),
        _ => {
            was_known = false;
            let (mut file, at) = (reopen(&verified.file, path).await?, path.to_owned());
            // The lock goes along: a request that gives up does not start a second check of the same file.
            let check = tokio::task::spawn_blocking(move || {
                let hash = sha256(&mut file, &at)?;
                *known = Some((fingerprint, hash.clone()));
                Ok(hash)
            });
            match tokio::time::timeout(PATIENCE, check).await {
                Ok(Ok(hash)) => hash?,
                Ok(Err(_)) | Err(_) => return Err(AssetError::Checking),
            }
        }
    };
    if hash.eq_ignore_ascii_case(&described.sha256) {
        Ok((verified, was_known))
    } else {
        Err(differs(
            path,
            format!("its sha256 is {hash}, expected {}", described.sha256),
        ))
    }
}

/// A second handle with a position of its own, on the very same file.
async fn reopen(file: &tokio::fs::File, path: &Path) -> Result<File, AssetError> {
    use std::os::fd::AsRawFd as _;
    let same = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let reopened = tokio::fs::File::open(&same).await.map_err(|error| io(path, error))?;
    Ok(reopened.into_std().await)
}

fn sha256(file: &mut File, path: &Path) -> Result<String, AssetError> {
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = file.read(&mut chunk).map_err(|error| io(path, error))?;
        if read == 0 {
            return Ok(HEXLOWER.encode(&hasher.finalize()));
        }
        hasher.update(&chunk[..read]);
    }
}

fn differs(path: &Path, why: String) -> AssetError {
    AssetError::Differs {
        path: path.display().to_string(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    fn described(bytes: &[u8]) -> AssetFile {
        AssetFile {
            name: "k".into(),
            sha256: HEXLOWER.encode(&Sha256::digest(bytes)),
            size: bytes.len().try_into().unwrap(),
        }
    }

    #[tokio::test]
    async fn a_file_is_served_as_long_as_it_is_the_described_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        std::fs::write(&path, b"kernel").unwrap();
        let checks = Checks::default();
        let described = described(b"kernel");
        for _ in 0..2 {
            let mut verified = open(&checks, &path, &described, &Metrics::default()).await.unwrap();
            let mut text = String::new();
            verified.file.read_to_string(&mut text).await.unwrap();
            assert_eq!(text, "kernel");
        }
        std::fs::write(&path, b"kermit").unwrap();
        let error = open(&checks, &path, &described, &Metrics::default()).await.unwrap_err();
        assert!(matches!(error, AssetError::Differs { .. }), "{error}");
        std::fs::write(&path, b"kernel").unwrap();
        assert!(open(&checks, &path, &described, &Metrics::default()).await.is_ok());
    }

    #[tokio::test]
    async fn a_file_of_another_length_or_none_at_all_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        let checks = Checks::default();
        assert!(
            open(&checks, &path, &described(b"kernel"), &Metrics::default())
                .await
                .is_err()
        );
        std::fs::write(&path, b"kern").unwrap();
        assert!(
            open(&checks, &path, &described(b"kernel"), &Metrics::default())
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn many_requests_check_a_file_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        let bytes = vec![7; 3 << 20];
        std::fs::write(&path, &bytes).unwrap();
        let (checks, described, metrics) = (Checks::default(), described(&bytes), Metrics::default());
        let asked = (0..50).map(|_| open(&checks, &path, &described, &metrics));
        let opened = futures_util::future::join_all(asked).await;
        assert!(opened.iter().all(Result::is_ok));
    }
}
