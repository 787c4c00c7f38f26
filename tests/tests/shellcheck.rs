//! Every script that a host runs, as it is rendered, passes shellcheck: `tests/run unit`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use thirdboot_tests::Site;
use thirdboot_tests::host::ignition::Config;

/// Scripts that run in Debian's or Fedora's shells start with one of these.
const SHELLS: [&str; 4] = ["#!/bin/sh", "#!/bin/bash", "#!/usr/bin/bash", "#!/usr/bin/env bash"];

#[tokio::test]
async fn every_script_on_a_host_passes_shellcheck() -> Result<()> {
    let site = Site::start().await?;
    let mut checked = 0;
    for (n, role) in [(1, "server"), (2, "agent"), (3, "runner")] {
        let live = site.armed(n, &format!("h{n}"), role).await?.boot_live().await?;
        for config in [&live.config, &live.installed_config()?] {
            checked += check_scripts(role, config)?;
        }
    }
    ensure!(
        checked > 6,
        "only {checked} scripts found: does this test look in the right place?"
    );
    Ok(())
}

fn check_scripts(role: &str, config: &Config) -> Result<usize> {
    let mut checked = 0;
    for path in config.file_paths() {
        let content = config.file(&path)?;
        let text = String::from_utf8_lossy(&content);
        let shell = SHELLS.iter().any(|s| text.starts_with(s));
        ensure!(shell || !text.starts_with("#!"), "{path}: a script in another language");
        if shell {
            ensure!(config.file_mode(&path) == Some(0o755), "{role} {path} cannot be run");
            shellcheck(&format!("{role} {path}"), &content)?;
            checked += 1;
        }
    }
    Ok(checked)
}

fn shellcheck(name: &str, script: &[u8]) -> Result<()> {
    let mut child = Command::new("shellcheck")
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("shellcheck (package shellcheck)")?;
    child.stdin.take().context("no stdin")?.write_all(script)?;
    let said = child.wait_with_output()?;
    ensure!(
        said.status.success(),
        "{name}:\n{}",
        String::from_utf8_lossy(&said.stdout)
    );
    Ok(())
}
