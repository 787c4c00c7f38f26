//! The mirror: a folder of operating system files, each checked before it is first served.

mod manifest;
mod range;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use thirdboot_lifecycle::Arch;

pub use manifest::{AssetFile, AssetRole, Manifest};
pub(crate) use range::{Part, part};
pub(crate) use verify::Verified;

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
}

impl Assets {
    /// The mirror at `root`, which need not exist yet.
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            checks: Arc::default(),
        }
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
        verify::open(&self.checks, &self.path(manifest, file), file).await
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
