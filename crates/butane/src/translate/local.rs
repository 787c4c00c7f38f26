//! Local files, and nothing outside the directory they may come from.

use std::fs;
use std::io::Read;
use std::path::{Component, Path as FsPath, PathBuf};

use super::Translator;

pub(super) const NO_FILES_DIR: &str = "local files need a files directory (--files-dir), and none is given";
const OUTSIDE: &str = "this path leads out of the files directory";

impl Translator<'_> {
    /// Reads a file of the files directory.
    pub(super) fn read_local(&self, name: &str) -> Result<Vec<u8>, String> {
        let path = self.resolve_local(name)?;
        let failed = |error: std::io::Error| format!("{name}: {error}");
        let mut file = fs::File::open(&path).map_err(failed)?;
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(failed)?;
        Ok(content)
    }

    /// The true path of a regular file in the files directory.
    fn resolve_local(&self, name: &str) -> Result<PathBuf, String> {
        let root = self.options.files_dir.as_deref().ok_or(NO_FILES_DIR)?;
        let path = inside(root, name)?;
        let failed = |error: std::io::Error| format!("{name}: {error}");
        let path = path.canonicalize().map_err(failed)?;
        if !is_inside(root, &path) && !self.is_extra(&path) {
            return Err(OUTSIDE.to_owned());
        }
        let metadata = path.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(format!("{name} is a directory"));
        }
        if !metadata.is_file() {
            return Err(format!("{name} is no regular file"));
        }
        Ok(path)
    }

    /// Whether links may lead to `path` although it lies outside.
    fn is_extra(&self, path: &FsPath) -> bool {
        self.options
            .link_targets
            .iter()
            .any(|target| target.canonicalize().is_ok_and(|target| target == path))
    }

    /// A directory in the files directory.
    pub(super) fn local_directory(&self, name: &str) -> Result<PathBuf, String> {
        let root = self.options.files_dir.as_deref().ok_or(NO_FILES_DIR)?;
        let path = inside(root, name)?;
        let failed = |error: std::io::Error| format!("{name}: {error}");
        let real = path.canonicalize().map_err(failed)?;
        if !is_inside(root, &real) {
            return Err(OUTSIDE.to_owned());
        }
        if !real.is_dir() {
            return Err(format!("{name} is no directory"));
        }
        Ok(path)
    }
}

/// Whether `path`, with all links resolved, lies in `root`.
fn is_inside(root: &FsPath, path: &FsPath) -> bool {
    root.canonicalize().is_ok_and(|root| path.starts_with(root))
}

/// Joins by names alone: `..` goes up, but never out of `root`.
fn inside(root: &FsPath, name: &str) -> Result<PathBuf, String> {
    let mut parts: Vec<&std::ffi::OsStr> = Vec::new();
    for component in FsPath::new(name).components() {
        match component {
            Component::Normal(part) => parts.push(part),
            Component::ParentDir => {
                parts.pop().ok_or(OUTSIDE)?;
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    let mut path = root.to_owned();
    path.extend(parts);
    Ok(path)
}
