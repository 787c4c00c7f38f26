//! Documents that want to do harm end in an error, and soon.

use std::time::{Duration, Instant};

use thirdboot_butane::{Options, translate};

use crate::{accepts, document};

/// Much more than any of these should take, much less than a blow-up takes.
const PATIENCE: Duration = Duration::from_secs(10);

fn quickly(body: &str) -> bool {
    let start = Instant::now();
    let fine = accepts(7, body);
    assert!(start.elapsed() < PATIENCE, "took {:?}", start.elapsed());
    fine
}

#[test]
fn a_billion_laughs() {
    let mut body = "passwd:\n  users:\n    - &a {name: lol, groups: [a, b, c]}\n".to_owned();
    // Lists of lists of lists, in a place where lists are read.
    for (name, inner) in ["b", "c", "d", "e", "f", "g", "h", "i"]
        .iter()
        .zip(["a", "b", "c", "d", "e", "f", "g", "h"])
    {
        body += &format!("x{name}: &{name} [{}]\n", vec![format!("*{inner}"); 9].join(", "));
    }
    assert!(quickly(&body), "nobody reads unknown keys");
    let merges = |depth: usize| {
        let mut body = "a0: &a0 {mode: 0644}\n".to_owned();
        for level in 1..depth {
            let previous = level - 1;
            body += &format!("a{level}: &a{level} {{<<: [*a{previous}, *a{previous}, *a{previous}, *a{previous}]}}\n");
        }
        body + &format!("storage: {{files: [{{path: /a, <<: *a{}}}]}}\n", depth - 1)
    };
    assert!(quickly(&merges(4)));
    assert!(merges(20).len() < 2000);
    assert!(!quickly(&merges(20)));
}

#[test]
fn long_texts_by_many_aliases() {
    let body = format!(
        "storage:\n  files:\n    - path: /a\n      append:\n        - &a {{inline: {}}}\n{}",
        "x".repeat(100_000),
        "        - *a\n".repeat(2_000)
    );
    assert!(!quickly(&body));
}

#[test]
fn deep_nesting() {
    assert!(quickly(&format!("x: {}{}\n", "[".repeat(250), "]".repeat(250))));
    assert!(!quickly(&format!("x: {}\n", "[".repeat(1_000_000))));
    assert!(!quickly(&format!(
        "x: {}{}\n",
        "{a: ".repeat(20_000),
        "}".repeat(20_000)
    )));
    let mut stairs = String::from("x:\n");
    for depth in 1..1_500 {
        stairs += &format!("{}a:\n", " ".repeat(depth));
    }
    assert!(quickly(&stairs));
    assert!(!quickly(&format!("x: {}\n", "- ".repeat(100_000))));
    let nested_merge = format!("storage: {}{}\n", "{<<: ".repeat(5_000), "}".repeat(5_000));
    assert!(!quickly(&nested_merge));
}

#[test]
fn many_items_and_long_lines_take_linear_time() {
    assert!(quickly(&format!("x: [{}]\n", "a, ".repeat(300_000))));
    assert!(quickly(&format!("x: {}\n", "a ".repeat(500_000))));
    let keys: String = (0..50_000).map(|key| format!("k{key}: 1\n")).collect();
    assert!(quickly(&keys));
    let links: String = (0..5_000)
        .map(|link| format!("    - {{path: /{}{link}, target: x}}\n", "d/".repeat(50)))
        .collect();
    assert!(quickly(&format!("storage:\n  links:\n{links}")));
    let parts: String = (1..20_000)
        .map(|part| format!("{{number: {part}, start_mib: {}, size_mib: 1}}, ", part * 2))
        .collect();
    assert!(quickly(&format!(
        "storage: {{disks: [{{device: /dev/a, partitions: [{parts}]}}]}}\n"
    )));
}

#[test]
fn odd_bytes_never_panic() {
    let pieces = [
        "\u{85}", "\u{2028}", "\r", "\t", "\u{FEFF}", "%", "!", "!<", "!!", "&", "*", "|", ">", "'", "\"", "\\", "?",
        ":", "-", ",", "#", "---", "...", "<<", "\0",
    ];
    for a in pieces {
        for b in pieces {
            for text in [
                format!("{a}{b}"),
                format!("x: {a}{b}\n"),
                format!("- {a} {b}\n y"),
                format!("[{a}{b}"),
            ] {
                let _ = translate(text.as_bytes(), &Options::default());
                let _ = translate(document(7, &text).as_bytes(), &Options::default());
            }
        }
    }
}
