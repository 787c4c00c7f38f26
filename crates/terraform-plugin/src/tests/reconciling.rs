//! The same thing in other words is no change, and anything else is.

use serde_json::{Value as Json, json};

use crate::testing::{object, server_schema, shown};
use crate::{Value, reconcile, settle};

fn after(prior: &Json, seen: &Json) -> Json {
    let state = reconcile(&server_schema(), &object(prior), object(seen));
    shown(&Value::Object(state))
}

#[test]
fn the_users_notation_stays_when_it_says_the_same() {
    for (prior, seen, expected) in [
        (
            json!({"mac": "AA:BB"}),
            json!({"mac": "aa:bb"}),
            json!({"mac": "AA:BB"}),
        ),
        (
            json!({"mac": "AA:BB"}),
            json!({"mac": "aa:cc"}),
            json!({"mac": "aa:cc"}),
        ),
        (json!({}), json!({"labels": {}, "zones": [], "disks": []}), json!({})),
        (json!({"labels": {}}), json!({}), json!({"labels": {}})),
        (json!({}), json!({"labels": {"a": "b"}}), json!({"labels": {"a": "b"}})),
        (
            json!({"labels": {"a": "b"}}),
            json!({"labels": {}}),
            json!({"labels": {}}),
        ),
        (
            json!({"size": "large"}),
            json!({"size": "small"}),
            json!({"size": "small"}),
        ),
        (json!({}), json!({"password_wo": "hush"}), json!({})),
        (
            json!({"disks": [{"size": 1}]}),
            json!({"disks": [{"size": 1, "kind": "ssd", "serial": "S"}, {"size": 2}]}),
            json!({"disks": [{"size": 1, "kind": "ssd", "serial": "S"}, {"size": 2}]}),
        ),
    ] {
        assert_eq!(after(&prior, &seen), expected, "{prior} then {seen}");
    }
}

#[test]
fn after_an_apply_the_plan_holds_and_the_open_is_filled_in() {
    let planned = object(&json!({"name": "a", "mac": "AA:BB", "id": "?", "disks": [{"size": 1, "serial": "?"}]}));
    let seen = object(&json!({"name": "a", "mac": "aa:bb", "id": "i-1", "disks": [{"size": 1, "serial": "S"}]}));
    let state = settle(&planned, &seen);
    assert_eq!(
        shown(&Value::Object(state)),
        json!({"name": "a", "mac": "AA:BB", "id": "i-1", "disks": [{"size": 1, "serial": "S"}]})
    );
}
