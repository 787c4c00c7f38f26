//! What ended pulls and removals left in the mirror's folder, and nobody takes up again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use thirdboot_lifecycle::Arch;

/// A pull that broke off is taken up again where it was, for so long.
const LEFT_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Stands in a folder that a pull has made: others are not ours to remove.
const MARK: &str = ".pull";
/// How names of versions begin that are being removed.
pub(super) const GONE: &str = ".gone.";

/// Makes a version's folder and marks it as a pull's. One that somebody laid there stays theirs.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    // One that is empty may be of a pull that ended right here.
    if fs::read_dir(folder)?.next().is_some() {
        return Ok(());
    }
    fs::write(folder.join(MARK), [])
}

/// Removes versions that were being removed, folders of pulls that broke off long ago, and files that never became whole.
/// Gives what went. The caller holds the turn.
pub(super) fn sweep(root: &Path, now: Timestamp) -> Vec<PathBuf> {
    let mut gone = Vec::new();
    let mut remove = |path: PathBuf| {
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        match removed {
            Ok(()) => gone.push(path),
            Err(error) => tracing::warn!(path = %path.display(), %error, "a leftover stays in the mirror"),
        }
    };
    for arch in [Arch::X86_64, Arch::Aarch64] {
        for (name, path) in entries(&root.join(arch.as_str())) {
            let is_folder = path.is_dir() && !path.is_symlink();
            if is_folder && (name.starts_with(GONE) || is_abandoned(&path, now)) {
                remove(path);
            }
        }
    }
    for (name, path) in entries(&root.join("files")) {
        let is_draft = [".part", ".part.json", ".upload"].iter().any(|end| name.ends_with(end));
        if name.starts_with('.') && is_draft && is_old(&path, now) {
            remove(path);
        }
    }
    gone
}

/// A pull's folder that never became a version, and that nothing was written to for long.
fn is_abandoned(folder: &Path, now: Timestamp) -> bool {
    let is_ours = folder.join(MARK).exists() && !folder.join("manifest.json").exists();
    is_ours && entries(folder).iter().all(|(_, path)| is_old(path, now))
}

/// What cannot be told is not old.
fn is_old(path: &Path, now: Timestamp) -> bool {
    let changed = fs::symlink_metadata(path).and_then(|about| about.modified());
    let changed = changed.ok().and_then(|changed| Timestamp::try_from(changed).ok());
    changed.is_some_and(|changed| now.duration_since(changed) > LEFT_FOR)
}

/// Names and paths; none where there is no such folder.
fn entries(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(listed) = fs::read_dir(folder) else {
        return Vec::new();
    };
    listed
        .flatten()
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    const DAY: u64 = 24 * 3600;
    /// The present of these stories, in seconds since 1970.
    const NOW: u64 = 1_800_000_000;

    fn file(path: &Path, days_old: u64) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = fs::File::create(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW - days_old * DAY))
            .unwrap();
    }

    #[test]
    fn what_somebody_laid_there_stays_theirs() {
        let root = tempfile::tempdir().unwrap();
        let (by_hand, by_a_pull) = (root.path().join("43.1"), root.path().join("43.2"));
        file(&by_hand.join("rootfs.img"), 0);
        make(&by_hand).unwrap();
        make(&by_a_pull).unwrap();
        make(&by_a_pull).unwrap();
        assert!(!by_hand.join(MARK).exists());
        assert!(by_a_pull.join(MARK).exists());
    }

    #[test]
    fn only_what_nobody_takes_up_again_goes() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        let versions = [
            // A removal that was cut off, however new.
            (".gone.43.1", "kernel", 0, true),
            // A pull that broke off: long ago, and lately.
            ("43.2", MARK, 9, true),
            ("43.3", MARK, 2, false),
        ];
        for (version, name, days, _) in versions {
            file(&at(&format!("x86_64/{version}/{name}")), days);
            file(&at(&format!("x86_64/{version}/.rootfs.part")), days);
        }
        // Somebody lays a version there by hand, and a version that is whole.
        file(&at("x86_64/43.4/kernel"), 30);
        file(&at("x86_64/43.5/manifest.json"), 30);
        file(&at("x86_64/43.5/.pull"), 30);
        std::os::unix::fs::symlink("43.5", at("x86_64/current")).unwrap();
        for (name, days) in [
            (".a.part", 9),
            (".a.part.json", 9),
            (".b.upload", 9),
            (".c.part", 1),
            ("d", 30),
        ] {
            file(&at(&format!("files/{name}")), days);
        }
        let now = Timestamp::from_second(i64::try_from(NOW).unwrap()).unwrap();
        let mut gone = sweep(root.path(), now);
        gone.sort();
        let expected = [
            "files/.a.part",
            "files/.a.part.json",
            "files/.b.upload",
            "x86_64/.gone.43.1",
            "x86_64/43.2",
        ];
        assert_eq!(gone, expected.map(at));
        for (version, _, _, is_gone) in versions {
            assert_eq!(at(&format!("x86_64/{version}")).exists(), !is_gone, "{version}");
        }
        assert!(sweep(root.path(), now).is_empty());
    }
}
