//! Documents of runs, opened. A run's documents never change, so that a copy is as good as the original.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use lru::LruCache;
use thirdboot_lifecycle::RunNumber;
use thirdboot_render::Keyfile;
use thirdboot_store::{DocumentKind, HostId};

use crate::App;
use crate::assets::Manifest;
use crate::metrics::OutcomeLabels;
use crate::problem::Failure;

/// Opened bytes that are kept at most.
const MAX_BYTES: usize = 32 << 20;
/// What an entry weighs beside its bytes.
const OVERHEAD_BYTES: usize = 256;

type Key = (HostId, RunNumber, DocumentKind);

/// A document, opened.
#[derive(Debug)]
pub(super) enum OpenDocument {
    /// The live config and its hash.
    Live {
        /// As it is served.
        bytes: Bytes,
        /// Hex SHA-512 of it.
        sha512: String,
    },
    /// What the run is served.
    Assets(Arc<Manifest>),
    /// What its initramfs is given beside the pointer.
    Network(Arc<[Keyfile]>),
}

impl OpenDocument {
    fn weight(&self) -> usize {
        OVERHEAD_BYTES
            + match self {
                Self::Live { bytes, .. } => bytes.len(),
                Self::Assets(_) => 1024,
                Self::Network(keyfiles) => keyfiles.iter().map(|file| file.text.len()).sum(),
            }
    }
}

/// Documents that were opened a moment ago, the longest unused go first.
pub struct OpenDocuments(Mutex<Cache>);

struct Cache {
    entries: LruCache<Key, Arc<OpenDocument>>,
    bytes: usize,
}

impl Default for OpenDocuments {
    fn default() -> Self {
        Self(Mutex::new(Cache {
            entries: LruCache::unbounded(),
            bytes: 0,
        }))
    }
}

impl OpenDocuments {
    fn get(&self, key: &Key) -> Option<Arc<OpenDocument>> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache.entries.get(key).cloned()
    }

    fn keep(&self, key: Key, document: Arc<OpenDocument>) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache.bytes += document.weight();
        if let Some(replaced) = cache.entries.put(key, document) {
            cache.bytes = cache.bytes.saturating_sub(replaced.weight());
        }
        while cache.bytes > MAX_BYTES {
            let Some((_, oldest)) = cache.entries.pop_lru() else {
                break;
            };
            cache.bytes = cache.bytes.saturating_sub(oldest.weight());
        }
    }
}

/// A document of the host's current run. Known and not there is 503: the run is about to end, or the store lost it.
async fn open(app: &App, host: HostId, run: RunNumber, kind: DocumentKind) -> Result<Arc<OpenDocument>, Failure> {
    let key = (host, run, kind);
    let outcome = |outcome| app.metrics.documents.get_or_create(&OutcomeLabels { outcome }).inc();
    if let Some(document) = app.documents.get(&key) {
        outcome("cached");
        return Ok(document);
    }
    outcome("opened");
    let document = app.store.document(host, run, kind).await?;
    if document.is_none() && kind == DocumentKind::Network {
        // Armed by a version that knew nothing of it: the live system counts on DHCP.
        return Ok(Arc::new(OpenDocument::Network(Arc::new([]))));
    }
    let gone = || {
        Failure::unavailable(
            "this run's documents are not there",
            format!("host {}, run {run}: no {}", host.0, kind.as_str()),
        )
    };
    let document = document.ok_or_else(gone)?;
    let plain = app
        .secrets
        .unseal(host, run, kind, &document.sealed)
        .map_err(Failure::internal)?;
    let opened = Arc::new(match kind {
        DocumentKind::Live => OpenDocument::Live {
            bytes: plain.into(),
            sha512: document.sha512,
        },
        DocumentKind::Installed => return Err(Failure::internal("the installed config is not served by itself")),
        DocumentKind::Assets => {
            OpenDocument::Assets(Arc::new(serde_json::from_slice(&plain).map_err(Failure::internal)?))
        }
        DocumentKind::Network => OpenDocument::Network(serde_json::from_slice(&plain).map_err(Failure::internal)?),
    });
    app.documents.keep(key, Arc::clone(&opened));
    Ok(opened)
}

/// The live config of a run, and its hash.
pub(super) async fn live(app: &App, host: HostId, run: RunNumber) -> Result<(Bytes, String), Failure> {
    match &*open(app, host, run, DocumentKind::Live).await? {
        OpenDocument::Live { bytes, sha512 } => Ok((bytes.clone(), sha512.clone())),
        _ => Err(Failure::internal("something else where the live config should be")),
    }
}

/// What a run is served.
pub(crate) async fn assets(app: &App, host: HostId, run: RunNumber) -> Result<Arc<Manifest>, Failure> {
    match &*open(app, host, run, DocumentKind::Assets).await? {
        OpenDocument::Assets(manifest) => Ok(Arc::clone(manifest)),
        _ => Err(Failure::internal("something else where assets should be")),
    }
}

/// The network of a run's live system.
pub(super) async fn network(app: &App, host: HostId, run: RunNumber) -> Result<Arc<[Keyfile]>, Failure> {
    match &*open(app, host, run, DocumentKind::Network).await? {
        OpenDocument::Network(keyfiles) => Ok(Arc::clone(keyfiles)),
        _ => Err(Failure::internal("something else where the network should be")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_used() {
        let cache = OpenDocuments::default();
        let document = |len: usize| {
            Arc::new(OpenDocument::Live {
                bytes: vec![0; len].into(),
                sha512: String::new(),
            })
        };
        let key = |host| (HostId(host), RunNumber(1), DocumentKind::Live);
        cache.keep(key(0), document(1 << 20));
        for host in 1..100 {
            cache.keep(key(host), document(1 << 20));
            assert!(cache.get(&key(0)).is_some());
        }
        assert!(cache.get(&key(1)).is_none() && cache.get(&key(99)).is_some());
        assert!(cache.0.lock().unwrap().bytes <= MAX_BYTES);
    }
}
