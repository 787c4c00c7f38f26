//! The mirror, for programs and the command line.

use std::time::Duration;

use reqwest::Method;

use super::{Client, ClientError, decode};
use crate::control::{AddFileBody, Arch, AssetFileView, AssetsView, Empty, Page, PullBody, PullView};

/// A file may be large and the line slow.
const UPLOAD_LIMIT: Duration = Duration::from_secs(4 * 60 * 60);

impl Client {
    /// What is in the mirror.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn assets(&self) -> Result<AssetsView, ClientError> {
        self.get(&["assets"], &[]).await
    }

    /// Begins to download the latest version of a stream.
    ///
    /// # Errors
    /// When the stream's name is none, or nothing answers.
    pub async fn pull_assets(&self, body: &PullBody) -> Result<PullView, ClientError> {
        self.post(&["assets", "pulls"], body).await
    }

    /// How far a pull is.
    ///
    /// # Errors
    /// When there is none of this number since the server's start, or nothing answers.
    pub async fn asset_pull(&self, id: u64) -> Result<PullView, ClientError> {
        self.get(&["assets", "pulls", &id.to_string()], &[]).await
    }

    /// Every pull since the server's start, the latest first.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn asset_pulls(&self) -> Result<Page<PullView>, ClientError> {
        self.get(&["assets", "pulls"], &[]).await
    }

    /// Ends a pull. What it has downloaded stays for the next one.
    ///
    /// # Errors
    /// When there is none of this number since the server's start, it has ended, or nothing answers.
    pub async fn cancel_asset_pull(&self, id: u64) -> Result<PullView, ClientError> {
        self.delete(&["assets", "pulls", &id.to_string()]).await
    }

    /// Begins to download a file with a hash.
    ///
    /// # Errors
    /// When URL, name or hash are none, or nothing answers.
    pub async fn add_asset_url(&self, body: &AddFileBody) -> Result<PullView, ClientError> {
        self.post(&["assets", "files"], body).await
    }

    /// Sends a file with its hash.
    ///
    /// # Errors
    /// When it is another one than the hash says, its name is taken, or nothing answers.
    pub async fn put_asset_file(
        &self,
        name: &str,
        sha256: &str,
        file: impl Into<reqwest::Body>,
    ) -> Result<AssetFileView, ClientError> {
        let url = self.url(&["assets", "files", name], &[("sha256", sha256)])?;
        let request = self.request(Method::PUT, &url).timeout(UPLOAD_LIMIT).body(file);
        let answer = request.send().await;
        decode(answer.map_err(|error| ClientError::unreachable(&url, error))?).await
    }

    /// Removes a file.
    ///
    /// # Errors
    /// When there is none of this name, or nothing answers.
    pub async fn remove_asset_file(&self, name: &str) -> Result<Empty, ClientError> {
        self.delete(&["assets", "files", name]).await
    }

    /// Removes a version.
    ///
    /// # Errors
    /// When somebody needs it, there is none, or nothing answers.
    pub async fn remove_asset_version(&self, arch: Arch, version: &str) -> Result<Empty, ClientError> {
        self.delete(&["assets", "versions", arch.as_str(), version]).await
    }
}
