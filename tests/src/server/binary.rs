//! Finding the binary under test.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Command;
use tokio::sync::OnceCell;

/// Names the binary, so that no test builds it.
pub const BINARY_VARIABLE: &str = "THIRDBOOT_BIN";

/// The binary: what `THIRDBOOT_BIN` names, or what `cargo build -p thirdboot` makes, once.
///
/// # Errors
/// When the named file is not there, or the build fails.
pub async fn path() -> Result<PathBuf> {
    static FOUND: OnceCell<PathBuf> = OnceCell::const_new();
    FOUND.get_or_try_init(find).await.cloned()
}

async fn find() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(BINARY_VARIABLE) {
        let named = PathBuf::from(named);
        ensure!(named.is_file(), "{BINARY_VARIABLE}={} is no file", named.display());
        return Ok(named);
    }
    let built = Command::new(env!("CARGO"))
        .args(["build", "--package", "thirdboot", "--message-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .await
        .context("cargo cannot be started")?;
    ensure!(
        built.status.success(),
        "`cargo build -p thirdboot` fails (set {BINARY_VARIABLE} to test a built one):\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    String::from_utf8_lossy(&built.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "thirdboot")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("`cargo build -p thirdboot` made no executable")
}
