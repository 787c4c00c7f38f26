//! Any file with a hash: k3s binaries, firmware, what a unit fetches after its first boot.
//!
//! ```text
//! assets/files/index.json      names, hashes, sizes
//! assets/files/NAME            the files, each checked before it is in the index
//! ```
//!
//! They are served to everybody at `/files/NAME`: nothing secret belongs here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::{Stream, StreamExt as _};
use jiff::Timestamp;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

use super::download::{self, DownloadError, Progress};
use super::manifest::is_plain_name;
use super::stream::is_sha256;
use super::{AssetError, AssetFile, Assets, Verified, atomic, io};

/// The index.
const INDEX: &str = "index.json";

/// How long an upload may be silent: nobody else adds a file meanwhile.
const STALL: Duration = Duration::from_secs(30);

/// A file beside the versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExtraFile {
    /// The file.
    #[serde(flatten)]
    pub(crate) file: AssetFile,
    /// Where it came from, for people.
    pub(crate) source: String,
    /// Since when it is here.
    pub(crate) added_at: Timestamp,
}

/// Why a file is not added.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddError {
    /// The field at fault, and what was expected.
    #[error("{field}: {expected}")]
    Malformed { field: &'static str, expected: String },
    /// Another file has this name.
    #[error("another file is called {0}: remove it first, or give this one another name")]
    Taken(String),
    /// It cannot be downloaded, or is not what was expected.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// The upload broke off.
    #[error("the file did not arrive whole: {0}")]
    BrokenOff(String),
    /// The mirror's folder refuses.
    #[error(transparent)]
    Assets(#[from] AssetError),
}

/// A file that is wanted, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewFile {
    pub(super) name: String,
    sha256: String,
}

impl NewFile {
    /// Checks name and hash.
    pub(crate) fn new(name: &str, sha256: &str) -> Result<Self, AddError> {
        let malformed = |field, expected: &str| AddError::Malformed {
            field,
            expected: expected.to_owned(),
        };
        if !is_plain_name(name) || name == INDEX {
            return Err(malformed("name", "expected the name of a file, of A-Z a-z 0-9 . _ - +"));
        }
        let sha256 = sha256.to_ascii_lowercase();
        if !is_sha256(&sha256) {
            return Err(malformed("sha256", "expected 64 hex digits"));
        }
        Ok(Self {
            name: name.to_owned(),
            sha256,
        })
    }
}

impl Assets {
    fn extras(&self) -> PathBuf {
        self.root().join("files")
    }

    /// The files beside the versions, by name.
    pub(crate) async fn extra_files(&self) -> Result<BTreeMap<String, ExtraFile>, AssetError> {
        let path = self.extras().join(INDEX);
        match tokio::fs::read(&path).await {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| AssetError::Manifest {
                path: path.display().to_string(),
                why: error.to_string(),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(io(&path, error)),
        }
    }

    /// Opens a file beside the versions, checked; none when there is none of this name.
    pub(crate) async fn open_extra(&self, name: &str) -> Result<Option<Verified>, AssetError> {
        let files = self.extra_files().await?;
        let Some(extra) = files.get(name) else {
            return Ok(None);
        };
        self.open_described(&self.extras().join(&extra.file.name), &extra.file)
            .await
            .map(Some)
    }

    /// Opens a file beside the versions by its hash, checked; none when there is none.
    pub(super) async fn open_extra_by_hash(&self, sha256: &str) -> Result<Option<Verified>, AssetError> {
        let files = self.extra_files().await?;
        let Some(extra) = files.values().find(|extra| extra.file.sha256 == sha256) else {
            return Ok(None);
        };
        self.open_described(&self.extras().join(&extra.file.name), &extra.file)
            .await
            .map(Some)
    }

    /// Downloads a file and adds it. The caller holds the turn.
    pub(super) async fn add_from_url(
        &self,
        new: &NewFile,
        url: &Url,
        progress: &Progress,
        now: Timestamp,
    ) -> Result<ExtraFile, AddError> {
        if let Some(same) = self.known(new).await? {
            return Ok(same);
        }
        let path = self.place(new).await?;
        let client = download::client().map_err(|error| AddError::BrokenOff(error.to_string()))?;
        let file = download::download(&client, url, &path, Some(&new.sha256), None, progress).await?;
        self.list(file, download::shown(url), now).await
    }

    /// Takes a file as it is sent, and adds it.
    pub(crate) async fn add_from_upload(
        &self,
        new: &NewFile,
        mut body: impl Stream<Item = Result<Bytes, String>> + Unpin,
        now: Timestamp,
    ) -> Result<ExtraFile, AddError> {
        let _turn = self.jobs.turn.lock().await;
        if let Some(same) = self.known(new).await? {
            return Ok(same);
        }
        let path = self.place(new).await?;
        let draft = path.with_file_name(format!(".{}.upload", new.name));
        let received = receive(&draft, &mut body).await;
        let kept = match received {
            Ok((size, found)) if found == new.sha256 => {
                std::fs::rename(&draft, &path)
                    .and_then(|()| atomic::sync_folder(&path))
                    .map_err(|error| io(&path, error))?;
                Ok(size)
            }
            Ok((_, found)) => Err(AddError::Malformed {
                field: "sha256",
                expected: format!("the sha256 of what was sent is {found}"),
            }),
            Err(error) => Err(error),
        };
        if kept.is_err() {
            let _ = tokio::fs::remove_file(&draft).await;
        }
        let file = AssetFile {
            name: new.name.clone(),
            sha256: new.sha256.clone(),
            size: kept?,
        };
        self.list(file, "upload".to_owned(), now).await
    }

    /// Takes a file off; false when there is none of this name.
    pub(crate) async fn remove_extra(&self, name: &str) -> Result<bool, AssetError> {
        let _turn = self.jobs.turn.lock().await;
        let mut files = self.extra_files().await?;
        let Some(gone) = files.remove(name) else {
            return Ok(false);
        };
        self.write_index(&files)?;
        let path = self.extras().join(&gone.file.name);
        tokio::fs::remove_file(&path).await.map_err(|error| io(&path, error))?;
        Ok(true)
    }

    /// The same file, if it is there.
    async fn known(&self, new: &NewFile) -> Result<Option<ExtraFile>, AddError> {
        match self.extra_files().await?.remove(&new.name) {
            Some(known) if known.file.sha256 == new.sha256 => Ok(Some(known)),
            Some(_) => Err(AddError::Taken(new.name.clone())),
            None => Ok(None),
        }
    }

    async fn place(&self, new: &NewFile) -> Result<PathBuf, AddError> {
        let folder = self.extras();
        tokio::fs::create_dir_all(&folder)
            .await
            .map_err(|error| io(&folder, error))?;
        Ok(folder.join(&new.name))
    }

    async fn list(&self, file: AssetFile, source: String, added_at: Timestamp) -> Result<ExtraFile, AddError> {
        let extra = ExtraFile { file, source, added_at };
        let mut files = self.extra_files().await?;
        files.insert(extra.file.name.clone(), extra.clone());
        self.write_index(&files)?;
        Ok(extra)
    }

    fn write_index(&self, files: &BTreeMap<String, ExtraFile>) -> Result<(), AssetError> {
        let path = self.extras().join(INDEX);
        let json = serde_json::to_vec_pretty(files).map_err(|error| io(&path, error.into()))?;
        atomic::write(&path, &json).map_err(|error| io(&path, error))
    }
}

/// Length and hash of what came.
async fn receive(
    draft: &Path,
    body: &mut (impl Stream<Item = Result<Bytes, String>> + Unpin),
) -> Result<(u64, String), AddError> {
    let at = |error| AddError::Assets(io(draft, error));
    let mut file = tokio::fs::File::create(draft).await.map_err(at)?;
    let (mut hasher, mut size) = (Sha256::new(), 0_u64);
    let silent = |_| AddError::BrokenOff(format!("nothing came for {} s", STALL.as_secs()));
    while let Some(chunk) = tokio::time::timeout(STALL, body.next()).await.map_err(silent)? {
        let chunk = chunk.map_err(AddError::BrokenOff)?;
        hasher.update(&chunk);
        size += u64::try_from(chunk.len()).unwrap_or(0);
        file.write_all(&chunk).await.map_err(at)?;
    }
    file.flush().await.map_err(at)?;
    file.sync_all().await.map_err(at)?;
    Ok((size, HEXLOWER.encode(&hasher.finalize())))
}
