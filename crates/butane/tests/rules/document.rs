//! Documents whose texts are filled in.

use thirdboot_butane::{Document, Options};

const FRAGMENT: &str = "variant: fcos
version: 1.5.0
storage:
  files:
    - path: &p \"/etc/{{ name }}\"
      mode: 0644
      overwrite: yes
      contents:
        inline: \"{{ evil }}\"
        \"{{ key }}\": 1
  directories:
    - path: *p
";

fn fill(text: &str) -> String {
    text.replace("{{ name }}", "host")
        .replace("{{ evil }}", "x\n    - path: /etc/shadow\n")
}

#[test]
fn a_value_cannot_change_the_structure() {
    let mut document = Document::parse(FRAGMENT.as_bytes()).unwrap();
    let mut seen = Vec::new();
    document
        .map_strings(|text, position| {
            seen.push((
                text.to_owned(),
                position.path.to_string(),
                position.line,
                position.column,
            ));
            Ok(fill(text))
        })
        .unwrap();
    let places: Vec<_> = seen
        .iter()
        .map(|(_, path, line, column)| (path.as_str(), *line, *column))
        .collect();
    assert_eq!(
        places,
        [
            ("$.variant", 1, 10),
            ("$.version", 2, 10),
            ("$.storage.files.0.path", 5, 13),
            ("$.storage.files.0.overwrite", 7, 18),
            ("$.storage.files.0.contents.inline", 9, 17),
        ]
    );
    // The directory has the path by an alias, so both have it filled in: one path twice.
    let report = document.translate(&Options::default()).unwrap_err();
    assert_eq!(report.errors().count(), 1);
    assert!(report.to_string().contains("/etc/host"), "{report}");
}

#[test]
fn what_was_filled_in_stays_a_text() {
    let source = "variant: fcos\nversion: 1.5.0\nstorage: {files: [{path: /a, mode: \"{{ mode }}\", contents: {inline: \"{{ x }}\"}}]}\n";
    let fill = |mode: &str, inline: &str| {
        let mut document = Document::parse(source.as_bytes()).unwrap();
        document
            .map_strings(|text, _| Ok(text.replace("{{ mode }}", mode).replace("{{ x }}", inline)))
            .unwrap();
        document.translate_config(&Options::default())
    };
    assert!(
        fill("420", "a").is_err(),
        "a text is no number, even if it looks like one"
    );
    let plain = source.replace("\"{{ mode }}\"", "0644");
    let mut document = Document::parse(plain.as_bytes()).unwrap();
    document
        .map_strings(|text, _| Ok(text.replace("{{ x }}", "null")))
        .unwrap();
    let (config, _) = document.translate_config(&Options::default()).unwrap();
    assert_eq!(config.storage.files[0].contents.source.as_deref(), Some("data:,null"));
    assert_eq!(config.storage.files[0].mode, Some(0o644));
}

#[test]
fn all_errors_of_filling_in_are_told_with_their_places() {
    let mut document = Document::parse(FRAGMENT.as_bytes()).unwrap();
    let report = document
        .map_strings(|text, _| {
            if text.contains("{{") {
                Err(format!("undefined: {text}"))
            } else {
                Ok(text.to_owned())
            }
        })
        .unwrap_err();
    assert_eq!(
        report.to_string(),
        "error at $.storage.files.0.path, line 5 col 13: undefined: /etc/{{ name }}\n\
         error at $.storage.files.0.contents.inline, line 9 col 17: undefined: {{ evil }}\n"
    );
}

#[test]
fn strict_fails_on_warnings() {
    let document = Document::parse(b"variant: fcos\nversion: 1.5.0\nfoo: 1\n").unwrap();
    assert!(document.translate(&Options::default()).is_ok());
    let report = document
        .translate(&Options {
            strict: true,
            ..Options::default()
        })
        .unwrap_err();
    assert_eq!(
        report.to_string(),
        "warning at $.foo, line 3 col 1: nothing uses the key \"foo\"\n"
    );
}

#[test]
fn an_excerpt_shows_the_line() {
    let source = b"variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n    - path: etc/a\n";
    let report = Document::parse(source)
        .unwrap()
        .translate(&Options::default())
        .unwrap_err();
    insta::assert_snapshot!(thirdboot_butane::excerpt(&report, "a.bu", source, false));
}
