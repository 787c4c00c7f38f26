//! The assets: whether something can be installed from them.

use std::fs;
use std::sync::Arc;

use thirdboot_lifecycle::Arch;

use super::finding::Finding;
use crate::assets::{AssetError, Assets, Upstream};
use crate::serve::ServeOptions;

pub(super) async fn look(options: &ServeOptions) -> Vec<Finding> {
    let root = options
        .assets_dir
        .clone()
        .unwrap_or_else(|| options.data_dir.join("assets"));
    let upstream = match Upstream::new(&options.streams_url, options.assets_keyring.as_deref()) {
        Ok(upstream) => upstream,
        Err(error) => {
            return vec![Finding::broken(
                "assets",
                format!("{error:#}"),
                "mend the setting streams_url or assets_keyring, whichever it names",
            )];
        }
    };
    let assets = Assets::new(root.clone(), upstream, Arc::default());
    let mut findings = Vec::new();
    for arch in [Arch::X86_64, Arch::Aarch64] {
        match assets.manifest(arch, None).await {
            Ok(manifest) => {
                let folder = root.join(&manifest.arch).join(&manifest.version);
                let wrong = manifest.files().find_map(|(_, file)| {
                    let path = folder.join(&file.name);
                    match fs::metadata(&path) {
                        Ok(metadata) if metadata.len() == file.size => None,
                        Ok(metadata) => Some(format!(
                            "{} has {} bytes, its manifest says {}",
                            path.display(),
                            metadata.len(),
                            file.size
                        )),
                        Err(error) => Some(format!("{}: {error}", path.display())),
                    }
                });
                let what = format!("{} {}", manifest.arch, manifest.version);
                findings.push(match wrong {
                    None => Finding::well("assets", format!("{what} is current and whole")),
                    Some(found) => Finding::broken("assets", found, "fetch that version again: docs/assets.md"),
                });
            }
            Err(AssetError::Missing(_)) => {}
            Err(error) => findings.push(Finding::broken(
                "assets",
                error.to_string(),
                "docs/assets.md says how it must be",
            )),
        }
    }
    if findings.is_empty() {
        let found = format!("nothing can be installed: {} has no current version", root.display());
        findings.push(Finding::warn("assets", found, "docs/assets.md says how to get one"));
    }
    findings
}
