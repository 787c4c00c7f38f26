//! Ignition's own JSON: reading and checking.

use thirdboot_butane::ignition::{self, Version, from_slice, to_vec, validate_slice};
use thirdboot_butane::{Kind, Stage};

fn lines(json: &str) -> String {
    validate_slice(json.as_bytes()).to_string()
}

#[test]
fn unknown_keys_warn_wherever_they_are() {
    let json = r#"{"ignition": {"version": "3.4.0"}, "foo": 1, "storage": {"files": [{"path": "/a", "Mode": 420, "pth": 1}]}}"#;
    let (config, report) = from_slice(json.as_bytes()).unwrap();
    assert_eq!(
        config.storage.files[0].mode,
        Some(420),
        "keys are read in any case, as Ignition does"
    );
    assert!(report.entries.iter().all(|entry| entry.kind == Kind::Warning));
    let paths: Vec<_> = report.entries.iter().map(|entry| entry.path.to_string()).collect();
    assert_eq!(paths, ["$.foo", "$.storage.files.0.Mode", "$.storage.files.0.pth"]);
}

#[test]
fn what_is_no_config_is_refused() {
    for json in [
        "",
        "[]",
        "{\"storage\": 1}",
        "{\"storage\": {\"files\": [{\"path\": 5}]}}",
        "{\"ignition\": {}} x",
    ] {
        let report = from_slice(json.as_bytes()).unwrap_err();
        assert!(report.is_fatal() && report.entries[0].stage == Stage::Read, "{json}");
    }
    assert!(from_slice(b"{\"storage\": {\"files\": null, \"links\": [null]}, \"systemd\": null}").is_ok());
}

#[test]
fn the_version_must_be_known_and_the_one_asked_for() {
    assert!(lines("{}").contains("$.ignition.version"));
    assert!(lines(r#"{"ignition": {"version": "2.2.0"}}"#).contains("3.0.0 to 3.6.0"));
    let (config, _) = from_slice(br#"{"ignition": {"version": "3.3.0"}}"#).unwrap();
    assert!(!ignition::validate(&config, Version::v3(3).unwrap()).is_fatal());
    assert!(ignition::validate(&config, Version::v3(4).unwrap()).is_fatal());
    assert_eq!(Version::v3(7), None);
    assert_eq!("3.5.0".parse(), Ok(Version::v3(5).unwrap()));
    assert!("3.05.0".parse::<Version>().is_err());
}

#[test]
fn a_document_with_all_kinds_of_errors() {
    insta::assert_snapshot!(lines(
        r#"{
        "ignition": {"version": "3.4.0", "config": {"merge": [{"source": "ftp://x"}, {}]},
            "security": {"tls": {"certificateAuthorities": [{"verification": {"hash": "x"}}]}}},
        "passwd": {"users": [{"name": "a", "sshAuthorizedKeys": ["k", "k"]}]},
        "storage": {
            "files": [{"path": "a"}, {"path": "/b", "mode": 4096, "user": {"id": 1, "name": "x"}, "overwrite": true}],
            "links": [{"path": "/l"}, {"path": "/l/m", "target": "x"}],
            "disks": [{"partitions": [{}]}],
            "filesystems": [{"device": "/dev/a", "label": "x"}],
            "luks": [{"name": "a/b"}],
            "raid": [{"name": "r", "level": "raid9"}]},
        "systemd": {"units": [{"name": "x", "contents": "[X", "dropins": [{"name": "y"}]}]}}"#
    ));
}

#[test]
fn json_goes_round() {
    let json = br#"{"ignition":{"version":"3.6.0"},"passwd":{"users":[{"gecos":"","name":"a"}]},"storage":{"files":[{"path":"/a","contents":{"compression":"","source":"data:,"},"mode":0}]}}"#;
    let (config, report) = from_slice(json).unwrap();
    assert!(report.is_empty());
    assert_eq!(to_vec(&config, false).unwrap(), json);
}
