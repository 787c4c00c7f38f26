//! Files, directories, links: paths, modes, owners, and what lies where.

use crate::{accepts, findings, json};

#[test]
fn paths_are_absolute_and_clean() {
    for (path, fine) in [
        ("/", true),
        ("/a/b.c", true),
        ("/a b/%20", true),
        ("a", false),
        ("\"\"", false),
        ("/a/", false),
        ("/a//b", false),
        ("/./a", false),
        ("/a/..", false),
    ] {
        assert_eq!(
            accepts(7, &format!("storage: {{directories: [{{path: {path}}}]}}\n")),
            fine,
            "{path}"
        );
    }
}

#[test]
fn no_two_nodes_at_one_path() {
    let body = "storage:\n  files: [{path: /a}]\n  directories: [{path: /a}]\n  links: [{path: /a, target: b}]\n";
    // Directories come first, then files, then links.
    assert_eq!(findings(7, body), ["error 4:11", "error 6:11"]);
}

#[test]
fn nothing_lies_below_a_link() {
    let body = "storage:\n  links: [{path: /a, target: /b}, {path: /a/l, target: x}]\n  files: [{path: /a/f/g}, {path: /ab}]\n  directories: [{path: /a/d}]\n";
    assert_eq!(findings(7, body), ["error 6:17", "error 5:11", "error 4:35"]);
}

#[test]
fn a_unit_owns_its_path_if_it_has_contents() {
    let body = |contents: &str| {
        format!(
            "systemd: {{units: [{{name: a.service, {contents}}}]}}\nstorage: {{files: [{{path: /etc/systemd/system/a.service}}]}}\n"
        )
    };
    assert_eq!(findings(7, &body("contents: \"[Unit]\"")), ["error 4:26"]);
    assert_eq!(findings(7, &body("enabled: true")), [""; 0]);
    let dropin = "systemd: {units: [{name: a.service, dropins: [{name: x.conf, contents: \"[Unit]\"}]}]}\nstorage: {directories: [{path: /etc/systemd/system/a.service.d/x.conf}]}\n";
    assert_eq!(findings(7, dropin), ["error 4:32"]);
}

#[test]
fn modes_that_look_decimal_warn() {
    let warns = |kind: &str, mode: &str| {
        findings(7, &format!("storage:\n  {kind}:\n    - path: /a\n      mode: {mode}\n")) == ["warning 6:13"]
    };
    for mode in ["644", "755", "600", "777", "444", "440", "750"] {
        assert!(warns("files", mode), "{mode}");
    }
    for mode in ["0644", "420", "493", "0", "0600", "04755", "888"] {
        assert!(!warns("files", mode), "{mode}");
    }
    for mode in ["755", "1777", "550"] {
        assert!(warns("directories", mode), "{mode}");
    }
    for mode in ["0755", "01777", "644"] {
        assert!(!warns("directories", mode), "{mode}");
    }
}

#[test]
fn modes_out_of_range_fail_and_special_bits_warn_up_to_1_6() {
    let mode = |minor: u8, mode: &str| {
        findings(
            minor,
            &format!("storage:\n  files:\n    - path: /a\n      mode: {mode}\n"),
        )
    };
    assert_eq!(mode(7, "010000"), ["error 6:13"]);
    assert_eq!(mode(7, "-1"), ["error 6:13"]);
    assert_eq!(mode(7, "04755"), [""; 0]);
    assert_eq!(mode(6, "04755"), ["warning 6:13"]);
}

#[test]
fn no_mode_is_added() {
    assert_eq!(
        json(7, "storage: {files: [{path: /a}]}\n")["storage"]["files"][0],
        serde_json::json!({"path": "/a"})
    );
}

#[test]
fn owners_have_an_id_or_a_name() {
    let owner = |owner: &str| findings(7, &format!("storage:\n  files:\n    - path: /a\n      user: {owner}\n"));
    assert_eq!(owner("{id: 0}"), [""; 0]);
    assert_eq!(owner("{name: core}"), [""; 0]);
    assert_eq!(owner("{id: 0, name: \"\"}"), [""; 0]);
    assert_eq!(owner("{id: 0, name: core}"), ["error 6:13"]);
}

#[test]
fn overwriting_needs_contents() {
    assert_eq!(
        findings(7, "storage:\n  files:\n    - path: /a\n      overwrite: true\n"),
        ["error 6:18"]
    );
    assert!(accepts(
        7,
        "storage: {files: [{path: /a, overwrite: true, contents: {inline: \"\"}}]}\n"
    ));
    assert!(accepts(7, "storage: {files: [{path: /a, overwrite: false}]}\n"));
}

#[test]
fn links() {
    assert!(!accepts(4, "storage: {links: [{path: /a}]}\n"));
    assert!(!accepts(7, "storage: {links: [{path: /a, target: \"\"}]}\n"));
    assert_eq!(
        json(3, "storage: {links: [{path: /a}]}\n")["storage"]["links"][0]["target"],
        ""
    );
    let hard = |target: &str, more: &str| {
        findings(
            7,
            &format!(
                "storage:\n  directories: [{{path: /d}}]\n  links: [{{path: /l, hard: true, target: {target}{more}}}]\n"
            ),
        )
    };
    assert_eq!(hard("/d", ""), ["error 5:11"]);
    assert_eq!(hard("/x/../d/", ""), ["error 5:11"]);
    assert_eq!(hard("../d", ""), ["error 5:11"]);
    assert_eq!(hard("/e", ", user: {id: 1}"), ["warning 5:57"]);
}

#[test]
fn appending_may_repeat() {
    assert!(accepts(
        7,
        "storage: {files: [{path: /a, append: [{inline: x}, {inline: x}]}]}\n"
    ));
}
