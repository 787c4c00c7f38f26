//! docs/THREATS.md against the tests that it names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The claims of the page, each with the tests that it names.
fn claims(page: &str) -> Vec<(String, Vec<String>)> {
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| claim"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let (claim, shown_by) = (cells.first().copied(), cells.get(1).copied());
        let names = shown_by.unwrap_or_default().split('`').skip(1).step_by(2);
        (claim.unwrap_or_default().to_owned(), names.map(str::to_owned).collect())
    })
    .collect()
}

/// The names of all functions that stand below an attribute `test`.
fn tests_below(folder: &Path, found: &mut BTreeSet<String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            tests_below(&path, found)?;
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let is_contract = path.components().any(|part| part.as_os_str() == "contract");
            found.extend(tests_in(&fs::read_to_string(&path)?, is_contract));
        }
    }
    Ok(())
}

fn tests_in(text: &str, is_contract: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((_, rest)) = line.split_once("fn ") {
            // The contract's stories are called by its macro.
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            let is_story = is_contract && name.matches('_').count() >= 3;
            if is_test || is_story {
                found.push(name.to_owned());
            }
            is_test = false;
        }
    }
    found
}

#[test]
fn every_claim_names_tests_that_exist() -> Result<()> {
    let page = fs::read_to_string(Path::new(TOP).join("docs/THREATS.md"))?;
    let mut known = BTreeSet::new();
    for folder in ["crates", "server", "tests"] {
        tests_below(&Path::new(TOP).join(folder), &mut known)?;
    }
    let claims = claims(&page);
    assert!(claims.len() >= 25, "the page lost its claims: {}", claims.len());
    let mut wrong = Vec::new();
    for (claim, names) in &claims {
        if names.is_empty() {
            wrong.push(format!("no test shows: {claim}"));
        }
        let missing = names.iter().filter(|name| !known.contains(*name));
        wrong.extend(missing.map(|name| format!("no such test: {name} ({claim})")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn a_claim_without_a_test_and_a_test_that_is_none_are_found() {
    let page =
        "| claim | shown by |\n|---|---|\n| It holds. | `one_two_three_four`, `five` |\n| It does not. | nothing |\n";
    let found = claims(page);
    assert_eq!(found[0].1, ["one_two_three_four", "five"]);
    assert!(found[1].1.is_empty());
    let text = "#[test]\nfn five() {}\nfn helper() {}\n#[tokio::test(flavor = \"x\")]\nasync fn six() {}\n";
    assert_eq!(tests_in(text, false), ["five", "six"]);
}
