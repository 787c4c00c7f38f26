//! What the schema alone makes of a configuration.

use serde_json::{Value as Json, json};

use crate::service::Service;
use crate::testing::{Cloud, lines, object, plan, received, sent, standing};
use crate::wire;

async fn planned(prior: Option<&Json>, config: &Json) -> Json {
    received(plan(prior, config).await.state.as_ref())
}

#[tokio::test]
async fn what_is_made_has_its_defaults_and_the_rest_is_known_later() {
    let config = json!({"name": "a", "disks": [{"size": 10}, {"size": 20, "kind": "hdd"}], "password_wo": "hush"});
    insta::assert_json_snapshot!(planned(None, &config).await);
}

#[tokio::test]
async fn nothing_changes_when_nothing_was_changed() {
    let prior = standing("a");
    assert_eq!(planned(Some(&prior), &json!({"name": "a"})).await, prior);
}

#[tokio::test]
async fn a_change_keeps_what_keeps_and_leaves_the_rest_open() {
    let now = planned(Some(&standing("a")), &json!({"name": "a", "size": "large"})).await;
    assert_eq!(now, json!({"id": "i-1", "name": "a", "size": "large", "revision": "?"}));
    let applied = json!({"id": "i-1", "name": "a", "size": "large", "revision": 2});
    let back = planned(Some(&applied), &json!({"name": "a"})).await;
    assert_eq!(back["size"], "small", "what is no longer said has its default");
}

#[tokio::test]
async fn what_stands_in_a_list_is_kept_by_its_place() {
    let mut prior = standing("a");
    prior["disks"] = json!([{"size": 10, "kind": "ssd", "serial": "S1"}]);
    let now = planned(
        Some(&prior),
        &json!({"name": "a", "disks": [{"size": 10}, {"size": 30}]}),
    )
    .await;
    assert_eq!(
        now["disks"],
        json!([{"size": 10, "kind": "ssd", "serial": "S1"}, {"size": 30, "kind": "ssd", "serial": "?"}])
    );
}

#[tokio::test]
async fn what_is_not_known_yet_stays_so() {
    let now = planned(None, &json!({"name": "?", "size": "?", "labels": {"rack": "?"}})).await;
    assert_eq!(
        (&now["name"], &now["size"], &now["labels"]),
        (&json!("?"), &json!("?"), &json!({"rack": "?"}))
    );
}

#[tokio::test]
async fn only_what_identifies_makes_another_one() {
    let other = plan(Some(&standing("a")), &json!({"name": "b"})).await;
    assert_eq!(other.requires_replace, vec![(&crate::Path::attribute("name")).into()]);
    let same = plan(Some(&standing("a")), &json!({"name": "a", "size": "large"})).await;
    assert!(same.requires_replace.is_empty());
}

/// Terraform plans a tainted resource as one that is not there.
#[tokio::test]
async fn a_tainted_one_is_made_anew() {
    assert_eq!(planned(None, &json!({"name": "a"})).await["id"], "?");
}

#[tokio::test]
async fn a_set_in_another_order_is_no_change() {
    let mut prior = standing("a");
    prior["zones"] = json!(["a", "b"]);
    assert_eq!(
        planned(Some(&prior), &json!({"name": "a", "zones": ["b", "a"]})).await,
        prior
    );
}

#[tokio::test]
async fn a_removal_is_planned_as_it_is() {
    let request = wire::Plan {
        type_name: "cloud_server".into(),
        prior_state: sent(Some(object(&standing("a")))),
        proposed_new_state: sent(None),
        config: sent(None),
        prior_private: vec![1],
    };
    let planned = Service::new(Cloud).plan(request).await;
    assert_eq!(received(planned.state.as_ref()), Json::Null);
    assert_eq!(planned.private, [1]);
}

fn validated(config: &Json, can_write_only: bool) -> Vec<String> {
    let request = wire::Validate {
        type_name: "cloud_server".into(),
        config: sent(Some(object(config))),
        client_capabilities: Some(wire::ClientCapabilities {
            write_only_attributes_allowed: can_write_only,
        }),
    };
    lines(&Service::new(Cloud).validate_resource(&request).diagnostics)
}

#[test]
fn what_cannot_be_is_refused_with_its_path() {
    let config =
        json!({"name": "a", "size": "huge", "disks": [{"size": 1}, {"size": 0.5}], "labels": {"forbidden": "x"}});
    insta::assert_snapshot!(validated(&config, true).join("\n"), @r#"
    1 size cannot be this: "huge": expected one of small, large Some(AttributeName("size"))
    1 disks[1].size cannot be this: 0.5: expected a whole number from 1 to 1000 Some(AttributeName("disks")) Some(ElementKeyInt(1))
    1 Not this one: It is forbidden. Some(AttributeName("labels")) Some(ElementKeyString("forbidden"))
    "#);
    assert_eq!(
        validated(&json!({"name": "?", "size": "?"}), true),
        Vec::<String>::new()
    );
}

#[test]
fn a_terraform_that_keeps_what_is_write_only_gets_nothing_to_keep() {
    let config = json!({"name": "a", "password_wo": "hush"});
    assert_eq!(validated(&config, true), Vec::<String>::new());
    let told = validated(&config, false).join("\n");
    assert!(told.contains("1.11") && !told.contains("hush"), "{told}");
}

#[test]
fn a_panic_while_validating_is_told() {
    let told = validated(&json!({"name": "panics-early"}), true).join("\n");
    assert!(told.contains("a fault while validating"), "{told}");
}

#[test]
fn a_state_of_a_newer_provider_is_refused() {
    let upgrade = |version| {
        let request = wire::Upgrade {
            type_name: "cloud_server".into(),
            version,
            raw_state: Some(wire::RawState {
                json: br#"{"name":"a"}"#.to_vec(),
            }),
        };
        Service::new(Cloud).upgrade(&request)
    };
    assert_eq!(received(upgrade(0).upgraded_state.as_ref()), json!({"name": "a"}));
    assert!(lines(&upgrade(1).diagnostics)[0].contains("newer provider"));
}
