//! The real Ignition outside a machine: a config goes in, a directory tree comes out.
//!
//! Needs root (a mount namespace, chown, useradd) and Debian's package `ignition`.

mod tree;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::process::Command;

pub use tree::{Node, Tree};

/// Where Debian's package puts the program that runs in the initramfs.
const IGNITION: &str = "/usr/lib/dracut/modules.d/30ignition/ignition";

/// The user that Fedora CoreOS brings along in a base config of its own.
const BASE: &str = r#"{"ignition":{"version":"3.0.0"},"passwd":{"users":[{"name":"core",
    "gecos":"CoreOS Admin","groups":["adm","sudo","systemd-journal","wheel"]}]}}"#;

/// What the image has before Ignition runs: groups, and the type of its security policy.
const IMAGE_FILES: [(&str, &str); 6] = [
    ("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"),
    ("etc/shadow", "root:*:19000:0:99999:7:::\n"),
    (
        "etc/group",
        "root:x:0:\nadm:x:4:\nsudo:x:16:\nwheel:x:10:\nsystemd-journal:x:190:\n",
    ),
    (
        "etc/gshadow",
        "root:::\nadm:::\nsudo:::\nwheel:::\nsystemd-journal:::\n",
    ),
    ("etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=targeted\n"),
    ("etc/os-release", "ID=fedora\nVARIANT_ID=coreos\n"),
];

/// Stand-ins for programs of the initramfs that would reach beyond the tree.
const STUBS: [&str; 2] = ["setfiles", "ignition-kargs-helper"];

/// Checks one document with the real `ignition-validate`.
///
/// # Errors
/// When it is refused, or warned about.
pub async fn validate(name: &str, document: &[u8]) -> Result<()> {
    let work = TempDir::new()?;
    let file = work.path().join(name);
    fs::write(&file, document)?;
    let run = Command::new("ignition-validate").arg(&file).output().await;
    let run = run.context("ignition-validate (package ignition)")?;
    let said = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    let doubtful = said.to_lowercase().contains("warning");
    ensure!(run.status.success() && !doubtful, "{name}: {said}");
    Ok(())
}

/// Applies `/config.ign`, as the live system finds it in its initrd and the installed one on
/// its disk.
///
/// # Errors
/// When a stage of Ignition fails.
pub async fn apply(config: &[u8]) -> Result<Tree> {
    run(image()?, Some(config), FROM_DISK).await
}

/// Applies a config once more to what an earlier run made, as after a power cut in the first boot.
///
/// # Errors
/// When a stage of Ignition fails.
pub async fn apply_over(tree: Tree, config: &[u8]) -> Result<Tree> {
    run(tree.into_root(), Some(config), FROM_DISK).await
}

/// Applies the config that the kernel's command line names.
///
/// # Errors
/// When a stage of Ignition fails.
pub async fn apply_url(url: &str) -> Result<Tree> {
    let line = format!("ignition.firstboot ignition.platform.id=metal ignition.config.url={url}");
    run(image()?, None, &line).await
}

/// The kernel's command line of a boot whose config is at hand.
const FROM_DISK: &str = "ignition.firstboot ignition.platform.id=metal";

/// A root file system on which Ignition never ran.
fn image() -> Result<TempDir> {
    let root = TempDir::new()?;
    // useradd works in a chroot there as other users: they must be able to enter it.
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755))?;
    for (path, text) in IMAGE_FILES {
        write(&root.path().join(path), text.as_bytes())?;
    }
    Ok(root)
}

async fn run(root: TempDir, user_config: Option<&[u8]>, command_line: &str) -> Result<Tree> {
    ensure!(Path::new(IGNITION).exists(), "no {IGNITION}: apt-get install ignition");
    let work = TempDir::new()?;
    write(&work.path().join("cmdline"), command_line.as_bytes())?;
    write(&work.path().join("system/base.d/00-core.ign"), BASE.as_bytes())?;
    if let Some(config) = user_config {
        write(&work.path().join("system/user.ign"), config)?;
    }
    for stub in STUBS {
        let file = work.path().join("stubs").join(stub);
        write(&file, b"#!/bin/sh\nexec cat >/dev/null\n")?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/ignition/apply.sh");
    let ran = Command::new("unshare")
        .args(["--mount", "sh", script, IGNITION])
        .arg(root.path())
        .arg(work.path())
        .output()
        .await
        .context("unshare (package util-linux; needs root)")?;
    let log = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    // After a failure it prints the whole config: the line that matters stands above it.
    let told = log.split("Full config:").next().unwrap_or_default();
    ensure!(ran.status.success(), "Ignition failed:\n{told}");
    Ok(Tree::new(root, log.into_owned()))
}

fn write(file: &Path, content: &[u8]) -> Result<()> {
    fs::create_dir_all(file.parent().context("no folder")?)?;
    fs::write(file, content).with_context(|| file.display().to_string())
}
