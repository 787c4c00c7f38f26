//! `release.json`: where a mirrored version comes from, with everything of it that may be handed on.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{AssetError, AssetFile, io};

/// Name of the file.
const FILE: &str = "release.json";

/// A version that was pulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Release {
    /// Of which stream it was the latest then.
    pub(crate) stream: String,
    /// Its version; the folder's name.
    pub(crate) version: String,
    /// Architecture, as Fedora CoreOS names it.
    pub(crate) arch: String,
    /// Its files.
    pub(crate) files: Vec<ReleaseFile>,
}

/// A file of a version, as the stream's document describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReleaseFile {
    /// `pxe` or `raw.xz`.
    pub(crate) format: String,
    /// `kernel`, `initramfs`, `rootfs` or `disk`.
    pub(crate) artifact: String,
    /// The file.
    pub(crate) file: AssetFile,
    /// Its detached signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<AssetFile>,
    /// Of the image inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) uncompressed_sha256: Option<String>,
    /// The key of the keyring whose signature was good; none when no keyring was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signed_by: Option<String>,
}

impl Release {
    /// The release of a version's folder; none when it was not pulled but laid there.
    pub(crate) async fn read(folder: &Path) -> Result<Option<Self>, AssetError> {
        let path = folder.join(FILE);
        match tokio::fs::read(&path).await {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| AssetError::Manifest {
                    path: path.display().to_string(),
                    why: error.to_string(),
                }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io(&path, error)),
        }
    }

    /// Where it is written in a version's folder.
    pub(super) fn path(folder: &Path) -> std::path::PathBuf {
        folder.join(FILE)
    }

    /// The file or signature of that name.
    pub(crate) fn named(&self, name: &str) -> Option<&AssetFile> {
        self.files
            .iter()
            .flat_map(|file| std::iter::once(&file.file).chain(file.signature.as_ref()))
            .find(|file| file.name == name)
    }
}
