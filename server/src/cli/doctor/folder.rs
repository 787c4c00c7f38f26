//! The data folder: whose it is, what others can read, how much room is left.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::finding::Finding;
use crate::secrets::{MASTER_KEY_VARIABLE, is_private};
use crate::serve::ServeOptions;

/// Less room than this is none: the database cannot write.
const NO_ROOM_BYTES: u64 = 64 << 20;
/// Less room than this will not take the next version of the operating system (about 1.5 GiB).
const LITTLE_ROOM_BYTES: u64 = 4 << 30;
/// What only the server may read.
const SECRETS: [&str; 4] = ["master.key", "admin-token", "tls/ca.key", "thirdboot.db"];

pub(super) fn look(options: &ServeOptions) -> Vec<Finding> {
    let folder = &options.data_dir;
    let at = folder.display();
    let Ok(metadata) = fs::metadata(folder) else {
        let mend = "the first start makes it, where the user that serves may write to the folder above it";
        return vec![Finding::warn("data folder", format!("{at} is not there"), mend)];
    };
    if !metadata.is_dir() {
        let mend = "set data_dir to a folder";
        return vec![Finding::broken("data folder", format!("{at} is no folder"), mend)];
    }
    let mut findings = vec![owned(folder, metadata.permissions().mode()), key(folder)];
    findings.extend(SECRETS.iter().filter_map(|name| shown(&folder.join(name))));
    let assets = options.assets_dir.clone().unwrap_or_else(|| folder.join("assets"));
    findings.push(room("room", folder));
    if assets.is_dir() {
        findings.push(room("room", &assets));
    }
    findings
}

fn owned(folder: &Path, mode: u32) -> Finding {
    let (at, mode) = (folder.display(), mode & 0o777);
    if is_private(mode) {
        Finding::well("data folder", format!("{at} is its owner's alone"))
    } else {
        let found = format!("{at} can be entered or read by others (mode {mode:o})");
        Finding::warn("data folder", found, format!("chmod 700 {at}"))
    }
}

fn key(folder: &Path) -> Finding {
    let is_told = std::env::var_os(MASTER_KEY_VARIABLE).is_some();
    let (key, db) = (folder.join("master.key"), folder.join("thirdboot.db"));
    match (is_told, key.exists(), db.exists()) {
        (true, ..) => Finding::well("master key", format!("it comes from {MASTER_KEY_VARIABLE}")),
        (false, true, _) => Finding::well("master key", format!("{} is there", key.display())),
        (false, false, false) => Finding::well("master key", "the first start makes it"),
        (false, false, true) => {
            let found = format!("{} is missing although the database is there", key.display());
            let mend =
                format!("restore it from a backup, or set {MASTER_KEY_VARIABLE}: hosts hold secrets made with it");
            Finding::broken("master key", found, mend)
        }
    }
}

fn shown(file: &Path) -> Option<Finding> {
    let mode = fs::metadata(file).ok()?.permissions().mode() & 0o777;
    let at = file.display();
    (!is_private(mode)).then(|| {
        let found = format!("{at} can be read by others (mode {mode:o})");
        Finding::broken(
            "secrets",
            found,
            format!("chmod 600 {at}, and take it for known if others may have seen it"),
        )
    })
}

fn room(check: &'static str, folder: &Path) -> Finding {
    let at = folder.display();
    let free = match rustix::fs::statvfs(folder) {
        Ok(stat) => stat.f_bavail.saturating_mul(stat.f_frsize),
        Err(error) => {
            let mend = "the user that serves must be able to read it";
            return Finding::broken(check, format!("{at}: {error}"), mend);
        }
    };
    judge_room(check, &at.to_string(), free)
}

fn judge_room(check: &'static str, at: &str, free: u64) -> Finding {
    let found = format!("{at} has {} MiB left", free >> 20);
    let mend = "make room there, or move data_dir or assets_dir";
    match free {
        0..NO_ROOM_BYTES => Finding::broken(check, found, mend),
        NO_ROOM_BYTES..LITTLE_ROOM_BYTES => Finding::warn(check, found, mend),
        _ => Finding::well(check, found),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn room_is_judged_by_what_it_still_takes() {
        let verdict = |free| judge_room("room", "/x", free).verdict;
        assert_eq!(verdict(100 << 30), Verdict::Ok);
        assert_eq!(verdict(1 << 30), Verdict::Warn);
        assert_eq!(verdict(1 << 20), Verdict::Broken);
    }
}
