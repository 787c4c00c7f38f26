//! Looking at what Ignition made.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// The tree of an applied config. Dropping it removes it.
#[derive(Debug)]
pub struct Tree {
    root: TempDir,
    /// What Ignition said.
    pub log: String,
}

/// A file as Ignition left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Permission bits.
    pub mode: u32,
    /// Owner and group, by number.
    pub owner: (u32, u32),
    /// Its content.
    pub text: String,
}

/// Units that Fedora CoreOS brings along and that a config turns on, as far as turning them on goes.
const BROUGHT: [(&str, &str); 1] = [("podman.socket", "[Socket]\n[Install]\nWantedBy=sockets.target\n")];

impl Tree {
    pub(super) fn new(root: TempDir, log: String) -> Self {
        Self { root, log }
    }

    pub(super) fn into_root(self) -> TempDir {
        self.root
    }

    /// An absolute path of the target, outside.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    /// A regular file.
    ///
    /// # Errors
    /// When it is not there.
    pub fn file(&self, path: &str) -> Result<Node> {
        let at = self.path(path);
        let data = fs::metadata(&at).with_context(|| format!("{path} is not there"))?;
        Ok(Node {
            mode: data.permissions().mode() & 0o7777,
            owner: (data.uid(), data.gid()),
            text: String::from_utf8_lossy(&fs::read(&at)?).into_owned(),
        })
    }

    /// The fields of a user's line in `/etc/passwd`.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn user(&self, name: &str) -> Result<Vec<String>> {
        let users = self.file("/etc/passwd")?.text;
        let line = users.lines().find(|l| l.split(':').next() == Some(name));
        let line = line.with_context(|| format!("no user {name}:\n{users}"))?;
        Ok(line.split(':').map(str::to_owned).collect())
    }

    /// The groups that list a user.
    ///
    /// # Errors
    /// When there is no group file.
    pub fn groups(&self, user: &str) -> Result<BTreeSet<String>> {
        let groups = self.file("/etc/group")?.text;
        Ok(groups
            .lines()
            .map(|l| l.split(':').collect::<Vec<_>>())
            .filter(|fields| fields.get(3).is_some_and(|m| m.split(',').any(|m| m == user)))
            .filter_map(|fields| fields.first().map(|name| (*name).to_owned()))
            .collect())
    }

    /// What Ignition's preset says of units: `enable name` or `disable name`.
    ///
    /// # Errors
    /// When there is no preset.
    pub fn presets(&self) -> Result<BTreeSet<String>> {
        let preset = self.file("/etc/systemd/system-preset/20-ignition.preset")?;
        Ok(preset
            .text
            .lines()
            .filter(|l| !l.starts_with('#'))
            .map(str::to_owned)
            .collect())
    }

    /// Applies the preset with the real `systemctl`, as the first boot does, and gives the links
    /// it made: `multi-user.target.wants/name.service`.
    ///
    /// # Errors
    /// When a unit's `[Install]` cannot be followed.
    pub fn enable_units(&self) -> Result<BTreeSet<String>> {
        let presets = self.presets()?;
        let units: Vec<&str> = presets.iter().filter_map(|l| l.strip_prefix("enable ")).collect();
        for (unit, text) in BROUGHT {
            let folder = self.path("/usr/lib/systemd/system");
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(unit), text)?;
        }
        for unit in units {
            let at = Command::new("systemctl")
                .arg(format!("--root={}", self.root.path().display()))
                .args(["enable", unit])
                .output()
                .context("systemctl (package systemd)")?;
            let said = String::from_utf8_lossy(&at.stderr);
            ensure!(at.status.success(), "systemctl enable {unit}: {said}");
        }
        self.links(Path::new("/etc/systemd/system"))
    }

    fn links(&self, under: &Path) -> Result<BTreeSet<String>> {
        let base = self.path(&under.to_string_lossy());
        let mut found = BTreeSet::new();
        for folder in fs::read_dir(&base)? {
            let folder = folder?;
            if !folder.file_type()?.is_dir() {
                continue;
            }
            for link in fs::read_dir(folder.path())? {
                let link = link?;
                if link.file_type()?.is_symlink() {
                    let place = link.path();
                    found.insert(place.strip_prefix(&base)?.to_string_lossy().into_owned());
                }
            }
        }
        Ok(found)
    }

    /// Every regular file under the tree that is not part of the image, by absolute path. No links: who writes through
    /// one writes to this machine.
    ///
    /// # Errors
    /// When the tree cannot be read.
    pub fn files(&self) -> Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        let mut open = vec![self.root.path().to_owned()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    open.push(entry.path());
                } else if kind.is_file() {
                    let path = entry.path();
                    let path = path.strip_prefix(self.root.path())?.to_string_lossy();
                    found.insert(format!("/{path}"));
                }
            }
        }
        Ok(found)
    }
}
