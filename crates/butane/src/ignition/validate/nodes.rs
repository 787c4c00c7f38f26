//! Files, directories and links, each by itself.

use super::{Check, path_error};
use crate::ignition::{Directory, File, Link, Owner};

const PERMISSIONS: i64 = 0o7777;
const SPECIAL_BITS: i64 = 0o7000;

impl Check {
    pub(super) fn directory(&mut self, directory: &Directory) {
        self.node(&directory.path, &directory.user, &directory.group);
        self.mode(directory.mode);
    }

    pub(super) fn file(&mut self, file: &File) {
        self.node(&file.path, &file.user, &file.group);
        self.mode(file.mode);
        if file.overwrite == Some(true) && file.contents.source.is_none() {
            self.error("overwrite", "only a file with contents can overwrite what is there");
        }
        self.at("contents", |check| check.resource(&file.contents));
        self.each("append", &file.append, Self::resource);
    }

    pub(super) fn link(&mut self, link: &Link) {
        self.node(&link.path, &link.user, &link.group);
    }

    fn node(&mut self, path: &str, user: &Owner, group: &Owner) {
        self.error_if("path", path_error(path));
        self.owner("user", user);
        self.owner("group", group);
    }

    fn owner(&mut self, key: &'static str, owner: &Owner) {
        if owner.id.is_some() && owner.name.as_ref().is_some_and(|name| !name.is_empty()) {
            self.error(key, "say either the id or the name, not both");
        }
    }

    fn mode(&mut self, mode: Option<i64>) {
        let Some(mode) = mode else { return };
        if !(0..=PERMISSIONS).contains(&mode) {
            self.error("mode", "the mode must lie between 0 and 07777");
        }
        if self.minor < 6 && mode & SPECIAL_BITS != 0 {
            self.warning(
                "mode",
                "setuid, setgid and sticky bits have no effect before version 3.6.0 of Ignition",
            );
        }
    }
}
