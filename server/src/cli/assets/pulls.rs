//! Downloads of the mirror, one a row.

use thirdboot_api::control::{PullState, PullView};

use crate::cli::table;

/// The list of pulls.
pub(super) fn table(pulls: &[PullView], columns: Option<u16>) -> String {
    if pulls.is_empty() {
        return "nothing was downloaded since the server's start\n".to_owned();
    }
    let mut shown = table::table(&["ID", "WHAT", "ARCH", "VERSION", "STATE"], columns);
    for pull in pulls {
        let file = pull.files.first().map(|file| file.name.clone());
        shown.add_row([
            pull.id.to_string(),
            pull.stream.clone().or(file).unwrap_or_default(),
            pull.arch.clone().unwrap_or_default(),
            pull.version.clone().unwrap_or_default(),
            how(pull),
        ]);
    }
    table::text(&shown)
}

/// Where a pull stands, in a few words.
pub(super) fn how(pull: &PullView) -> String {
    let why = |word: &str| match &pull.failed {
        Some(why) => format!("{word}: {why}"),
        None => word.to_owned(),
    };
    match pull.state {
        PullState::Waiting => "waits for another one".to_owned(),
        PullState::Running => percent(pull).map_or_else(|| "running".to_owned(), |percent| format!("{percent} %")),
        PullState::Done => "done".to_owned(),
        PullState::Failed => why("failed"),
        PullState::Cancelled => why("cancelled"),
    }
}

/// Of all its bytes; none as long as they are not known.
fn percent(pull: &PullView) -> Option<u64> {
    let (mut done, mut total) = (0_u64, 0_u64);
    for file in &pull.files {
        done += file.done_bytes;
        total += file.total_bytes?;
    }
    (done * 100).checked_div(total)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pull_says_what_it_is_and_how_far() {
        let pulls: Vec<PullView> = serde_json::from_value(json!([
            {"id": 3, "state": "running", "files": [{"name": "k3s", "done_bytes": 25, "total_bytes": 100, "done": false}]},
            {"id": 2, "stream": "stable", "arch": "x86_64", "version": "43.1", "state": "failed", "failed": "no room"},
            {"id": 1, "stream": "next", "arch": "aarch64", "state": "waiting"}
        ]))
        .unwrap();
        insta::assert_snapshot!(table(&pulls, None));
        assert!(table(&[], None).starts_with("nothing"));
    }
}
