//! A file that is half there.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use data_encoding::HEXLOWER;
use futures_util::StreamExt as _;
use reqwest::{Client, StatusCode, Url, header};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt as _;

use super::error::{disk, plain};
use super::{DownloadError, Progress, hash_rest, name_of, shown};
use crate::assets::{AssetFile, atomic};

/// Tries without a single new byte before it is given up.
const MAX_VAIN_TRIES: u32 = 5;
/// Pause before the second try; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(if cfg!(test) { 2 } else { 500 });

/// What the bytes of a part are the beginning of.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Beginning {
    url: String,
    sha256: Option<String>,
    /// Strong `ETag` or `Last-Modified`, for `If-Range`.
    validator: Option<String>,
}

/// A download under way.
pub(super) struct Part<'a> {
    url: &'a Url,
    path: &'a Path,
    draft: PathBuf,
    about: PathBuf,
    beginning: Beginning,
    file: File,
    hasher: Sha256,
    pub(super) length: u64,
    /// More bytes are not taken.
    pub(super) most: u64,
    progress: &'a Progress,
}

/// What became of one request.
enum Tried {
    /// Everything is there.
    Whole,
    /// Worth another request.
    Again(String),
}

impl<'a> Part<'a> {
    /// Takes up what is there of it.
    pub(super) async fn open(
        url: &'a Url,
        path: &'a Path,
        sha256: Option<&str>,
        progress: &'a Progress,
    ) -> Result<Self, DownloadError> {
        let (draft, about) = (hidden(path, "part"), hidden(path, "part.json"));
        let known: Option<Beginning> = match fs::read(&about).await {
            Ok(bytes) => serde_json::from_slice(&bytes).ok(),
            Err(_) => None,
        };
        let known = known.filter(|known| known.url == url.as_str() && known.sha256.as_deref() == sha256);
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&draft)
            .await
            .map_err(|error| disk(&draft, error))?;
        let mut hasher = Sha256::new();
        let length = if known.is_some() {
            hash_rest(&mut file, &mut hasher)
                .await
                .map_err(|error| disk(&draft, error))?
        } else {
            file.set_len(0).await.map_err(|error| disk(&draft, error))?;
            0
        };
        progress.done.store(length, Ordering::Relaxed);
        let beginning = known.unwrap_or_else(|| Beginning {
            url: url.as_str().to_owned(),
            sha256: sha256.map(str::to_owned),
            validator: None,
        });
        Ok(Self {
            url,
            path,
            draft,
            about,
            beginning,
            file,
            hasher,
            length,
            most: u64::MAX,
            progress,
        })
    }

    pub(super) async fn restart(&mut self) -> Result<(), DownloadError> {
        self.file.set_len(0).await.map_err(|error| disk(&self.draft, error))?;
        self.hasher = Sha256::new();
        self.length = 0;
        self.beginning.validator = None;
        self.progress.done.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Asks until everything is there, and it is what was expected.
    pub(super) async fn fetch(&mut self, client: &Client) -> Result<(), DownloadError> {
        let (mut vain, mut pause) = (0, FIRST_PAUSE);
        loop {
            let before = self.progress.received.load(Ordering::Relaxed);
            let tried = self.ask(client).await;
            let why = match tried {
                Ok(Tried::Whole) => break,
                Ok(Tried::Again(why)) => why,
                Err(error @ (DownloadError::Full { .. } | DownloadError::TooLong { .. })) => {
                    let _ = fs::remove_file(&self.draft).await;
                    let _ = fs::remove_file(&self.about).await;
                    return Err(error);
                }
                Err(error) => return Err(error),
            };
            if self.progress.received.load(Ordering::Relaxed) > before {
                (vain, pause) = (0, FIRST_PAUSE);
            }
            vain += 1;
            if vain >= MAX_VAIN_TRIES {
                return Err(DownloadError::Broken {
                    url: shown(self.url),
                    why,
                });
            }
            tracing::info!(url = %shown(self.url), %why, bytes = self.length, "a download broke off; it is resumed");
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        let found = HEXLOWER.encode(&self.hasher.clone().finalize());
        match &self.beginning.sha256 {
            Some(expected) if *expected != found => {
                let expected = expected.clone();
                let _ = fs::remove_file(&self.about).await;
                Err(DownloadError::Differs {
                    url: shown(self.url),
                    found,
                    expected,
                })
            }
            _ => Ok(()),
        }
    }

    async fn ask(&mut self, client: &Client) -> Result<Tried, DownloadError> {
        let mut request = client.get(self.url.clone());
        if self.length > 0 {
            request = request.header(header::RANGE, format!("bytes={}-", self.length));
            if let Some(validator) = &self.beginning.validator {
                request = request.header(header::IF_RANGE, validator);
            }
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Ok(Tried::Again(plain(error))),
        };
        let total = match answer.status() {
            StatusCode::OK => {
                if self.length > 0 {
                    self.restart().await?;
                }
                answer.content_length()
            }
            StatusCode::PARTIAL_CONTENT => match content_range(answer.headers()) {
                Some((start, total)) if start == self.length => Some(total),
                _ => {
                    self.restart().await?;
                    return Ok(Tried::Again("it sent another part than was asked for".into()));
                }
            },
            // More is here than there: it was the beginning of another file, or exactly all of it.
            StatusCode::RANGE_NOT_SATISFIABLE if self.length > 0 => {
                let is_whole = unsatisfied_total(answer.headers()) == Some(self.length);
                if is_whole {
                    return Ok(Tried::Whole);
                }
                self.restart().await?;
                return Ok(Tried::Again("it has fewer bytes than were there".into()));
            }
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Ok(Tried::Again(format!("it answered {}", status.as_u16())));
            }
            status => {
                return Err(DownloadError::Refused {
                    url: shown(self.url),
                    status: status.as_u16(),
                });
            }
        };
        if total.is_some_and(|total| total > self.most) {
            return Err(self.too_long());
        }
        self.progress.total.store(total.unwrap_or(0), Ordering::Relaxed);
        self.note_validator(answer.headers()).await?;
        let mut body = answer.bytes_stream();
        while let Some(chunk) = body.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => {
                    self.file.flush().await.map_err(|error| disk(&self.draft, error))?;
                    return Ok(Tried::Again(plain(error)));
                }
            };
            let bytes = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            if bytes > self.most - self.length.min(self.most) {
                return Err(self.too_long());
            }
            self.file
                .write_all(&chunk)
                .await
                .map_err(|error| disk(&self.draft, error))?;
            self.hasher.update(&chunk);
            self.length += bytes;
            self.progress.done.store(self.length, Ordering::Relaxed);
            self.progress.received.fetch_add(bytes, Ordering::Relaxed);
        }
        // The last write may fail as late as here.
        self.file.flush().await.map_err(|error| disk(&self.draft, error))?;
        match total {
            Some(total) if self.length < total => {
                Ok(Tried::Again(format!("it ended after {} of {total} bytes", self.length)))
            }
            _ => Ok(Tried::Whole),
        }
    }

    fn too_long(&self) -> DownloadError {
        DownloadError::TooLong {
            url: shown(self.url),
            most: self.most,
        }
    }

    async fn note_validator(&mut self, headers: &header::HeaderMap) -> Result<(), DownloadError> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let etag = text(header::ETAG).filter(|etag| !etag.starts_with("W/"));
        let validator = etag.or_else(|| text(header::LAST_MODIFIED)).map(str::to_owned);
        if self.length == 0 || validator != self.beginning.validator {
            self.beginning.validator = validator;
            let json = serde_json::to_vec(&self.beginning).unwrap_or_default();
            fs::write(&self.about, json)
                .await
                .map_err(|error| disk(&self.about, error))?;
        }
        Ok(())
    }

    /// On the disk, and only then under its name.
    pub(super) async fn finish(self) -> Result<AssetFile, DownloadError> {
        self.file.sync_all().await.map_err(|error| disk(&self.draft, error))?;
        fs::rename(&self.draft, self.path)
            .await
            .map_err(|error| disk(self.path, error))?;
        let _ = fs::remove_file(&self.about).await;
        atomic::sync_folder(self.path).map_err(|error| disk(self.path, error))?;
        Ok(AssetFile {
            name: name_of(self.path),
            sha256: HEXLOWER.encode(&self.hasher.finalize()),
            size: self.length,
        })
    }
}

fn content_range(headers: &header::HeaderMap) -> Option<(u64, u64)> {
    let text = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.parse().ok()?, total.parse().ok()?))
}

fn unsatisfied_total(headers: &header::HeaderMap) -> Option<u64> {
    let text = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    text.strip_prefix("bytes */")?.parse().ok()
}

fn hidden(path: &Path, end: &str) -> PathBuf {
    path.with_file_name(format!(".{}.{end}", name_of(path)))
}
