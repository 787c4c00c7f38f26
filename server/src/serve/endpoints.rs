//! `endpoints.json`: where a server listens, for whoever started it with port 0.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde_json::json;

const FILE: &str = "endpoints.json";

/// Written whole or not at all, once both listeners are open.
pub(super) fn write(data_dir: &Path, boot: &str, boot_tls: Option<&str>, control: &str) -> anyhow::Result<()> {
    let file = data_dir.join(FILE);
    let draft = data_dir.join(format!("{FILE}.draft"));
    let endpoints = json!({"boot": boot, "boot_tls": boot_tls, "control": control});
    fs::write(&draft, format!("{endpoints}\n"))
        .and_then(|()| fs::rename(&draft, &file))
        .with_context(|| file.display().to_string())
}

/// Removed at a clean stop: what is there after a crash is replaced at the next start.
pub(super) fn remove(data_dir: &Path) {
    if let Err(error) = fs::remove_file(data_dir.join(FILE)) {
        tracing::debug!(%error, "no {FILE} to remove");
    }
}
