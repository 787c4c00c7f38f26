//! People who may sign in, as admins see them.

use serde_json::Value;
use thirdboot_store::AccessRole;

use crate::testing::{PASSWORD, TestApp, form_token};

/// The link that a page shows.
fn link(page: &str) -> String {
    let rest = page.split("<code>http://control.test").nth(1);
    let link = rest.and_then(|rest| rest.split('<').next());
    link.unwrap_or_else(|| panic!("no link: {page}")).to_owned()
}

/// Who did what, the latest first.
async fn deeds(site: &TestApp) -> Vec<(String, String, u64)> {
    let audit = site.api_get("/api/v1/audit").await.json();
    let told = |deed: &Value| {
        let text = |name: &str| deed[name].as_str().unwrap_or_default().to_owned();
        (text("by"), text("action"), deed["status"].as_u64().unwrap_or_default())
    };
    audit["items"].as_array().unwrap().iter().map(told).collect()
}

#[tokio::test]
async fn somebody_is_added_and_chooses_their_password_by_a_link_that_works_once() {
    let site = TestApp::new().await;
    let admin = site.signed_in(AccessRole::Admin).await;
    let slip = admin
        .send("/users", "/users", &[("name", "b b"), ("role", "operator")])
        .await;
    let text = slip.text();
    assert_eq!(slip.status, 422);
    for part in ["value=\"b b\"", "<option selected>operator</option>", "class=\"wrong\""] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let added = admin
        .send("/users", "/users", &[("name", "bob"), ("role", "operator")])
        .await
        .text();
    assert!(
        added.contains("A link for bob") && added.contains("not chosen yet"),
        "{added}"
    );
    assert!(
        !admin.get("/users").await.text().contains("tb_setup_"),
        "it is shown once"
    );
    let again = admin
        .send("/users", "/users", &[("name", "bob"), ("role", "viewer")])
        .await;
    assert_eq!(again.status, 409, "{}", again.text());

    let link = link(&added);
    let (bob, late) = (site.browser(), site.browser());
    let late_form = form_token(&late.get(&link).await.text());
    let short = bob
        .send(&link, &link, &[("password", "short"), ("again", "short")])
        .await;
    assert!(
        short.status == 422 && short.text().contains("at least 12"),
        "{}",
        short.text()
    );
    let other = bob.send(&link, &link, &[("password", PASSWORD), ("again", "x")]).await;
    assert!(other.text().contains("not the same"), "{}", other.text());
    let chosen = bob
        .send(&link, &link, &[("password", PASSWORD), ("again", PASSWORD)])
        .await;
    assert_eq!(chosen.header("location"), "/?done=chosen");
    assert!(bob.get("/").await.text().contains(">bob</a>"));
    assert_eq!(late.get(&link).await.status, 404);
    let other = "another+horse+battery";
    let late_form = format!("form={late_form}&password={other}&again={other}");
    assert_eq!(late.post(&link, &late_form, &[]).await.status, 404);
    assert_eq!(
        late.sign_in("bob", "another horse battery").await.status,
        401,
        "it was chosen already"
    );
    assert_eq!(site.browser().sign_in("bob", PASSWORD).await.status, 303);
    let deeds = deeds(&site).await;
    for deed in [
        ("user:some-admin", "create_user", 201),
        ("user:some-admin", "create_user_link", 200),
        ("user:bob", "follow_user_link", 200),
    ] {
        let deed = (deed.0.to_owned(), deed.1.to_owned(), deed.2);
        assert!(deeds.contains(&deed), "{deed:?}: {deeds:?}");
    }
}

#[tokio::test]
async fn a_lost_password_is_chosen_anew_and_everybody_else_is_signed_out() {
    let site = TestApp::new().await;
    let (admin, viewer) = (
        site.signed_in(AccessRole::Admin).await,
        site.signed_in(AccessRole::Viewer).await,
    );
    let made = admin.send("/users", "/users/some-viewer/link", &[]).await.text();
    assert_eq!(
        viewer.get("/").await.status,
        200,
        "nothing changes before it is followed"
    );
    let link = link(&made);
    let new = "another horse battery";
    let browser = site.browser();
    browser.send(&link, &link, &[("password", new), ("again", new)]).await;
    assert_eq!(viewer.get("/").await.status, 303);
    assert_eq!(viewer.sign_in("some-viewer", PASSWORD).await.status, 401);
    assert_eq!(viewer.sign_in("some-viewer", new).await.status, 303);
}

#[tokio::test]
async fn a_role_counts_at_once_and_who_is_removed_is_out() {
    let site = TestApp::new().await;
    let (admin, viewer) = (
        site.signed_in(AccessRole::Admin).await,
        site.signed_in(AccessRole::Viewer).await,
    );
    assert_eq!(viewer.get("/users").await.status, 403);
    assert!(!viewer.get("/").await.text().contains("href=\"/users\""));
    let set = admin
        .send("/users", "/users/some-viewer/role", &[("role", "admin")])
        .await;
    assert_eq!(set.header("location"), "/users?done=role");
    let theirs = viewer.get("/users").await;
    assert_eq!(theirs.status, 200);
    let form = form_token(&theirs.text());
    let lowered = admin
        .send("/users", "/users/some-viewer/role", &[("role", "operator")])
        .await;
    assert_eq!(lowered.header("location"), "/users?done=role");
    assert_eq!(viewer.get("/users").await.status, 403);
    let add = format!("form={form}&name=eve&role=admin");
    assert_eq!(viewer.post("/users", &add, &[]).await.status, 403);
    assert!(!admin.get("/users").await.text().contains("user-eve"));
    let removed = admin.send("/users", "/users/some-viewer/remove", &[]).await;
    assert_eq!(removed.header("location"), "/users?done=remove");
    assert_eq!(viewer.get("/").await.status, 303);
}

#[tokio::test]
async fn a_role_that_was_not_set_stays_chosen_in_its_row() {
    let site = TestApp::new().await;
    let admin = site.signed_in(AccessRole::Admin).await;
    site.signed_in(AccessRole::Viewer).await;
    let refused = admin
        .send("/users", "/users/some-viewer/role", &[("role", "root")])
        .await;
    assert_eq!(refused.status, 422);
    let page = refused.text();
    let (before, row) = page.split_once("id=\"user-some-viewer\"").unwrap();
    let (row, after) = row.split_once("</tr>").unwrap();
    assert!(row.contains("<details class=\"action\" open>"), "{row}");
    assert!(row.contains("class=\"wrong\" role=\"alert\""), "{row}");
    assert!(row.contains("<option selected>viewer</option>"), "{row}");
    assert!(
        !before.contains("role=\"alert\"") && !after.contains("role=\"alert\""),
        "{page}"
    );
}

#[tokio::test]
async fn nobody_takes_their_own_right_away() {
    let site = TestApp::new().await;
    let admin = site.signed_in(AccessRole::Admin).await;
    let page = admin.get("/users").await.text();
    assert!(page.contains(">you<") && !page.contains("/users/some-admin/"), "{page}");
    let token = form_token(&page);
    for (deed, more) in [("remove", ""), ("role", "&role=viewer"), ("link", "")] {
        let path = format!("/users/some-admin/{deed}");
        let refused = admin.post(&path, &format!("form={token}{more}"), &[]).await;
        assert!(
            refused.status == 409 && refused.text().contains("this is yourself"),
            "{}",
            refused.text()
        );
    }
    assert_eq!(admin.get("/users").await.status, 200);
}

#[tokio::test]
async fn the_set_up_link_stays_until_somebody_can_sign_in() {
    let site = TestApp::new().await;
    let file = site.path("data/set-up-link");
    let set_up = std::fs::read_to_string(&file).unwrap();
    let set_up = set_up.trim().strip_prefix("http://control.test").unwrap();
    let bob = serde_json::json!({"name": "bob", "role": "viewer"});
    assert_eq!(site.api_post("/api/v1/users", &bob).await.status, 201);
    let ann = site.browser();
    assert_eq!(ann.get(set_up).await.status, 200, "bob cannot sign in yet");
    assert!(ann.get("/sign-in").await.text().contains("Follow the set-up link"));
    let fields = [("name", "bob"), ("password", PASSWORD), ("again", PASSWORD)];
    let taken = ann.send(set_up, set_up, &fields).await;
    assert_eq!(taken.status, 409, "{}", taken.text());

    let made = site.api_post("/api/v1/users/bob/link", &serde_json::json!({})).await;
    let link = made.json()["path"].as_str().unwrap().to_owned();
    let fields = [("password", PASSWORD), ("again", PASSWORD)];
    assert_eq!(site.browser().send(&link, &link, &fields).await.status, 303);
    assert_eq!(ann.get(set_up).await.status, 404);
    assert!(!file.exists(), "somebody can sign in");
    assert!(!ann.get("/sign-in").await.text().contains("Follow the set-up link"));
}

#[tokio::test]
async fn a_store_that_is_down_is_no_mistake_of_who_begins() {
    let site = TestApp::new().await;
    let set_up = std::fs::read_to_string(site.path("data/set-up-link")).unwrap();
    let set_up = set_up.trim().strip_prefix("http://control.test").unwrap();
    let ann = site.browser();
    let form = form_token(&ann.get(set_up).await.text());
    site.app.store.close().await;
    let password = PASSWORD.replace(' ', "+");
    let body = format!("form={form}&name=ann&password={password}&again={password}");
    let down = ann.post(set_up, &body, &[]).await;
    assert_eq!(down.status, 503, "{}", down.text());
    assert!(down.text().contains("value=\"ann\""), "{}", down.text());
}

#[tokio::test]
async fn what_people_do_about_themselves_is_in_the_audit() {
    let site = TestApp::new().await;
    let file = std::fs::read_to_string(site.path("data/set-up-link")).unwrap();
    let link = file.trim().strip_prefix("http://control.test").unwrap();
    let ann = site.browser();
    let fields = [("name", "ann"), ("password", PASSWORD), ("again", PASSWORD)];
    ann.send(link, link, &fields).await;
    let new = "another horse battery";
    let fields = [("present", PASSWORD), ("password", new), ("again", new)];
    ann.send("/account", "/account", &fields).await;
    let deed = |action: &str, status| ("user:ann".to_owned(), action.to_owned(), status);
    let expected = [
        deed("set_own_password", 200),
        deed("sign_in", 200),
        deed("create_first_user", 201),
    ];
    assert_eq!(deeds(&site).await, expected);
}
