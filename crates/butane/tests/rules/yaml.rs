//! What counts as YAML, and what its scalars mean.

use thirdboot_butane::{Options, translate};

use crate::{accepts, document, findings, json};

fn mode(text: &str) -> Option<i64> {
    let body = format!("storage:\n  files:\n    - path: /a\n      mode: {text}\n");
    translate(document(7, &body).as_bytes(), &Options::default())
        .ok()
        .and_then(|(json, _)| {
            serde_json::from_slice::<serde_json::Value>(&json).unwrap()["storage"]["files"][0]["mode"].as_i64()
        })
}

#[test]
fn integers_have_base_prefixes_and_floats_lose_their_fraction() {
    let cases = [
        ("0644", Some(420)),
        ("0o644", Some(420)),
        ("0O644", Some(420)),
        ("0x1a4", Some(420)),
        ("0b110100100", Some(420)),
        ("+0644", Some(420)),
        ("4_20", Some(420)),
        ("420.9", Some(420)),
        ("4.2e2", Some(420)),
        ("0899", Some(899)),
        ("-0.5", Some(0)),
        ("0", Some(0)),
        (".5", Some(0)),
        ("!!int \"420\"", Some(420)),
        ("!!float 420", Some(420)),
        ("\"0644\"", None),
        ("'420'", None),
        ("0o8", None),
        ("0x", None),
        (".nan", None),
        (".inf", None),
        ("1e99", None),
        ("true", None),
        ("2001-12-14", None),
        ("[1]", None),
        ("!!int hello", None),
    ];
    for (text, expected) in cases {
        assert_eq!(mode(text), expected, "{text}");
    }
}

#[test]
fn truth_values_may_be_words_of_yaml_1_1_even_quoted() {
    let overwrite = |text: &str| {
        let body = format!("storage:\n  directories:\n    - path: /a\n      overwrite: {text}\n");
        let found = translate(document(7, &body).as_bytes(), &Options::default()).ok()?.0;
        serde_json::from_slice::<serde_json::Value>(&found).unwrap()["storage"]["directories"][0]["overwrite"].as_bool()
    };
    for yes in [
        "true",
        "True",
        "TRUE",
        "y",
        "Y",
        "yes",
        "on",
        "\"yes\"",
        "'on'",
        "!!bool true",
    ] {
        assert_eq!(overwrite(yes), Some(true), "{yes}");
    }
    for no in ["false", "False", "FALSE", "n", "N", "no", "off", "\"n\""] {
        assert_eq!(overwrite(no), Some(false), "{no}");
    }
    for neither in ["\"true\"", "'false'", "1", "0", "maybe", "[]", "1.0"] {
        assert_eq!(overwrite(neither), None, "{neither}");
    }
}

#[test]
fn any_plain_scalar_is_a_text_where_a_text_is_wanted() {
    for text in [
        "0644",
        "yes",
        "1.50",
        "2001-12-14",
        "0x1F",
        ".nan",
        "http://a:1/b",
        "a#b",
        "-x",
        "?x",
        ":x",
    ] {
        let body = format!(
            "storage:\n  files:\n    - path: /a\n      contents:\n        source: null\n        inline: {text}\n"
        );
        let source = json(7, &body)["storage"]["files"][0]["contents"]["source"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(percent(&source), text);
    }
}

fn percent(source: &str) -> String {
    let body = source.strip_prefix("data:,").unwrap();
    body.replace("%3A", ":")
        .replace("%2F", "/")
        .replace("%23", "#")
        .replace("%3F", "?")
}

#[test]
fn null_is_unset_and_null_items_are_dropped() {
    let json = json(
        7,
        "storage:\n  files:\n    - null\n    - path: /a\n      mode: null\n    -\npasswd: ~\n",
    );
    assert_eq!(json["storage"]["files"], serde_json::json!([{"path": "/a"}]));
    assert!(json.get("passwd").is_none());
}

#[test]
fn block_and_quoted_texts() {
    let cases = [
        ("|\n  a\n   b\n\n  c\n", "a\n b\n\nc\n"),
        ("|-\n  a\n", "a"),
        ("|+\n  a\n\n", "a\n\n"),
        ("|2\n    a\n", " a\n"),
        (">\n  a\n  b\n\n  c\n", "a b\nc\n"),
        (">-\n  a\n   b\n  c\n", "a\n b\nc"),
        ("\"a\\tb\\x41\\u00e9\\U0001F600\"\n", "a\tbA\u{e9}\u{1F600}"),
        ("\"a\n  b\n\n  c\"\n", "a b\nc"),
        ("\"a\\\n  b\"\n", "ab"),
        ("'it''s'\n", "it's"),
        ("a\n  b\n", "a b"),
    ];
    for (text, expected) in cases {
        let document = format!("variant: fcos\nversion: 1.7.0\nkernel_arguments:\n should_exist:\n - {text}");
        let (json, _) = translate(document.as_bytes(), &Options::default()).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["kernelArguments"]["shouldExist"][0], expected, "{text}");
    }
}

#[test]
fn what_is_no_yaml_is_refused_with_its_place() {
    let cases = [
        ("a: [\n", (4, 1)),
        ("a: 'x\n", (3, 4)),
        ("a: \"\\q\"\n", (3, 4)),
        ("a: \"\\/\"\n", (3, 4)),
        ("a:\n\t- b\n", (4, 2)),
        ("a: b: c\n", (3, 5)),
        ("a: @b\n", (3, 4)),
        ("a: *b\n", (3, 4)),
        ("a: |x\n", (3, 4)),
        ("a: b\n  c: d\n", (4, 4)),
        ("a: !! b\n", (3, 4)),
        ("a: !<> b\n", (3, 4)),
        ("a: \u{1}\n", (3, 4)),
        ("storage: {}\nstorage: {}\n", (4, 1)),
        ("storage:\n  files:\n    - path: /a\n      path: /b\n", (6, 7)),
        ("storage: []\n", (3, 10)),
        ("storage: hello\n", (3, 10)),
        ("storage: {files: {}}\n", (3, 18)),
    ];
    for (body, place) in cases {
        let report = translate(document(7, body).as_bytes(), &Options::default()).unwrap_err();
        let entry = &report.entries[0];
        assert_eq!((entry.line, entry.column), place, "{body:?} {report}");
        assert!(
            report.to_string().starts_with("Error translating config: line"),
            "{report}"
        );
    }
}

#[test]
fn a_key_must_find_its_colon_within_1024_characters() {
    assert!(accepts(7, &format!("{}: 1\n", "k".repeat(1024))));
    assert!(!accepts(7, &format!("{}: 1\n", "k".repeat(1025))));
}

#[test]
fn only_the_first_document_counts() {
    assert!(accepts(7, "---\nvariant: [\n"));
    assert!(accepts(7, "...\n%%%\n"));
    assert!(translate(b"...\nvariant: fcos\nversion: 1.7.0\n", &Options::default()).is_err());
    assert!(translate(b"%YAML 1.1\n---\nvariant: fcos\nversion: 1.7.0\n", &Options::default()).is_ok());
    assert!(translate(b"%YAML 1.2\n---\nvariant: fcos\nversion: 1.7.0\n", &Options::default()).is_err());
}

#[test]
fn marks_and_encodings() {
    let text = document(7, "kernel_arguments:\r\n  should_exist: [\"\u{e9}\u{1F600}\"]\r\n");
    let little: Vec<u8> = [0xFEFF]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let big: Vec<u8> = [0xFEFF]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_be_bytes)
        .collect();
    let marked = format!("\u{FEFF}{text}").into_bytes();
    let (plain, _) = translate(text.as_bytes(), &Options::default()).unwrap();
    for bytes in [&little, &big, &marked] {
        assert_eq!(translate(bytes, &Options::default()).unwrap().0, plain);
    }
    assert!(translate(&little[..little.len() - 1], &Options::default()).is_err());
    assert!(translate(&[0xFF, 0xFE, 0x00, 0xD8], &Options::default()).is_err());
    assert!(translate(b"variant: fcos\nversion: 1.7.0\n# \xFF\n", &Options::default()).is_err());
}

#[test]
fn unknown_keys_warn_at_any_depth() {
    let body = "foo: 1\nstorage:\n  files:\n    - path: /a\n      shoe: 7\n      user: {name: a, nom: b}\n";
    assert_eq!(findings(7, body), ["warning 8:23", "warning 7:7", "warning 3:1"]);
    // Keys of later versions too.
    assert_eq!(findings(3, "kernel_arguments: {should_exist: [a]}\n"), ["warning 3:1"]);
    assert_eq!(
        findings(4, "systemd: {units: [{name: a.service, contents_local: b}]}\n"),
        ["warning 3:37"]
    );
}

#[test]
fn merges_fill_in_what_is_missing_and_warn() {
    let body = "x: &x {mode: 0600, path: /never, user: {id: 1}}\nstorage:\n  files:\n    - <<: *x\n      path: /a\n";
    let file = &json(7, body)["storage"]["files"][0];
    assert_eq!(
        *file,
        serde_json::json!({"path": "/a", "mode": 0o600, "user": {"id": 1}})
    );
    assert_eq!(findings(7, body), ["warning 6:7", "warning 3:1"]);
    let several = "x: &x {mode: 0600}\ny: &y {mode: 0644, path: /y}\nstorage:\n  files:\n    - <<: [*x, *y]\n";
    assert_eq!(
        json(7, several)["storage"]["files"][0],
        serde_json::json!({"path": "/y", "mode": 0o600})
    );
    assert!(!accepts(7, "storage:\n  files:\n    - <<: 5\n"));
    // Quoted it is a key like any other.
    assert_eq!(findings(7, "\"<<\": 5\n"), ["warning 3:1"]);
}

#[test]
fn aliases_stand_for_what_they_name() {
    let body = "passwd:\n  users:\n    - name: a\n      ssh_authorized_keys: &k [one]\n    - name: b\n      ssh_authorized_keys: *k\n";
    assert_eq!(json(7, body)["passwd"]["users"][1]["sshAuthorizedKeys"][0], "one");
    // A mapping written elsewhere cannot be looked through for unknown keys.
    assert_eq!(
        findings(7, "x: &x {id: 1}\nstorage: {files: [{path: /a, user: *x}]}\n"),
        ["warning 4:36", "warning 3:1"]
    );
    assert!(!accepts(7, "storage:\n  files: &f\n    - contents: *f\n"));
}

#[test]
fn version_and_variant_must_match_exactly() {
    for (header, fine) in [
        ("variant: fcos\nversion: 1.0.0\n", true),
        ("variant: fcos\nversion: 1.07.0\n", true),
        ("variant: fcos\nversion: 1.7\n", false),
        ("variant: fcos\nversion: 1.7.0.0\n", false),
        ("variant: fcos\nversion: 1.7.0-exp\n", false),
        ("variant: fcos\nversion: 1.7.0+b\n", false),
        ("variant: fcos\nversion: 1.8.0\n", false),
        ("variant: fcos\nversion: 2.0.0\n", false),
        ("variant: fcos \"\nversion: 1.7.0\n", false),
        ("variant: rhcos\nversion: 1.7.0\n", false),
        ("version: 1.7.0\n", false),
        ("", false),
        ("null\n", false),
    ] {
        assert_eq!(
            translate(header.as_bytes(), &Options::default()).is_ok(),
            fine,
            "{header}"
        );
    }
}

#[test]
fn each_version_has_its_ignition() {
    for (minor, version) in [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 5), (7, 6)] {
        assert_eq!(json(minor, "")["ignition"]["version"], format!("3.{version}.0"));
    }
}
