//! One file over HTTP: resumed where it broke off, checked before it has its name.
//!
//! Until then its bytes are in `.NAME.part`, with `.NAME.part.json` beside it: what they are the beginning of.

mod error;
mod part;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use data_encoding::HEXLOWER;
use reqwest::{Client, Url};
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

pub(crate) use error::{DownloadError, shown};

use super::AssetFile;
use error::disk;
use part::Part;

/// Read at a time from what is there already.
const CHUNK_BYTES: usize = 1 << 20;

/// How far a download is.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Bytes that are there.
    pub(crate) done: AtomicU64,
    /// Bytes in all; 0 as long as nobody knows.
    pub(crate) total: AtomicU64,
    /// Bytes that came over the wire.
    pub(crate) received: AtomicU64,
}

/// A client for downloads: patient with slow lines, not with silent ones.
pub(crate) fn client() -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(concat!("thirdboot/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(30))
        .build()
}

/// Downloads `url` to `path`, no more than `most` bytes. A file that is there with this hash is not downloaded again.
pub(crate) async fn download(
    client: &Client,
    url: &Url,
    path: &Path,
    sha256: Option<&str>,
    most: Option<u64>,
    progress: &Progress,
) -> Result<AssetFile, DownloadError> {
    if let Some(expected) = sha256
        && let Some(file) = existing(path, expected).await?
    {
        progress.done.store(file.size, Ordering::Relaxed);
        progress.total.store(file.size, Ordering::Relaxed);
        return Ok(file);
    }
    let mut part = Part::open(url, path, sha256, progress).await?;
    part.most = most.unwrap_or(u64::MAX);
    let was_resumed = part.length > 0;
    let fetched = part.fetch(client).await;
    match fetched {
        Err(error @ DownloadError::Differs { .. }) if was_resumed => {
            // What was there may have been the beginning of another file: once more, from its own beginning.
            tracing::warn!(%error, "a resumed download does not fit together: it begins anew");
            part.restart().await?;
            part.fetch(client).await?;
        }
        done => done?,
    }
    part.finish().await
}

/// The file, if it is there and has this hash.
async fn existing(path: &Path, sha256: &str) -> Result<Option<AssetFile>, DownloadError> {
    let mut file = match File::open(path).await {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(disk(path, error)),
    };
    let mut hasher = Sha256::new();
    let size = hash_rest(&mut file, &mut hasher)
        .await
        .map_err(|error| disk(path, error))?;
    let is_it = HEXLOWER.encode(&hasher.finalize()) == sha256;
    Ok(is_it.then(|| AssetFile {
        name: name_of(path),
        sha256: sha256.to_owned(),
        size,
    }))
}

async fn hash_rest(file: &mut File, hasher: &mut Sha256) -> io::Result<u64> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut size = 0;
    loop {
        let read = file.read(&mut chunk).await?;
        if read == 0 {
            return Ok(size);
        }
        hasher.update(&chunk[..read]);
        size += u64::try_from(read).unwrap_or(0);
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
