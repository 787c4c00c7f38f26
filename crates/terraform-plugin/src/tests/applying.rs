//! Making, changing, looking and removing: what is kept when something goes wrong.

use serde_json::{Value as Json, json};

use crate::service::Service;
use crate::testing::{Cloud, apply, lines, object, received, sent, standing};
use crate::wire;

#[tokio::test]
async fn what_was_planned_is_made_and_what_was_open_is_filled_in() {
    let done = apply(None, &json!({"name": "a", "disks": [{"size": 10}]})).await;
    assert_eq!(lines(&done.diagnostics), Vec::<String>::new());
    assert_eq!(
        received(done.new_state.as_ref()),
        json!({"id": "i-1", "name": "a", "size": "small", "revision": 1, "disks": [{"size": 10, "kind": "ssd"}]})
    );
}

#[tokio::test]
async fn a_secret_reaches_the_provider_and_no_state() {
    let done = apply(None, &json!({"name": "tells", "password_wo": "hush"})).await;
    assert_eq!(done.private, b"hush");
    assert!(!received(done.new_state.as_ref()).to_string().contains("hush"));
    assert_eq!(lines(&done.diagnostics), ["2 Hm: It is warm in there. "]);
}

/// An error beside a state: Terraform keeps it, and marks it as tainted.
#[tokio::test]
async fn a_panic_loses_nothing_that_was_kept() {
    let done = apply(None, &json!({"name": "half-made"})).await;
    assert_eq!(received(done.new_state.as_ref())["id"], "i-1");
    assert!(lines(&done.diagnostics)[0].contains("it fell from the rack"));
}

#[tokio::test]
async fn what_was_refused_is_not_there() {
    let done = apply(None, &json!({"name": "refused"})).await;
    assert_eq!(received(done.new_state.as_ref()), Json::Null);
    assert_eq!(
        lines(&done.diagnostics),
        ["1 Too large: There is no room. Some(AttributeName(\"size\"))"]
    );
}

#[tokio::test]
async fn a_wish_to_stop_reaches_whoever_waits() {
    let service = Service::new(Cloud);
    let config = json!({"name": "waits"});
    let request = wire::Apply {
        type_name: "cloud_server".into(),
        prior_state: sent(None),
        planned_state: sent(Some(object(&config))),
        config: sent(Some(object(&config))),
        planned_private: Vec::new(),
    };
    let (done, stopped) = tokio::join!(service.apply(request), async { service.stop_provider() });
    assert_eq!(stopped.error, "");
    assert_eq!(received(done.new_state.as_ref())["name"], "waits");
    assert!(lines(&done.diagnostics)[0].contains("Stopped"));
}

async fn removed(name: &str) -> (Json, Vec<String>) {
    let request = wire::Apply {
        type_name: "cloud_server".into(),
        prior_state: sent(Some(object(&standing(name)))),
        planned_state: sent(None),
        config: sent(None),
        planned_private: Vec::new(),
    };
    let done = Service::new(Cloud).apply(request).await;
    (received(done.new_state.as_ref()), lines(&done.diagnostics))
}

#[tokio::test]
async fn only_what_was_removed_leaves_the_state() {
    assert_eq!(removed("a").await, (Json::Null, Vec::new()));
    let (state, told) = removed("stays").await;
    assert_eq!((&state["id"], told.len()), (&json!("i-1"), 1));
}

async fn seen(name: &str) -> (Json, Vec<String>) {
    let request = wire::Read {
        type_name: "cloud_server".into(),
        current_state: sent(Some(object(&standing(name)))),
        private: Vec::new(),
    };
    let done = Service::new(Cloud).read(request).await;
    (received(done.new_state.as_ref()), lines(&done.diagnostics))
}

#[tokio::test]
async fn only_what_is_gone_for_certain_leaves_the_state() {
    assert_eq!(seen("gone").await, (Json::Null, Vec::new()));
    for name in ["unreachable", "panics"] {
        let (state, told) = seen(name).await;
        assert_eq!((state["name"].as_str(), told.len()), (Some(name), 1));
    }
}

#[tokio::test]
async fn what_is_imported_has_every_attribute() {
    let request = wire::Import {
        type_name: "cloud_server".into(),
        id: "a".into(),
    };
    let done = Service::new(Cloud).import(request).await;
    assert_eq!(
        received(done.imported_resources[0].state.as_ref()),
        json!({"name": "a"})
    );
}

#[tokio::test]
async fn what_this_provider_does_not_have_is_an_error() {
    let request = wire::Read {
        type_name: "cloud_moon".into(),
        ..wire::Read::default()
    };
    let done = Service::new(Cloud).read(request).await;
    assert!(lines(&done.diagnostics)[0].contains("cloud_moon"));
}
