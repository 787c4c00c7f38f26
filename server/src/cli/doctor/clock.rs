//! The clock: deadlines, certificates and permits go by it.

use std::fs;
use std::path::Path;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};

use super::finding::Finding;
use super::now;
use crate::serve::ServeOptions;

/// File systems round times; less than this is no clock that ran backwards.
const TOLERANCE_S: i64 = 60;
/// What the server writes to.
const WRITTEN: [&str; 4] = ["thirdboot.db", "thirdboot.db-wal", "epoch", "master.key"];
const MEND: &str = "let chrony or systemd-timesyncd set the clock before the server starts";

pub(super) fn look(options: &ServeOptions) -> Vec<Finding> {
    let mut findings = vec![against_files(&options.data_dir, now())];
    findings.extend(synchronised(Command::new("timedatectl")));
    findings
}

fn against_files(folder: &Path, now: Timestamp) -> Finding {
    let written = WRITTEN.iter().filter_map(|name| {
        let modified = fs::metadata(folder.join(name)).ok()?.modified().ok()?;
        Some((Timestamp::try_from(modified).ok()?, name))
    });
    match written.max() {
        Some((at, name)) if at - SignedDuration::from_secs(TOLERANCE_S) > now => {
            let found = format!("it is {now} here, and {name} was written at {at}: the clock ran backwards");
            Finding::broken("clock", found, MEND)
        }
        _ => Finding::well("clock", format!("it is {now} here, after all that was written")),
    }
}

/// What systemd knows of it; nothing where there is no systemd.
fn synchronised(mut timedatectl: Command) -> Option<Finding> {
    let told = timedatectl
        .args(["show", "--property=NTPSynchronized", "--value"])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    match String::from_utf8_lossy(&told.stdout).trim() {
        "yes" => Some(Finding::well("clock", "it is synchronised")),
        "no" => Some(Finding::warn("clock", "it is not synchronised with any other", MEND)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn a_clock_behind_what_was_written_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(against_files(folder.path(), now()).verdict, Verdict::Ok);
        fs::write(folder.path().join("epoch"), "1").unwrap();
        assert_eq!(against_files(folder.path(), now()).verdict, Verdict::Ok);
        let last_year = now() - SignedDuration::from_hours(24 * 365);
        let found = against_files(folder.path(), last_year);
        assert_eq!(found.verdict, Verdict::Broken);
        assert!(found.found.contains("epoch was written at"), "{found:?}");
    }

    #[test]
    fn what_systemd_says_is_passed_on() {
        let saying = |word: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("echo {word}")]);
            synchronised(command).map(|finding| finding.verdict)
        };
        assert_eq!(saying("yes"), Some(Verdict::Ok));
        assert_eq!(saying("no"), Some(Verdict::Warn));
        assert_eq!(saying("what"), None);
        assert!(synchronised(Command::new("/nowhere/timedatectl")).is_none());
    }
}
