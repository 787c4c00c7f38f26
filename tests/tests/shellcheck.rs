//! Every script that a host runs, as it is rendered, passes shellcheck: `tests/run unit`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use thirdboot_tests::Site;
use thirdboot_tests::host::ignition::Config;

/// How a script for a host may start; the first is the library's, which is sourced and never run.
const SHELLS: [&str; 3] = ["# shellcheck shell=bash", "#!/bin/bash", "#!/bin/sh"];

/// The library that scripts source, and the name it has in the repository and in their
/// `shellcheck source=` lines.
const LIBRARY: (&str, &str) = ("/usr/local/lib/thirdboot.sh", "lib.sh");

#[tokio::test]
async fn every_script_on_a_host_passes_shellcheck() -> Result<()> {
    let site = Site::start().await?;
    for (n, role) in [(1, "server"), (2, "agent"), (3, "runner")] {
        let live = site.armed(n, &format!("h{n}"), role).await?.boot_live().await?;
        for config in [&live.config, &live.installed_config()?] {
            let checked = check_scripts(config).with_context(|| role.to_owned())?;
            ensure!(
                checked > 3,
                "only {checked} scripts: does this test look in the right place?"
            );
        }
    }
    Ok(())
}

fn check_scripts(config: &Config) -> Result<usize> {
    let folder = TempDir::new()?;
    let mut scripts = Vec::new();
    for path in config.file_paths() {
        let content = config.file(&path)?;
        let text = String::from_utf8_lossy(&content);
        let shell = SHELLS.iter().position(|s| text.starts_with(s));
        ensure!(
            shell.is_some() || !text.starts_with("#!"),
            "{path}: in another language"
        );
        let Some(shell) = shell else { continue };
        let runs = config.file_mode(&path) == Some(0o755);
        ensure!(
            runs == (shell > 0),
            "{path} is run and may not be, or may be and is not"
        );
        let name = if path == LIBRARY.0 {
            Some(LIBRARY.1)
        } else {
            path.rsplit('/').next()
        };
        let file = folder.path().join(name.context("no name")?);
        fs::write(&file, &content)?;
        scripts.push(file);
    }
    shellcheck(folder.path(), &scripts)?;
    Ok(scripts.len())
}

fn shellcheck(folder: &Path, scripts: &[impl AsRef<Path>]) -> Result<()> {
    let said = Command::new("shellcheck")
        .args(["--external-sources", "--source-path"])
        .arg(folder)
        .args(scripts.iter().map(AsRef::as_ref))
        .output()
        .context("shellcheck (package shellcheck)")?;
    ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
    Ok(())
}
