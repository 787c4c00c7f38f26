//! Where the built stand-in for Fedora CoreOS is.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

/// Names the folder that `tests/metal/os/build.sh` made.
pub const FOLDER_VARIABLE: &str = "THIRDBOOT_METAL";

/// The version that its recipe gives it.
pub const VERSION: &str = "12.20260901.99.0";

/// Its folder.
///
/// # Errors
/// When it was not built.
pub fn folder() -> Result<PathBuf> {
    let named = std::env::var_os(FOLDER_VARIABLE)
        .with_context(|| format!("{FOLDER_VARIABLE} names no stand-in OS: use tests/run metal"))?;
    let folder = PathBuf::from(named);
    ensure!(folder.join("assets").is_dir(), "no assets in {}", folder.display());
    Ok(folder)
}
