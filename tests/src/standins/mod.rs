//! What an installed host runs by itself on its second and third boot, run from the tree that the real Ignition made: the
//! units' own programs, one after the other, by no systemd. rpm-ostree and k3s are the stand-ins of `tests/metal/standins`
//! (docs/metal.md), and `systemctl` is one beside this file; everything else is real, down to the packages.
//!
//! Needs root, and runs in namespaces of its own: a network with nothing but what the test puts in, whose machines share
//! it, and a file system for each machine. What runs there ends with the test.

mod disk;
mod packages;

use std::path::PathBuf;
use std::process::{Output, Stdio};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::bound;

pub use disk::{Disk, End, Powered};
pub use packages::Packages;

/// Names the folder that is a file system of its own, and says that this is the inner run.
const INSIDE: &str = "THIRDBOOT_INSIDE";

/// Runs one test of the calling binary again, by itself, in namespaces of its own; the outer one has nothing more to do.
/// Returns the folder for machines in the inner run.
///
/// # Errors
/// When the inner run fails.
pub async fn inside(test: &str) -> Result<Option<PathBuf>> {
    if let Some(folder) = std::env::var_os(INSIDE) {
        return Ok(Some(folder.into()));
    }
    let folder = tempfile::tempdir()?;
    let set_up = format!("mount -t tmpfs machines \"${INSIDE}\" && ip link set lo up && exec \"$0\" \"$@\"");
    let ran = bound::command("unshare")
        .args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"])
        .args(["sh", "-c", &set_up])
        .arg(std::env::current_exe()?)
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, folder.path())
        // Trees, too: layers of a machine's root that lie in one another cannot be mounted.
        .env("TMPDIR", folder.path())
        .output()
        .await
        .context("setpriv (package util-linux)")?;
    succeeded(test, &ran)?;
    let said = String::from_utf8_lossy(&ran.stdout);
    ensure!(said.contains("1 passed"), "{test} did not run:\n{said}");
    Ok(None)
}

/// Gives this network a card with this MAC and address, which has a link.
///
/// # Errors
/// When it cannot be made.
pub async fn plug_in(name: &str, mac: &str, address: &str) -> Result<()> {
    let script = "ip link add \"$1\" address \"$2\" type veth peer name \"$1-switch\" && ip link set \"$1-switch\" up && \
                  ip link set \"$1\" up && ip address add \"$3\" dev \"$1\" nodad";
    let ran = Command::new("sh")
        .args(["-c", script, "sh", name, mac, address])
        .stdin(Stdio::null())
        .output()
        .await?;
    succeeded("ip (package iproute2)", &ran)
}

fn succeeded(what: &str, ran: &Output) -> Result<()> {
    let (out, err) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    ensure!(ran.status.success(), "{what}: {}\n{out}\n{err}", ran.status);
    Ok(())
}
