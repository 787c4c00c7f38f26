//! Valid documents, changed at random, never panic and never leave the rules.
//!
//! A million of them: `BUTANE_SOAK=1000000 cargo test --release -p thirdboot-butane --test rules mutations`.

use proptest::prelude::*;
use thirdboot_butane::ignition::{self, Version, from_slice};
use thirdboot_butane::{Document, Options, translate};

use crate::inputs::VALID;

/// One change to a document's bytes.
#[derive(Clone, Debug)]
enum Change {
    Remove { at: usize, len: usize },
    Repeat { from: usize, len: usize, to: usize },
    Insert { at: usize, piece: usize },
    Flip { at: usize, bit: u8 },
    SwapLines { one: usize, other: usize },
}

const PIECES: [&str; 40] = [
    "\n",
    "  ",
    "\t",
    ": ",
    "- ",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "#",
    "&a ",
    "*a",
    "*keys",
    "!!int ",
    "!x ",
    "|",
    ">-\n",
    "'",
    "\"",
    "\\",
    "%",
    "---\n",
    "...\n",
    "<<: ",
    "null",
    "true",
    "0x7f",
    "-1",
    "1e400",
    "/",
    "..",
    "\u{e9}",
    "\u{2028}",
    "\u{FEFF}",
    "\r\n",
    "storage:",
    "path: /a",
    "999999999999999999999",
];

fn change() -> impl Strategy<Value = Change> {
    let place = 0..4000_usize;
    prop_oneof![
        (place.clone(), 1..40_usize).prop_map(|(at, len)| Change::Remove { at, len }),
        (place.clone(), 1..80_usize, place.clone()).prop_map(|(from, len, to)| Change::Repeat { from, len, to }),
        (place.clone(), 0..PIECES.len()).prop_map(|(at, piece)| Change::Insert { at, piece }),
        (place.clone(), 0..8_u8).prop_map(|(at, bit)| Change::Flip { at, bit }),
        (place.clone(), place).prop_map(|(one, other)| Change::SwapLines { one, other }),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let len = bytes.len().max(1);
    match *change {
        Change::Remove { at, len: count } => {
            let at = at % len;
            bytes.drain(at.min(bytes.len())..(at + count).min(bytes.len()));
        }
        Change::Repeat { from, len: count, to } => {
            let from = (from % len).min(bytes.len());
            let part = bytes[from..(from + count).min(bytes.len())].to_vec();
            let to = (to % len).min(bytes.len());
            bytes.splice(to..to, part);
        }
        Change::Insert { at, piece } => {
            let at = (at % len).min(bytes.len());
            bytes.splice(at..at, PIECES[piece].bytes());
        }
        Change::Flip { at, bit } => {
            if let Some(byte) = bytes.get_mut(at % len) {
                *byte ^= 1 << bit;
            }
        }
        Change::SwapLines { one, other } => {
            let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
            let count = lines.len();
            lines.swap(one % count, other % count);
            *bytes = lines.join(&b'\n');
        }
    }
}

/// How many documents to try: ten thousand, or what `BUTANE_SOAK` says.
fn cases() -> u32 {
    std::env::var("BUTANE_SOAK")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(10_000)
}

/// What must hold for any bytes at all.
fn holds(bytes: &[u8]) {
    let options = Options::default();
    let Ok((json, report)) = translate(bytes, &options) else {
        return;
    };
    assert!(!report.is_fatal());
    assert!(
        report.entries.iter().all(|entry| entry.line > 0 && entry.column > 0),
        "{report}"
    );
    // What came out is valid by itself, and merging it with nothing changes nothing.
    let (config, unknown) = from_slice(&json).expect("our own JSON");
    assert!(unknown.is_empty(), "{unknown}");
    let version: Version = config.ignition.version.parse().expect("a version");
    assert!(!ignition::validate(&config, version).is_fatal());
    assert_eq!(ignition::merge(&ignition::Config::default(), &config), config);
    // Changing no text changes nothing.
    let mut document = Document::parse(bytes).expect("parsed before");
    document
        .map_strings(|text, _| Ok(text.to_owned()))
        .expect("nothing fails");
    assert_eq!(document.translate(&options).expect("as before").0, json);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_documents_keep_the_rules(which in 0..VALID.len(), changes in prop::collection::vec(change(), 1..5)) {
        let mut bytes = VALID[which].as_bytes().to_vec();
        for change in &changes {
            apply(&mut bytes, change);
        }
        holds(&bytes);
    }
}
