//! Local files and trees of them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use thirdboot_butane::Options;

use crate::{findings, findings_with, json_with};

fn files() -> (tempfile::TempDir, Options) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("files");
    fs::create_dir_all(root.join("t/sub")).unwrap();
    write(&root.join("a.txt"), "hello", 0o644);
    write(&root.join("keys"), "one\r\n\n two\nthree\r", 0o644);
    write(&root.join("t/run"), "#!", 0o750);
    write(&root.join("t/sub/b"), "b", 0o600);
    write(&root.join("t/Z"), "z", 0o644);
    symlink("Z", root.join("t/link")).unwrap();
    write(&directory.path().join("secret"), "secret", 0o644);
    write(&directory.path().join("files-too"), "secret", 0o644);
    let options = Options {
        files_dir: Some(root),
        ..Options::default()
    };
    (directory, options)
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn local(name: &str) -> String {
    format!("storage:\n  files:\n    - path: /a\n      contents: {{local: {name}}}\n")
}

#[test]
fn local_contents() {
    let (_directory, options) = files();
    for name in ["a.txt", "./a.txt", "/a.txt", "t/../a.txt"] {
        let json = json_with(7, &local(name), &options);
        assert_eq!(
            json["storage"]["files"][0]["contents"]["source"], "data:,hello",
            "{name}"
        );
    }
}

#[test]
fn nothing_outside_is_read() {
    let (directory, mut options) = files();
    let root = options.files_dir.clone().unwrap();
    symlink("../secret", root.join("out")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("a.txt", root.join("in")).unwrap();
    for name in [
        "../secret",
        "../files-too",
        "t/../../secret",
        "out",
        "up/secret",
        "t",
        "missing",
    ] {
        assert_eq!(findings_with(7, &local(name), &options), ["error 6:25"], "{name}");
    }
    assert_eq!(findings_with(7, &local("in"), &options), [""; 0]);
    for tree in ["..", "../files-too", "up"] {
        let body = format!("storage:\n  trees:\n    - local: {tree}\n");
        assert_eq!(findings_with(7, &body, &options), ["error 5:7"], "{tree}");
    }
    // A caller may name files that links can lead to.
    options.link_targets.push(directory.path().join("secret"));
    assert_eq!(findings_with(7, &local("out"), &options), [""; 0]);
}

#[test]
fn without_a_directory_there_are_no_local_files() {
    assert_eq!(findings(7, &local("a.txt")), ["error 6:25"]);
    assert_eq!(findings(7, "storage: {trees: [{local: t}]}\n"), ["error 3:19"]);
    assert_eq!(
        findings(7, "passwd: {users: [{name: a, ssh_authorized_keys_local: [keys]}]}\n"),
        ["error 3:55"]
    );
    assert_eq!(
        findings(7, "systemd: {units: [{name: a.service, contents_local: a}]}\n"),
        ["error 3:53"]
    );
}

#[test]
fn local_keys_are_split_into_lines() {
    let (_directory, options) = files();
    let body = "passwd: {users: [{name: a, ssh_authorized_keys: [zero], ssh_authorized_keys_local: [keys]}]}\n";
    let keys = &json_with(7, body, &options)["passwd"]["users"][0]["sshAuthorizedKeys"];
    assert_eq!(*keys, serde_json::json!(["zero", "one", " two", "three\r"]));
}

#[test]
fn local_units() {
    let (_directory, options) = files();
    let body = "systemd: {units: [{name: a.service, contents_local: a.txt, dropins: [{name: b.conf, contents_local: \"\", contents: null}]}]}\n";
    let unit = &json_with(7, body, &options)["systemd"]["units"][0];
    assert_eq!(
        *unit,
        serde_json::json!({"name": "a.service", "contents": "hello", "dropins": [{"name": "b.conf"}]})
    );
    let both = "systemd: {units: [{name: a.service, contents: \"[Unit]\", contents_local: a.txt}]}\n";
    assert_eq!(findings_with(7, both, &options), ["error 3:73"]);
}

#[test]
fn a_tree_is_walked_by_name_after_the_explicit_files() {
    let (_directory, options) = files();
    let body = "storage:\n  files: [{path: /first}]\n  trees: [{local: t, path: /opt}]\n";
    let storage = &json_with(7, body, &options)["storage"];
    let nodes: Vec<(&str, i64)> = storage["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["path"].as_str().unwrap(), file["mode"].as_i64().unwrap_or(-1)))
        .collect();
    assert_eq!(
        nodes,
        [
            ("/first", -1),
            ("/opt/Z", 0o644),
            ("/opt/run", 0o755),
            ("/opt/sub/b", 0o644)
        ]
    );
    assert_eq!(
        storage["links"],
        serde_json::json!([{"path": "/opt/link", "target": "Z"}])
    );
    assert!(storage.get("directories").is_none());
}

#[test]
fn an_existing_entry_supplies_mode_and_owner() {
    let (_directory, options) = files();
    let body = "storage:\n  files: [{path: /run, mode: 0400, user: {id: 7}}]\n  trees: [{local: t}]\n";
    let file = &json_with(7, body, &options)["storage"]["files"][0];
    assert_eq!(
        (file["mode"].as_i64(), file["user"]["id"].as_i64()),
        (Some(0o400), Some(7))
    );
    assert_eq!(file["contents"]["source"], "data:,%23!");
    let taken = "storage:\n  files: [{path: /run, contents: {inline: x}}]\n  directories: [{path: /Z}]\n  trees: [{local: t}]\n";
    assert_eq!(findings_with(7, taken, &options), ["error 6:11", "error 6:11"]);
}

#[test]
fn owners_and_modes_make_directories_appear_from_1_7_on() {
    let (_directory, options) = files();
    let body = "storage:\n  trees: [{local: t, path: /o, user: {name: core}, dir_mode: 0700, file_mode: 0640}]\n";
    let storage = &json_with(7, body, &options)["storage"];
    let user = serde_json::json!({"name": "core"});
    assert_eq!(
        storage["directories"],
        serde_json::json!([{"path": "/o", "mode": 0o700, "user": user}, {"path": "/o/sub", "mode": 0o700, "user": user}])
    );
    assert_eq!(storage["files"][1]["mode"], 0o640);
    assert_eq!(findings_with(6, body, &options).len(), 3);
    assert!(json_with(6, body, &options)["storage"].get("directories").is_none());
}

#[test]
fn sockets_and_the_like_are_refused() {
    let (_directory, options) = files();
    let socket = options.files_dir.as_ref().unwrap().join("t/socket");
    let _listener = std::os::unix::net::UnixListener::bind(socket).unwrap();
    assert_eq!(
        findings_with(7, "storage:\n  trees: [{local: t}]\n", &options),
        ["error 4:11"]
    );
}
