//! What somebody may have meant.

use clap::Arg;

/// How alike two names are, from 0 to 1, that one is offered for the other.
const ALIKE: f64 = 0.7;

/// What is a secret, and where it belongs.
const SECRETS: [(&str, &str); 3] = [
    (
        "master_key",
        "a file of mode 600 in the data folder, or the variable THIRDBOOT_MASTER_KEY",
    ),
    (
        "token",
        "a file that --token-file names, or the variable THIRDBOOT_TOKEN",
    ),
    ("admin_token", "the file admin-token in the data folder"),
];

/// What to say about a key that is no setting.
pub(super) fn for_key<'a>(key: &str, settings: impl Iterator<Item = &'a Arg>) -> String {
    let plain = key.to_lowercase().replace('-', "_");
    let plain = plain.strip_prefix("thirdboot_").unwrap_or(&plain);
    if let Some((_, place)) = SECRETS.iter().find(|(name, _)| *name == plain) {
        return format!("secrets never stand in this file; this one has its place in {place}");
    }
    let names = settings.map(|arg| {
        let long = arg.get_long().unwrap_or_default().replace('-', "_");
        (arg.get_id().as_str(), long)
    });
    let by_likeness = names.map(|(id, long)| (likeness(plain, id).max(likeness(plain, &long)), id));
    match best(by_likeness) {
        Some(id) => format!("no such setting: did you mean {id}?"),
        None => "no such setting: `thirdboot config sample` lists them".to_owned(),
    }
}

/// The likest name, if one is like enough.
pub(super) fn best<'a>(names: impl Iterator<Item = (f64, &'a str)>) -> Option<&'a str> {
    names
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

pub(super) fn likeness(a: &str, b: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(a, b)
}
