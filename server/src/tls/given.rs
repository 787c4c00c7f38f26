//! Certificates that somebody else keeps: a web server's, an ACME client's.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::CertifiedKey;

use super::{provider, read_pem};

/// Two files, and how they looked when they were last read.
#[derive(Debug)]
pub(super) struct Given {
    cert: PathBuf,
    key: PathBuf,
    seen: Mutex<Option<[Stamp; 2]>>,
}

/// Changes whenever a file is written or put in another's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Given {
    pub(super) fn new(cert: &Path, key: &Path) -> Self {
        Self {
            cert: cert.to_owned(),
            key: key.to_owned(),
            seen: Mutex::new(None),
        }
    }

    /// Whether a file differs from what was last read, be it good or not. One that is away for a moment has not changed.
    pub(super) fn has_changed(&self) -> bool {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        self.stamps().is_some_and(|now| Some(now) != seen)
    }

    fn stamps(&self) -> Option<[Stamp; 2]> {
        Some([stamp(&self.cert)?, stamp(&self.key)?])
    }

    /// Reads both.
    ///
    /// # Errors
    /// When one cannot be read, they do not belong together, or others can read the key.
    pub(super) fn load(&self) -> anyhow::Result<Arc<CertifiedKey>> {
        // Before they are read: what is written meanwhile is read at the next look.
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = self.stamps();
        let (cert_at, key_at) = (self.cert.display(), self.key.display());
        let mode = fs::metadata(&self.key)
            .with_context(|| format!("tls_key {key_at}"))?
            .permissions()
            .mode()
            & 0o777;
        let of_others = mode & 0o007;
        ensure!(
            of_others == 0,
            "tls_key {key_at} can be read by everybody (mode {mode:o}): chmod 640 it"
        );
        let chain = fs::read(&self.cert).with_context(|| format!("tls_cert {cert_at}"))?;
        let chain = read_pem(&chain).with_context(|| format!("tls_cert {cert_at}"))?;
        ensure!(!chain.is_empty(), "tls_cert {cert_at} holds no certificate");
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .with_context(|| format!("tls_key {key_at} is no private key in PEM"))?;
        let chain = chain.into_iter().map(|certificate| certificate.der).collect();
        CertifiedKey::from_der(chain, key, &provider())
            .map(Arc::new)
            .with_context(|| format!("tls_cert {cert_at} and tls_key {key_at}"))
    }
}

fn stamp(file: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(file).ok()?;
    Some(Stamp {
        inode: metadata.ino(),
        size: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
    })
}
