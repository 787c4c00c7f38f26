//! Which versions are mirrored, which of them are needed, and how the others go.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use thirdboot_api::ProblemType;
use thirdboot_lifecycle::{Arch, RunNumber, Stage};
use thirdboot_store::HostFilter;

use super::sweep::{self, GONE};
use super::{AssetError, Assets, Manifest, io};
use crate::App;
use crate::boot::manifest_of_run;
use crate::problem::Failure;

/// Hosts read at once.
const PAGE: u32 = 500;

/// A version in the mirror.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// Its files.
    pub(crate) manifest: Manifest,
    /// Names that point to it: `current`, `stream.stable` …
    pub(crate) links: Vec<String>,
    /// Bytes of its files.
    pub(crate) bytes: u64,
    /// Who needs it.
    pub(crate) needed_by: Vec<String>,
}

/// Architecture and version.
type Key = (String, String);

/// Every version with a manifest, with who needs it.
pub(crate) async fn versions(app: &App) -> Result<Vec<Version>, Failure> {
    let needs = needs(app).await?;
    let mut versions = app.assets.mirrored().await.map_err(Failure::internal)?;
    for version in &mut versions {
        let key = (version.manifest.arch.clone(), version.manifest.version.clone());
        version.needed_by = needs.get(&key).cloned().unwrap_or_default();
    }
    Ok(versions)
}

/// Who needs which version: hosts that pin it, and runs that are served it. When one of them cannot be read there is no
/// answer at all: nothing may go then.
async fn needs(app: &App) -> Result<BTreeMap<Key, Vec<String>>, Failure> {
    let mut needs: BTreeMap<Key, Vec<String>> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = app
            .store
            .hosts(&HostFilter {
                after,
                limit: PAGE,
                ..HostFilter::default()
            })
            .await?;
        for state in &page.items {
            let host = &state.host;
            if let Some(version) = host.install.version.as_ref().filter(|_| !host.retired) {
                let key = (host.arch.as_str().to_owned(), version.clone());
                needs.entry(key).or_default().push(format!("{} pins it", host.name));
            }
            let served: Option<RunNumber> = state
                .run
                .as_ref()
                .filter(|run| {
                    matches!(
                        run.stage,
                        Stage::Armed | Stage::Netbooting | Stage::Live | Stage::Installing
                    )
                })
                .map(|run| run.number);
            if let Some(run) = served {
                let manifest = manifest_of_run(app, state.id, run).await?;
                let key = (manifest.arch.clone(), manifest.version.clone());
                needs
                    .entry(key)
                    .or_default()
                    .push(format!("run {run} of {} is served it", host.name));
            }
        }
        after = page.items.last().map(|state| state.host.name.clone());
        if !page.more {
            return Ok(needs);
        }
    }
}

/// Removes what ended pulls and removals left. The caller holds the turn.
pub(super) async fn tidy(app: &App) {
    // Nobody removes a version meanwhile.
    let _alone = app.assets.usage.write().await;
    app.assets.sweep(app.store.now()).await;
}

/// Removes versions that nobody needs, but for the `keep` latest of each architecture. Returns what went.
pub(crate) async fn prune(app: &App, keep: usize) -> Result<Vec<String>, Failure> {
    // No run begins meanwhile with a version that was just found unneeded.
    let _alone = app.assets.usage.write().await;
    let mut gone = Vec::new();
    let mut spared: BTreeMap<String, usize> = BTreeMap::new();
    let mut versions = versions(app).await?;
    versions.sort_by_key(|version| std::cmp::Reverse(by_number(&version.manifest.version)));
    for version in versions {
        let Manifest {
            arch, version: name, ..
        } = &version.manifest;
        if !version.links.is_empty() || !version.needed_by.is_empty() {
            continue;
        }
        let count = spared.entry(arch.clone()).or_default();
        if *count < keep {
            *count += 1;
            continue;
        }
        app.assets.discard(arch, name).await.map_err(Failure::internal)?;
        tracing::info!(%arch, version = %name, "a version that nobody needs was removed from the mirror");
        gone.push(format!("{arch}/{name}"));
    }
    Ok(gone)
}

/// Versions are numbers with points between: 43.2 comes before 43.10.
fn by_number(version: &str) -> Vec<(u64, String)> {
    version
        .split('.')
        .map(|part| (part.parse().unwrap_or(0), part.to_owned()))
        .collect()
}

impl Assets {
    /// Every version with a manifest, and what points to it.
    async fn mirrored(&self) -> Result<Vec<Version>, AssetError> {
        let mut found = Vec::new();
        for arch in [Arch::X86_64, Arch::Aarch64] {
            let folder = self.root().join(arch.as_str());
            let (names, links) = listed(&folder).await?;
            for name in names {
                let manifest = match self.manifest(arch, Some(&name)).await {
                    Ok(manifest) => manifest,
                    // A pull that has not ended, or something laid there by hand.
                    Err(AssetError::Missing(_)) => continue,
                    Err(error) => {
                        tracing::warn!(%error, "a folder of the mirror is passed over");
                        continue;
                    }
                };
                let bytes = manifest.files().map(|(_, file)| file.size).sum();
                found.push(Version {
                    links: links.get(&name).cloned().unwrap_or_default(),
                    manifest,
                    bytes,
                    needed_by: Vec::new(),
                });
            }
        }
        Ok(found)
    }

    /// Removes what nobody takes up again. What cannot be removed stays, and is told in the log.
    async fn sweep(&self, now: Timestamp) {
        let root = self.root().to_owned();
        let swept = tokio::task::spawn_blocking(move || sweep::sweep(&root, now)).await;
        for path in swept.unwrap_or_default() {
            tracing::info!(path = %path.display(), "a leftover was removed from the mirror");
        }
    }

    /// Out of sight first, so that nothing half of it is ever served.
    pub(crate) async fn discard(&self, arch: &str, version: &str) -> Result<(), AssetError> {
        let folder = self.root().join(arch).join(version);
        let hidden = self.root().join(arch).join(format!("{GONE}{version}"));
        // A removal of the same that was cut off.
        if tokio::fs::try_exists(&hidden).await.unwrap_or(false) {
            tokio::fs::remove_dir_all(&hidden)
                .await
                .map_err(|error| io(&hidden, error))?;
        }
        tokio::fs::rename(&folder, &hidden)
            .await
            .map_err(|error| io(&folder, error))?;
        tokio::fs::remove_dir_all(&hidden)
            .await
            .map_err(|error| io(&hidden, error))
    }
}

/// Names of folders, and the links that point to each.
async fn listed(folder: &Path) -> Result<(BTreeSet<String>, BTreeMap<String, Vec<String>>), AssetError> {
    let (mut names, mut links) = (BTreeSet::new(), BTreeMap::<String, Vec<String>>::new());
    let mut entries = match tokio::fs::read_dir(folder).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((names, links)),
        Err(error) => return Err(io(folder, error)),
    };
    while let Some(entry) = entries.next_entry().await.map_err(|error| io(folder, error))? {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let kind = entry.file_type().await.map_err(|error| io(folder, error))?;
        if kind.is_dir() {
            names.insert(name);
        } else if kind.is_symlink()
            && let Ok(target) = tokio::fs::read_link(entry.path()).await
        {
            links
                .entry(target.to_string_lossy().into_owned())
                .or_default()
                .push(name);
        }
    }
    for names in links.values_mut() {
        names.sort();
    }
    Ok((names, links))
}

/// Removes one version, unless somebody needs it.
pub(crate) async fn discard_version(app: &App, arch: &str, version: &str) -> Result<(), Failure> {
    let _alone = app.assets.usage.write().await;
    let found = versions(app)
        .await?
        .into_iter()
        .find(|known| known.manifest.arch == arch && known.manifest.version == version)
        .ok_or_else(|| Failure::new(ProblemType::NotFound, "there is no such version in the mirror"))?;
    let links = found.links.iter().map(|link| format!("{link} points to it"));
    let needs: Vec<String> = links.chain(found.needed_by).collect();
    if !needs.is_empty() {
        let why = format!("{version} is needed: {}", needs.join(", "));
        return Err(Failure::new(ProblemType::Refused, why));
    }
    app.assets.discard(arch, version).await.map_err(Failure::internal)
}
