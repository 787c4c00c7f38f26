//! Ignition's merge.

use serde_json::{Value, json};
use thirdboot_butane::ignition::{Config, merge};

fn merged(parent: Value, child: Value) -> Value {
    let read = |value| serde_json::from_value::<Config>(value).unwrap();
    let mut value = serde_json::to_value(merge(&read(parent), &read(child))).unwrap();
    value.as_object_mut().unwrap().remove("ignition");
    value
}

#[test]
fn scalars_of_the_child_win_and_the_rest_stays() {
    assert_eq!(
        merged(
            json!({"passwd": {"users": [{"name": "a", "uid": 1, "shell": "/p", "groups": ["x", "y"]}, {"name": "b"}]}}),
            json!({"passwd": {"users": [{"name": "c"}, {"name": "a", "shell": "/c", "groups": ["y", "z"]}]}}),
        ),
        json!({"passwd": {"users": [
            {"name": "a", "uid": 1, "shell": "/c", "groups": ["x", "y", "z"]}, {"name": "b"}, {"name": "c"},
        ]}})
    );
}

#[test]
fn keyed_lists_merge_and_others_append() {
    assert_eq!(
        merged(
            json!({"storage": {"files": [{"path": "/a", "mode": 1, "append": [{"source": "data:,p"}]}]}}),
            json!({"storage": {"files": [{"path": "/a", "append": [{"source": "data:,p"}], "contents": {"source": "data:,c"}}]}}),
        ),
        json!({"storage": {"files": [{
            "path": "/a", "mode": 1, "append": [{"source": "data:,p"}, {"source": "data:,p"}],
            "contents": {"source": "data:,c"},
        }]}})
    );
    assert_eq!(
        merged(
            json!({"storage": {"raid": [{"name": "r", "options": ["-a"], "devices": ["/dev/a"]}]}}),
            json!({"storage": {"raid": [{"name": "r", "options": ["-a"], "devices": ["/dev/a", "/dev/b"]}]}}),
        ),
        json!({"storage": {"raid": [{"name": "r", "options": ["-a", "-a"], "devices": ["/dev/a", "/dev/b"]}]}})
    );
}

#[test]
fn a_node_of_another_kind_replaces_the_parents() {
    assert_eq!(
        merged(
            json!({"storage": {"files": [{"path": "/a"}, {"path": "/b"}], "links": [{"path": "/l", "target": "t"}]}}),
            json!({"storage": {"directories": [{"path": "/a"}], "files": [{"path": "/l"}]}}),
        ),
        json!({"storage": {"directories": [{"path": "/a"}], "files": [{"path": "/b"}, {"path": "/l"}]}})
    );
    assert_eq!(
        merged(
            json!({"kernelArguments": {"shouldExist": ["a", "b"]}}),
            json!({"kernelArguments": {"shouldNotExist": ["a"]}}),
        ),
        json!({"kernelArguments": {"shouldExist": ["b"], "shouldNotExist": ["a"]}})
    );
}

#[test]
fn partitions_go_by_number_else_by_label() {
    assert_eq!(
        merged(
            json!({"storage": {"disks": [{"device": "/dev/a", "partitions": [{"number": 1, "label": "x"}, {"label": "y"}]}]}}),
            json!({"storage": {"disks": [{"device": "/dev/a", "partitions": [{"number": 1, "sizeMiB": 5}, {"label": "y", "sizeMiB": 6}]}]}}),
        ),
        json!({"storage": {"disks": [{"device": "/dev/a", "partitions": [
            {"number": 1, "label": "x", "sizeMiB": 5}, {"label": "y", "sizeMiB": 6},
        ]}]}})
    );
}

#[test]
fn a_header_without_value_takes_the_parents_away() {
    let file = |headers: Value| json!({"storage": {"files": [{"path": "/a", "contents": {"httpHeaders": headers}}]}});
    assert_eq!(
        merged(
            file(json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])),
            file(json!([{"name": "A"}]))
        ),
        file(json!([{"name": "B", "value": "2"}]))
    );
}

#[test]
fn merging_with_nothing_changes_nothing() {
    let config: Config = serde_json::from_value(json!({
        "ignition": {"version": "3.4.0", "config": {"merge": [{"source": "data:,"}]}},
        "storage": {"luks": [{"name": "l", "clevis": {"tpm2": true, "tang": [{"url": "u"}]}}]},
        "systemd": {"units": [{"name": "a", "dropins": [{"name": "b", "contents": ""}]}]},
    }))
    .unwrap();
    let mut with_child = merge(&config, &Config::default());
    assert_eq!(with_child.ignition.version, "", "the version is the child's");
    with_child.ignition.version.clone_from(&config.ignition.version);
    assert_eq!(with_child, config);
    assert_eq!(merge(&Config::default(), &config), config);
}
