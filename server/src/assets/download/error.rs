//! Why a file was not downloaded, and what may be told of it.

use std::io;
use std::path::Path;

use reqwest::Url;
use thirdboot_api::innermost;

/// Why a file was not downloaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DownloadError {
    /// It is not what was expected: never tried again by itself.
    #[error("{url}: its sha256 is {found}, expected {expected}")]
    Differs {
        url: String,
        found: String,
        expected: String,
    },
    /// The other side refuses.
    #[error("{url} answered {status}")]
    Refused { url: String, status: u16 },
    /// The other side does not answer, or breaks off again and again.
    #[error("{url}: {why}")]
    Broken { url: String, why: String },
    /// It has no end where it should have one.
    #[error("{url} is longer than {most} bytes")]
    TooLong { url: String, most: u64 },
    /// There is no room: what was there of it is removed, the database may need the room.
    #[error("{path}: no room left on the device; what was there of it is removed")]
    Full { path: String },
    /// The disk refuses otherwise.
    #[error("{path}: {error}")]
    Disk { path: String, error: io::Error },
}

pub(super) fn disk(path: &Path, error: io::Error) -> DownloadError {
    let path = path.display().to_string();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            DownloadError::Full { path }
        }
        _ => DownloadError::Disk { path, error },
    }
}

/// A URL without what may be secret in it.
pub(crate) fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// What it says, without the URL.
pub(super) fn plain(error: reqwest::Error) -> String {
    innermost(&error.without_url())
}
