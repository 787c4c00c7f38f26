//! The mirror: a folder of operating system files and other files with a hash, filled by pulls, each file checked before
//! it is first served.

mod atomic;
mod download;
mod extra;
mod jobs;
mod keyring;
mod manifest;
mod promise;
mod pull;
mod range;
mod read;
mod release;
mod run;
#[cfg(test)]
mod stories;
mod stream;
mod sweep;
mod verify;
mod versions;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use thirdboot_lifecycle::Arch;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use crate::metrics::Metrics;

pub(crate) use extra::{AddError, ExtraFile, NewFile};
pub(crate) use jobs::{Jobs, What};
pub use manifest::{AssetFile, AssetRole, Manifest};
pub(crate) use promise::{Promises, is_blank};
pub(crate) use pull::PullRequest;
pub use pull::Upstream;
pub(crate) use range::{Part, part};
pub(crate) use read::body;
pub(crate) use release::Release;
pub(crate) use run::start as start_pull;
pub(crate) use stream::document as stream_document;
pub(crate) use verify::Verified;
pub(crate) use versions::{Version, discard_version, versions};

/// Why an asset cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum AssetError {
    /// Nothing is mirrored there.
    #[error("no assets at {0}: expected a manifest.json and its files")]
    Missing(String),
    /// The manifest is not as it must be.
    #[error("{path} is not as it must be: {why}")]
    Manifest {
        /// Which.
        path: String,
        /// Why.
        why: String,
    },
    /// The first request for a file waits for its check.
    #[error("the file is being checked")]
    Checking,
    /// The file is not the one that the manifest describes.
    #[error("{path} is not what its manifest says: {why}")]
    Differs {
        /// Which.
        path: String,
        /// What differs.
        why: String,
    },
    /// It cannot be read.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: String,
        /// Why.
        error: std::io::Error,
    },
}

/// The mirror's folder.
#[derive(Debug, Clone)]
pub struct Assets {
    root: PathBuf,
    checks: Arc<verify::Checks>,
    upstream: Upstream,
    metrics: Arc<Metrics>,
    jobs: Arc<Jobs>,
    /// Read by whoever begins to need a version, written by whoever removes one.
    usage: Arc<RwLock<()>>,
}

impl Assets {
    /// The mirror at `root`, which need not exist yet.
    pub fn new(root: PathBuf, upstream: Upstream, metrics: Arc<Metrics>) -> Self {
        Self {
            root,
            checks: Arc::default(),
            upstream,
            metrics,
            jobs: Arc::default(),
            usage: Arc::default(),
        }
    }

    fn root(&self) -> &Path {
        &self.root
    }

    fn folder(&self, arch: Arch, version: &str) -> PathBuf {
        self.root.join(arch.as_str()).join(version)
    }

    /// Pulls under way and lately ended.
    pub(crate) fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// No version is removed as long as this is held.
    pub(crate) async fn used(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.usage).read_owned().await
    }

    /// The latest release of a stream for each architecture that is mirrored.
    pub(crate) async fn releases(&self, stream: &str) -> Result<Vec<Release>, AssetError> {
        let mut releases = Vec::new();
        if !manifest::is_plain_name(stream) {
            return Ok(releases);
        }
        for arch in [Arch::X86_64, Arch::Aarch64] {
            let folder = pull::stream_link(&self.root.join(arch.as_str()), stream);
            releases.extend(Release::read(&folder).await?.filter(|release| release.stream == stream));
        }
        Ok(releases)
    }

    /// A version as it was pulled.
    pub(crate) async fn release(&self, arch: &str, version: &str) -> Result<Option<Release>, AssetError> {
        if !manifest::is_plain_name(arch) || !manifest::is_plain_name(version) {
            return Ok(None);
        }
        Release::read(&self.root.join(arch).join(version)).await
    }

    /// Opens a file of a release, checked.
    pub(crate) async fn open_of_release(&self, release: &Release, file: &AssetFile) -> Result<Verified, AssetError> {
        let path = self.root.join(&release.arch).join(&release.version).join(&file.name);
        self.open_described(&path, file).await
    }

    async fn open_described(&self, path: &Path, file: &AssetFile) -> Result<Verified, AssetError> {
        verify::open(&self.checks, path, file, &self.metrics).await
    }

    /// What a run of that architecture and version is served; without a version, the mirror's current one.
    ///
    /// # Errors
    /// When nothing usable is mirrored.
    pub async fn manifest(&self, arch: Arch, version: Option<&str>) -> Result<Manifest, AssetError> {
        let named = version.unwrap_or("current");
        if !manifest::is_plain_name(named) {
            return Err(AssetError::Missing(format!("{}/{named:?}", arch.as_str())));
        }
        let folder = self.root.join(arch.as_str()).join(named);
        let path = folder.join("manifest.json");
        let bytes = match tokio::fs::read(&path).await {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(AssetError::Missing(folder.display().to_string()));
            }
            Err(error) => return Err(io(&path, error)),
        };
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| AssetError::Manifest {
            path: path.display().to_string(),
            why: error.to_string(),
        })?;
        manifest.check(arch, version).map_err(|why| AssetError::Manifest {
            path: path.display().to_string(),
            why,
        })?;
        Ok(manifest)
    }

    /// Opens a file of a manifest, checked.
    pub(crate) async fn open(&self, manifest: &Manifest, file: &AssetFile) -> Result<Verified, AssetError> {
        self.open_described(&self.path(manifest, file), file).await
    }

    /// Checks every file of a manifest in the background, so that the first machine need not wait for it.
    pub(crate) fn check_ahead(&self, manifest: &Manifest) {
        let (assets, manifest) = (self.clone(), manifest.clone());
        tokio::spawn(async move {
            for (_, file) in manifest.files() {
                if let Err(error) = assets.open(&manifest, file).await
                    && !matches!(error, AssetError::Checking)
                {
                    tracing::error!(%error, "an asset of an armed run cannot be served");
                }
            }
        });
    }

    /// The k3s binary of a release, checked: a file that was added and has this hash, whatever its name; else
    /// `k3s/<version>/<arch>/k3s`, put there by hand.
    pub(crate) async fn k3s(&self, arch: Arch, version: &str, sha256: &str) -> Result<Verified, AssetError> {
        if let Some(added) = self.open_extra_by_hash(sha256).await? {
            return Ok(added);
        }
        if !manifest::is_plain_name(version) {
            return Err(AssetError::Missing(format!("k3s/{version:?}")));
        }
        let path = self.root.join("k3s").join(version).join(arch.as_str()).join("k3s");
        let metadata = tokio::fs::metadata(&path).await.map_err(|error| io(&path, error))?;
        let file = AssetFile {
            name: "k3s".to_owned(),
            sha256: sha256.to_owned(),
            size: metadata.len(),
        };
        self.open_described(&path, &file).await
    }

    fn path(&self, manifest: &Manifest, file: &AssetFile) -> PathBuf {
        self.root.join(&manifest.arch).join(&manifest.version).join(&file.name)
    }
}

fn io(path: &Path, error: std::io::Error) -> AssetError {
    AssetError::Io {
        path: path.display().to_string(),
        error,
    }
}
