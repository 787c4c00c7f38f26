//! The fleet at a glance.

use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use thirdboot_store::AccessRole;

use crate::secrets::Purpose;
use crate::testing::TestApp;

/// Names of hosts in the order of the page's rows.
fn rows(page: &str) -> Vec<&str> {
    let names = page.split("<tr><th scope=\"row\"><a href=\"/hosts/").skip(1);
    names.map(|rest| rest.split('"').next().unwrap()).collect()
}

/// `a1` is ready to be looked at last: `b1` is stalled, `c1` failed.
async fn in_trouble() -> TestApp {
    let site = TestApp::new().await;
    site.host("a1", 1).await;
    let failed = site.armed("c1", 3).await.id;
    site.tell(failed, Purpose::Live, 1, "live", json!({})).await;
    let claim = site
        .post(
            "/v1/claim",
            &site.secret(Purpose::Live, failed, 1),
            &TestApp::claim(3, 1),
        )
        .await;
    assert_eq!(claim.status, 200, "{}", claim.text());
    let why = json!({"message": "the disk said no", "log": "I/O error, dev sda"});
    site.tell(failed, Purpose::Live, 2, "install-failed", why).await;
    site.armed("b1", 2).await;
    site.script(2).await;
    site.wait(11);
    crate::reconciler::carry_out_what_is_due(site.app.store.as_ref()).await;
    site
}

#[tokio::test]
async fn an_empty_fleet_says_what_to_do_next() {
    let site = TestApp::new().await;
    let page = site.signed_in(AccessRole::Viewer).await.get("/").await.text();
    assert!(
        page.contains("No host yet") && page.contains("thirdboot host add"),
        "{page}"
    );
    site.script(9).await;
    let page = site.signed_in(AccessRole::Viewer).await.get("/").await.text();
    assert!(page.contains("where 1 wait"), "{page}");
    let browser = site.signed_in(AccessRole::Viewer).await;
    let again = [("accept", "text/html"), ("x-thirdboot-look", "0")];
    let again = browser.ask(Method::GET, "/", &again, Body::empty()).await.text();
    assert!(
        again.contains("id=\"hosts\" data-part") && again.contains("where 1 wait") && !again.contains("id=\"counts\""),
        "{again}"
    );
}

#[tokio::test]
async fn what_is_stalled_comes_first_then_what_failed_then_the_rest() {
    let site = in_trouble().await;
    let browser = site.signed_in(AccessRole::Viewer).await;
    let page = browser.get("/").await.text();
    assert_eq!(rows(&page), ["b1", "c1", "a1"]);
    for part in [
        "<b>1</b> stalled",
        "<b>1</b> failed",
        "netbooting, stalled",
        "failed at installing",
        "not armed yet",
        "11 min, given up in 49 min",
        "aria-label=\"0 of 3 boots done\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(rows(&browser.get("/?state=failed").await.text()), ["c1"]);
    assert_eq!(rows(&browser.get("/?stage=none").await.text()), ["a1"]);
    assert_eq!(rows(&browser.get("/?q=52:54:00:00:00:02").await.text()), ["b1"]);
    let none = browser.get("/?q=nobody").await.text();
    assert!(
        none.contains("No host is like that") && none.contains("value=\"nobody\""),
        "{none}"
    );
    assert_eq!(browser.get("/?stage=thawing").await.status, 422);
}

#[tokio::test]
async fn a_long_list_goes_on_where_it_ended_and_a_page_is_small() {
    let site = TestApp::new().await;
    let hosts: Vec<_> = (0..120)
        .map(|n| json!({"name": format!("node-{n:03}"), "macs": [format!("52:54:00:00:01:{n:02x}")], "labels": {"rack": "7"}}))
        .collect();
    let imported = site.api_post("/api/v1/import", &json!({"hosts": hosts})).await;
    assert_eq!(imported.status, 200, "{}", imported.text());
    site.api_post("/api/v1/hosts/node-077/arm", &json!({"confirm": "node-077"}))
        .await;
    let browser = site.signed_in(AccessRole::Viewer).await;
    let (mut seen, mut path) = (Vec::new(), "/?label=rack%3D7".to_owned());
    loop {
        let reply = browser.get(&path).await;
        let page = reply.text();
        assert!(reply.body.len() < 30_000, "{} bytes", reply.body.len());
        seen.extend(rows(&page).into_iter().map(ToOwned::to_owned));
        let Some((_, next)) = page.split_once("rel=\"next\" href=\"") else {
            break;
        };
        path = next
            .split('"')
            .next()
            .unwrap()
            .replace("&#38;", "&")
            .replace("&amp;", "&");
        assert!(path.contains("label=rack%3D7"), "{path}");
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (120, 120));
}

#[tokio::test]
async fn a_page_goes_on_over_the_end_of_what_is_in_trouble() {
    let site = in_trouble().await;
    let browser = site.signed_in(AccessRole::Viewer).await;
    assert_eq!(rows(&browser.get("/?after=1.").await.text()), ["c1", "a1"]);
    assert_eq!(rows(&browser.get("/?after=2.a0").await.text()), ["a1"]);
    assert_eq!(rows(&browser.get("/?after=nonsense").await.text()), ["b1", "c1", "a1"]);
}

/// Number and data of the next event.
async fn next(stream: axum::response::Response) -> (String, String) {
    use http_body_util::BodyExt as _;
    let frame = stream.into_body().frame().await.unwrap().unwrap();
    let told = String::from_utf8(frame.data_ref().unwrap().to_vec()).unwrap();
    assert!(told.contains("event: changed\n"), "{told}");
    let field = |name: &str| {
        told.lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap()
            .to_owned()
    };
    (field("id: "), field("data: "))
}

#[tokio::test]
async fn a_page_is_told_when_something_happened() {
    let site = TestApp::new().await;
    site.host("a1", 1).await;
    let browser = site.signed_in(AccessRole::Viewer).await;
    let made = site.app.store.changed(0, Duration::ZERO).await;
    for (page, live) in [
        ("/", format!("data-live=\"/live?seen={made}\"")),
        ("/hosts/a1", format!("data-live=\"/live?host=a1&#38;seen={made}\"")),
    ] {
        let text = browser.get(page).await.text();
        assert!(text.contains(&live), "{live}: {text}");
    }
    let stream = browser.open(&format!("/live?host=a1&seen={made}")).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    site.api_post("/api/v1/hosts/a1/hold", &json!({"reason": "fan"})).await;
    let seen = site.app.store.changed(0, Duration::ZERO).await.to_string();
    assert_eq!(next(stream).await, (seen.clone(), seen.clone()));
    let seen = seen.as_str();
    // What happened between the page and its stream, or while the stream was cut off, is told as soon as it is its turn.
    let late = browser.open(&format!("/live?seen={made}")).await;
    assert_eq!(next(late).await.0, seen);
    let again = [("last-event-id", made.to_string())];
    let again = browser.open_with(&format!("/live?host=a1&seen={seen}"), &again).await;
    assert_eq!(next(again).await.0, seen);
    let again = [("accept", "text/html"), ("x-thirdboot-look", seen)];
    let again = browser.ask(Method::GET, "/?q=a1", &again, Body::empty()).await.text();
    assert!(
        again.contains("id=\"counts\" data-part") && again.contains(">held</span>"),
        "{again}"
    );
    for not in ["<html", "name=\"form\"", "some-viewer"] {
        assert!(!again.contains(not), "it is the same for everybody: {again}");
    }
    assert_eq!(browser.get("/live?host=none").await.status, 404);
    assert_eq!(site.browser().get("/live").await.status, 303);
}
