//! Files and links that are the old or the new ones, never something between.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::symlink;
use std::path::Path;

/// Replaces a small file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = hidden(path);
    let written = (|| {
        let mut file = File::create(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written?;
    sync_folder(path)
}

/// Points a link in `path`'s folder to `target` beside it.
pub(super) fn link(path: &Path, target: &str) -> io::Result<()> {
    let draft = hidden(path);
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    symlink(target, &draft)?;
    fs::rename(&draft, path)?;
    sync_folder(path)
}

/// Makes a rename durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// A name beside it that is served to nobody.
fn hidden(path: &Path) -> std::path::PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.draft"))
}
