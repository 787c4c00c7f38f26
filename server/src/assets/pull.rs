//! A pull: the latest version of a stream, downloaded, checked, and only then what hosts are armed with.
//!
//! Files lie in the version's own folder from the beginning, under hidden names until they are whole. `manifest.json` is
//! written last: a folder without one is served to nobody. Then the links move.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use reqwest::{Client, Url};
use serde_json::json;
use thirdboot_lifecycle::Arch;

use super::download::{self, Progress, shown};
use super::jobs::Job;
use super::keyring::{Keyring, MAX_SIGNATURE_BYTES};
use super::release::{Release, ReleaseFile};
use super::stream::{Latest, Stream, Wanted};
use super::{AssetFile, AssetRole, Assets, Manifest, atomic, sweep};
use crate::bounded;

/// The longest stream document.
const MAX_STREAM_BYTES: usize = 16 << 20;

/// What is pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PullRequest {
    /// The stream's name.
    pub(crate) stream: String,
    /// For which machines.
    pub(crate) arch: Arch,
    /// The disk image, too.
    pub(crate) with_image: bool,
    /// Hosts are armed with it from now on, unless they pin a version.
    pub(crate) switch: bool,
}

/// Where from, and whom to believe.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Base of `<stream>.json`, with a slash at its end.
    pub(crate) streams: Url,
    /// Whose signatures count; none leaves signatures unchecked.
    pub(crate) keyring: Option<Arc<Keyring>>,
}

impl Upstream {
    /// Checks both.
    ///
    /// # Errors
    /// When the URL is none, or the keyring cannot be read.
    pub fn new(streams: &str, keyring: Option<&Path>) -> anyhow::Result<Self> {
        let streams = Url::parse(&format!("{}/", streams.trim_end_matches('/')))
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .with_context(|| format!("--streams-url {streams:?}: expected http:// or https:// and a host"))?;
        let keyring = keyring.map(Keyring::read).transpose()?.map(Arc::new);
        Ok(Self { streams, keyring })
    }
}

/// Downloads and switches over. Returns the version.
pub(super) async fn pull(
    assets: &Assets,
    upstream: &Upstream,
    request: &PullRequest,
    job: &Job,
) -> anyhow::Result<String> {
    let client = download::client().context("no HTTP client can be made")?;
    let latest = latest(&client, upstream, request).await?;
    job.found(&latest.version, latest.files.iter().map(|file| file.name.as_str()));
    let folder = assets.folder(request.arch, &latest.version);
    sweep::make(&folder).with_context(|| folder.display().to_string())?;
    let mut files = Vec::new();
    for wanted in &latest.files {
        let progress = job.begins(&wanted.name);
        files.push(
            file(&client, upstream, &folder, wanted, &progress)
                .await
                .with_context(|| wanted.name.clone())?,
        );
        job.is_done(&wanted.name);
    }
    let release = Release {
        stream: request.stream.clone(),
        version: latest.version.clone(),
        arch: request.arch.as_str().to_owned(),
        files,
    };
    publish(assets, request, &folder, &release).await?;
    Ok(latest.version)
}

async fn latest(client: &Client, upstream: &Upstream, request: &PullRequest) -> anyhow::Result<Latest> {
    let url = upstream
        .streams
        .join(&format!("{}.json", request.stream))
        .context("the stream's name makes no URL")?;
    let at = || shown(&url);
    let answer = client
        .get(url.clone())
        .send()
        .await
        .map_err(reqwest::Error::without_url);
    let answer = answer.with_context(at)?;
    if !answer.status().is_success() {
        bail!("{} answered {}", at(), answer.status().as_u16());
    }
    let bytes = bounded::body(answer, MAX_STREAM_BYTES)
        .await
        .map_err(reqwest::Error::without_url)
        .with_context(at)?
        .with_context(|| format!("{} is longer than {MAX_STREAM_BYTES} bytes", at()))?;
    Stream::read(&bytes, &request.stream)
        .and_then(|stream| stream.latest(request.arch, request.with_image))
        .map_err(|why| anyhow::anyhow!("{}: {why}", at()))
}

/// One file with its signature, both checked.
async fn file(
    client: &Client,
    upstream: &Upstream,
    folder: &Path,
    wanted: &Wanted,
    progress: &Progress,
) -> anyhow::Result<ReleaseFile> {
    let path = folder.join(&wanted.name);
    let file = download::download(client, &wanted.location, &path, Some(&wanted.sha256), None, progress).await?;
    let most = Some(MAX_SIGNATURE_BYTES);
    let signature_path = folder.join(format!("{}.sig", wanted.name));
    let signature = match &wanted.signature {
        Some(url) => match download::download(client, url, &signature_path, None, most, &Progress::default()).await {
            Ok(signature) => Some(signature),
            // Without a keyring nobody here looks at it.
            Err(error) if upstream.keyring.is_none() && wanted.role != AssetRole::Image => {
                tracing::warn!(%error, "a signature cannot be had; no keyring asks for it");
                None
            }
            Err(error) => return Err(error.into()),
        },
        None => None,
    };
    let signed_by = match (&upstream.keyring, &signature) {
        (None, _) => None,
        (Some(_), None) => bail!("it has no signature, and a keyring is given"),
        (Some(keyring), Some(_)) => {
            let keyring = Arc::clone(keyring);
            let signed_by = tokio::task::spawn_blocking(move || {
                let signature = Keyring::read_signature(&signature_path)?;
                keyring.verify(&path, &signature)
            });
            Some(signed_by.await??)
        }
    };
    Ok(ReleaseFile {
        format: wanted.format.to_owned(),
        artifact: wanted.artifact.to_owned(),
        file,
        signature,
        uncompressed_sha256: wanted.uncompressed_sha256.clone(),
        signed_by,
    })
}

/// Small files and links, in the order in which they may be seen.
async fn publish(assets: &Assets, request: &PullRequest, folder: &Path, release: &Release) -> anyhow::Result<()> {
    let release = merged(folder, release).await?;
    let manifest = manifest(&release)?;
    manifest
        .check(request.arch, Some(&release.version))
        .map_err(|why| anyhow::anyhow!("the manifest that was made: {why}"))?;
    let (arch_folder, stream) = (assets.root().join(request.arch.as_str()), request.stream.clone());
    let (folder, switch) = (folder.to_owned(), request.switch);
    let written = tokio::task::spawn_blocking(move || -> std::io::Result<()> {
        atomic::write(&Release::path(&folder), &serde_json::to_vec_pretty(&release)?)?;
        atomic::write(&folder.join("manifest.json"), &serde_json::to_vec_pretty(&manifest)?)?;
        atomic::link(&stream_link(&arch_folder, &stream), &release.version)?;
        let current = arch_folder.join("current");
        // Without any, whatever comes first is what hosts are armed with.
        if switch || !current.exists() {
            atomic::link(&current, &release.version)?;
        }
        Ok(())
    });
    written.await?.context("the version cannot be published")
}

/// With what an earlier pull of the same version has downloaded beyond this one.
async fn merged(folder: &Path, release: &Release) -> anyhow::Result<Release> {
    let mut release = release.clone();
    if let Ok(Some(before)) = Release::read(folder).await {
        for file in before.files {
            let is_new = release.files.iter().all(|known| known.file.name != file.file.name);
            if is_new && before.version == release.version {
                release.files.push(file);
            }
        }
    }
    Ok(release)
}

/// The link to the latest version of a stream.
pub(super) fn stream_link(arch_folder: &Path, stream: &str) -> PathBuf {
    arch_folder.join(format!("stream.{stream}"))
}

fn manifest(release: &Release) -> anyhow::Result<Manifest> {
    let file = |format: &str, artifact: &str| -> Option<&ReleaseFile> {
        release
            .files
            .iter()
            .find(|file| file.format == format && file.artifact == artifact)
    };
    let described = |file: &AssetFile| json!({"name": file.name, "sha256": file.sha256, "size": file.size});
    let mut files = json!({});
    for (_, artifact) in super::stream::PXE {
        let found = file("pxe", artifact).with_context(|| format!("no {artifact}"))?;
        files[artifact] = described(&found.file);
    }
    if let Some(image) = file("raw.xz", "disk")
        && let Some(signature) = &image.signature
    {
        files["image"] = described(&image.file);
        files["image-signature"] = described(signature);
    }
    Ok(serde_json::from_value(json!({
        "version": release.version, "arch": release.arch, "files": files,
    }))?)
}
