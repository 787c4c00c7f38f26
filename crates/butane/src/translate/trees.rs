//! Trees of local files.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path as FsPath, PathBuf};

use super::{Translator, nodes, resource};
use crate::ignition::{Directory, File, Link, Owner};
use crate::path::{Path, place};
use crate::report::Kind;
use crate::schema::Tree;

const EXISTS: &str = "the config has something else at the path of a file of this tree";
const DIRECTORY_MODE: i64 = 0o755;
const FILE_MODE: i64 = 0o644;
const PROGRAM_MODE: i64 = 0o755;

/// Which paths are taken, and where the config has them.
struct Taken {
    files: HashMap<String, usize>,
    links: HashMap<String, usize>,
    directories: HashSet<String>,
}

impl Taken {
    fn holds(&self, path: &str) -> bool {
        self.files.contains_key(path) || self.links.contains_key(path) || self.directories.contains(path)
    }
}

impl Translator<'_> {
    pub(super) fn trees(&mut self, trees: &[Tree]) {
        if trees.is_empty() {
            return;
        }
        let storage = &self.config.storage;
        let mut taken = Taken {
            files: storage
                .files
                .iter()
                .enumerate()
                .map(|(index, file)| (file.path.clone(), index))
                .collect(),
            links: storage
                .links
                .iter()
                .enumerate()
                .map(|(index, link)| (link.path.clone(), index))
                .collect(),
            directories: storage
                .directories
                .iter()
                .map(|directory| directory.path.clone())
                .collect(),
        };
        for (index, tree) in trees.iter().enumerate() {
            let yaml = place!["storage", "trees", index];
            match self.local_directory(&tree.local) {
                Ok(root) => self.walk(&root, tree, &yaml, &mut taken),
                Err(message) => {
                    self.report.push(Kind::Error, yaml, message);
                    if self.options.files_dir.is_none() {
                        return;
                    }
                }
            }
        }
    }

    /// Goes through a tree: a directory, then what it holds, by name.
    fn walk(&mut self, root: &FsPath, tree: &Tree, yaml: &Path, taken: &mut Taken) {
        let base = tree.path.as_deref().filter(|path| !path.is_empty()).unwrap_or("/");
        let mut left: Vec<(PathBuf, String)> = vec![(root.to_owned(), join(base, ""))];
        while let Some((source, target)) = left.pop() {
            if let Err(message) = self.visit(&source, &target, tree, yaml, taken, &mut left) {
                self.report.push(Kind::Error, yaml.clone(), message);
            }
        }
    }

    fn visit(
        &mut self,
        source: &FsPath,
        target: &str,
        tree: &Tree,
        yaml: &Path,
        taken: &mut Taken,
        left: &mut Vec<(PathBuf, String)>,
    ) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{}: {error}", source.display());
        let metadata = fs::symlink_metadata(source).map_err(failed)?;
        let kind = metadata.file_type();
        if kind.is_dir() {
            let mut names = Vec::new();
            for entry in fs::read_dir(source).map_err(failed)? {
                names.push(entry.map_err(failed)?.file_name());
            }
            names.sort_unstable();
            // The first name is to be taken first.
            for name in names.iter().rev() {
                left.push((source.join(name), join(target, &name.to_string_lossy())));
            }
            self.tree_directory(target, tree, yaml, taken)
        } else if kind.is_file() {
            let program = metadata.permissions().mode() & 0o111 != 0;
            let content = fs::read(source).map_err(failed)?;
            self.tree_file(target, tree, yaml, taken, &content, program)
        } else if kind.is_symlink() {
            let to = fs::read_link(source).map_err(failed)?;
            self.tree_link(target, tree, yaml, taken, to.to_string_lossy().into_owned())
        } else {
            Err(format!("{} is neither file, directory nor link", source.display()))
        }
    }

    /// Directories are declared only if there is something to say about them.
    fn tree_directory(&mut self, target: &str, tree: &Tree, yaml: &Path, taken: &mut Taken) -> Result<(), String> {
        let (user, group) = (nodes::user(&tree.user), nodes::group(&tree.group));
        if tree.dir_mode.is_none() && user == Owner::default() && group == Owner::default() {
            return Ok(());
        }
        if taken.holds(target) {
            return Err(EXISTS.to_owned());
        }
        let directories = &mut self.config.storage.directories;
        self.origins
            .add_all(place!["storage", "directories", directories.len()], yaml.clone());
        directories.push(Directory {
            path: target.to_owned(),
            user,
            group,
            mode: Some(tree.dir_mode.unwrap_or(DIRECTORY_MODE)),
            overwrite: None,
        });
        taken.directories.insert(target.to_owned());
        Ok(())
    }

    fn tree_file(
        &mut self,
        target: &str,
        tree: &Tree,
        yaml: &Path,
        taken: &mut Taken,
        content: &[u8],
        program: bool,
    ) -> Result<(), String> {
        let files = &mut self.config.storage.files;
        let index = match taken.files.get(target) {
            Some(index) => *index,
            None if taken.holds(target) => return Err(EXISTS.to_owned()),
            None => {
                let index = files.len();
                self.origins.add_all(place!["storage", "files", index], yaml.clone());
                files.push(File {
                    path: target.to_owned(),
                    user: nodes::user(&tree.user),
                    group: nodes::group(&tree.group),
                    ..File::default()
                });
                taken.files.insert(target.to_owned(), index);
                index
            }
        };
        let Some(file) = files.get_mut(index) else {
            return Ok(());
        };
        if file.contents.source.as_ref().is_some_and(|source| !source.is_empty()) {
            return Err(EXISTS.to_owned());
        }
        let json = place!["storage", "files", index];
        let contents = json.join("contents");
        self.origins.add(contents.join("source"), yaml.clone());
        if resource::embed(content, &mut file.contents, &mut self.gzip) {
            self.origins.add(contents.join("compression"), yaml.clone());
        }
        self.origins.add(contents, yaml.clone());
        if file.mode.is_none() {
            let usual = if program { PROGRAM_MODE } else { FILE_MODE };
            file.mode = Some(tree.file_mode.unwrap_or(usual));
            self.origins.add(json.join("mode"), yaml.clone());
        }
        Ok(())
    }

    fn tree_link(
        &mut self,
        target: &str,
        tree: &Tree,
        yaml: &Path,
        taken: &mut Taken,
        to: String,
    ) -> Result<(), String> {
        let links = &mut self.config.storage.links;
        let index = match taken.links.get(target) {
            Some(index) => *index,
            None if taken.holds(target) => return Err(EXISTS.to_owned()),
            None => {
                let index = links.len();
                self.origins.add_all(place!["storage", "links", index], yaml.clone());
                links.push(Link {
                    path: target.to_owned(),
                    user: nodes::user(&tree.user),
                    group: nodes::group(&tree.group),
                    ..Link::default()
                });
                taken.links.insert(target.to_owned(), index);
                index
            }
        };
        let Some(link) = links.get_mut(index) else {
            return Ok(());
        };
        if link.target.as_ref().is_some_and(|target| !target.is_empty()) {
            return Err(EXISTS.to_owned());
        }
        link.target = Some(to);
        self.origins
            .add(place!["storage", "links", index, "target"], yaml.clone());
        Ok(())
    }
}

/// Joins two paths and cleans the result, going by names alone.
fn join(base: &str, name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let absolute = base.starts_with('/');
    for part in base.split('/').chain([name]) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}
