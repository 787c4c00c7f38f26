//! The command line: streams and exit codes as Butane's.

#![cfg(feature = "cli")]
#![expect(clippy::unwrap_used, reason = "what fails in these functions fails the test")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

const GOOD: &str = "variant: fcos\nversion: 1.5.0\n";
const ODD: &str = "variant: fcos\nversion: 1.5.0\nfoo: 1\n";
const BAD: &str = "variant: fcos\nversion: 1.5.0\nstorage: {files: [{path: a}]}\n";

fn run(arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_thirdboot-butane"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (
        status.code().unwrap(),
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

#[test]
fn a_good_document() {
    let json = "{\"ignition\":{\"version\":\"3.4.0\"}}\n";
    assert_eq!(run(&[], GOOD), (0, json.to_owned(), String::new()));
    assert_eq!(run(&["--strict", "-"], GOOD), (0, json.to_owned(), String::new()));
    assert_eq!(run(&["--check"], GOOD), (0, String::new(), String::new()));
    assert_eq!(
        run(&["--pretty"], GOOD).1,
        "{\n  \"ignition\": {\n    \"version\": \"3.4.0\"\n  }\n}\n"
    );
}

#[test]
fn warnings_pass_unless_strict() {
    let warning = "warning at $.foo, line 3 col 1: nothing uses the key \"foo\"\n";
    let (code, stdout, stderr) = run(&[], ODD);
    assert_eq!((code, stdout.is_empty(), stderr.as_str()), (0, false, warning));
    let (code, stdout, stderr) = run(&["--strict"], ODD);
    assert_eq!((code, stdout.is_empty(), stderr.starts_with(warning)), (1, true, true));
}

#[test]
fn errors() {
    let (code, stdout, stderr) = run(&[], BAD);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(
        stderr.starts_with("error at $.storage.files.0.path, line 3 col 26: "),
        "{stderr}"
    );
    assert!(
        stderr.ends_with("Error translating config: the document has errors\n"),
        "{stderr}"
    );
    assert_eq!(run(&["/nowhere/at/all.bu"], "").0, 1);
    assert_eq!(run(&["--no-such-flag"], "").0, 2);
}
