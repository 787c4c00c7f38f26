//! In and out, and what nobody else can have people do.

use axum::body::Body;
use axum::http::Method;
use thirdboot_store::AccessRole;

use super::super::frame::CONTENT_SECURITY_POLICY;
use crate::testing::{PASSWORD, TestApp, form_token};

/// Pages that nobody sees who is not signed in.
const PAGES: [&str; 10] = [
    "/",
    "/account",
    "/unknown",
    "/clusters",
    "/templates",
    "/templates/new",
    "/assets",
    "/users",
    "/audit",
    "/audit?by=nobody",
];

#[tokio::test]
async fn the_first_admin_follows_the_set_up_link_and_nobody_after_them() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = TestApp::new().await;
    let file = site.path("data/set-up-link");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let link = std::fs::read_to_string(&file).unwrap();
    let path = link.trim().strip_prefix("http://control.test").unwrap();
    let (first, late) = (site.browser(), site.browser());
    assert!(first.get("/sign-in").await.text().contains("Follow the set-up link"));

    let short = first
        .send(
            path,
            path,
            &[("name", "ann"), ("password", "short"), ("again", "short")],
        )
        .await;
    assert_eq!(short.status, 422);
    assert!(short.text().contains("at least 12 characters") && short.text().contains("value=\"ann\""));
    late.get(path).await;

    let fields = [("name", "ann"), ("password", PASSWORD), ("again", PASSWORD)];
    let made = first.send(path, path, &fields).await;
    assert_eq!((made.status.as_u16(), made.header("location")), (303, "/?done=welcome"));
    let fleet = first.get("/?done=welcome").await.text();
    assert!(
        fleet.contains("You are the first admin") && fleet.contains(">ann</a>"),
        "{fleet}"
    );

    assert!(!file.exists());
    assert_eq!(late.get(path).await.status, 404);
    let site = site.restarted().await;
    assert!(!file.exists());
    assert_eq!(site.browser().sign_in("ann", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn who_is_not_signed_in_is_sent_to_the_door_and_back() {
    let site = TestApp::new().await;
    site.signed_in(AccessRole::Viewer).await;
    let browser = site.browser();
    let sent = browser.get("/?q=a+b").await;
    assert_eq!(
        (sent.status.as_u16(), sent.header("location")),
        (303, "/sign-in?next=%2F%3Fq%3Da%2Bb")
    );
    let door = "/sign-in?next=%2F%3Fq%3Da%2Bb";
    let entered = browser
        .send(door, "/sign-in", &[("name", "some-viewer"), ("password", PASSWORD)])
        .await;
    assert_eq!((entered.status.as_u16(), entered.header("location")), (303, "/?q=a+b"));
    let kept = entered.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "thirdboot=tb_page_"] {
        assert!(kept.contains(part), "{kept}");
    }
    assert!(!kept.contains("Secure"), "the test speaks in the open: {kept}");
    assert_eq!(browser.get("/").await.status, 200);
    let out = browser.send("/", "/sign-out", &[]).await;
    assert_eq!(out.header("location"), "/sign-in");
    assert_eq!(browser.get("/").await.status, 303);
}

#[tokio::test]
async fn over_tls_the_cookie_is_for_tls_alone() {
    let site = TestApp::with(|options| options.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()]).await;
    site.signed_in(AccessRole::Viewer).await;
    let browser = site.browser();
    let page = browser
        .ask(
            Method::GET,
            "/sign-in",
            &[("x-forwarded-proto", "https")],
            Body::empty(),
        )
        .await
        .text();
    let token = form_token(&page);
    let body = format!("form={token}&name=some-viewer&password={}", PASSWORD.replace(' ', "+"));
    let entered = browser.post("/sign-in", &body, &[("x-forwarded-proto", "https")]).await;
    let kept = entered.header("set-cookie");
    assert!(
        kept.starts_with("__Host-thirdboot=tb_page_") && kept.contains("; Secure"),
        "{kept}"
    );
}

#[tokio::test]
async fn a_wrong_password_keeps_the_name_and_says_no_more_than_that() {
    let site = TestApp::new().await;
    site.signed_in(AccessRole::Viewer).await;
    let browser = site.browser();
    let wrong = browser.sign_in("some-viewer", "not the password").await;
    let nobody = browser.sign_in("some-body", "not the password").await;
    for (reply, name) in [(&wrong, "some-viewer"), (&nobody, "some-body")] {
        assert_eq!(reply.status, 401);
        let text = reply.text();
        assert!(
            text.contains("do not belong together") && text.contains(&format!("value=\"{name}\"")),
            "{text}"
        );
        assert!(!text.contains("not the password"), "{text}");
    }
    let audit = site.api_get("/api/v1/audit?action=sign_in").await.json();
    let noted: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|deed| (&deed["by"], &deed["status"]))
        .collect();
    let by = |name: &str| serde_json::Value::from(format!("user:{name}"));
    let (viewer, nobody) = (by("some-viewer"), by("-"));
    assert_eq!(
        noted,
        [(&nobody, &401.into()), (&viewer, &401.into()), (&viewer, &200.into())]
    );
}

#[tokio::test]
async fn guesses_are_limited_and_time_gives_them_back() {
    let site = TestApp::new().await;
    site.signed_in(AccessRole::Viewer).await;
    let browser = site.browser();
    for _ in 0..5 {
        assert_eq!(browser.sign_in("some-viewer", "not the password").await.status, 401);
    }
    let over = browser.sign_in("some-viewer", PASSWORD).await;
    assert_eq!(over.status, 429);
    assert!(over.text().contains("Try again in 5 min"), "{}", over.text());
    site.wait(5);
    assert_eq!(browser.sign_in("some-viewer", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn a_form_that_is_not_ours_does_nothing() {
    let site = TestApp::new().await;
    let browser = site.signed_in(AccessRole::Admin).await;
    let token = form_token(&browser.get("/").await.text());
    let ours = format!("form={token}");
    for (body, headers) in [
        ("", &[][..]),
        ("form=0123456789abcdef0123456789abcdef", &[]),
        (&ours, &[("origin", "https://evil.example")]),
        (&ours, &[("origin", "null")]),
        (&ours, &[("sec-fetch-site", "cross-site")]),
        (&ours, &[("sec-fetch-site", "same-site")]),
    ] {
        let refused = browser.post("/sign-out", body, headers).await;
        assert_eq!(refused.status, 403, "{body} {headers:?}");
        assert!(refused.text().contains("did not come from a page of yours"));
        assert_eq!(browser.get("/").await.status, 200, "still signed in");
    }
    let door = site.browser();
    door.get("/sign-in").await;
    let body = format!("name=some-admin&password={PASSWORD}");
    assert_eq!(
        door.post("/sign-in", &body, &[]).await.status,
        403,
        "nobody is signed in behind their back"
    );
    assert_eq!(
        browser
            .post("/sign-out", &ours, &[("origin", "http://control.test")])
            .await
            .status,
        303
    );
}

#[tokio::test]
async fn the_api_takes_no_cookie() {
    let site = TestApp::new().await;
    let browser = site.signed_in(AccessRole::Admin).await;
    let asked = browser.ask(Method::GET, "/api/v1/hosts", &[], Body::empty()).await;
    assert_eq!(asked.problem().0, 401);
}

#[tokio::test]
async fn every_page_keeps_others_out_and_is_kept_by_nobody() {
    let site = TestApp::new().await;
    let browser = site.signed_in(AccessRole::Admin).await;
    let all = PAGES
        .into_iter()
        .chain(["/sign-in", "/nothing/here", "/set-up/tb_setup_x"]);
    for path in all {
        let page = browser.get(path).await;
        assert_eq!(
            page.header("content-security-policy"),
            CONTENT_SECURITY_POLICY,
            "{path}"
        );
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
        let text = page.text();
        for inline in [
            "style=\"",
            "onclick",
            "<style",
            "<script>",
            "javascript:",
            "https://",
            "http://",
        ] {
            assert!(!text.contains(inline), "{path} has {inline}: {text}");
        }
    }
    assert!(!CONTENT_SECURITY_POLICY.contains("unsafe"));
}

#[tokio::test]
async fn style_and_script_are_kept_by_their_hash() {
    let site = TestApp::new().await;
    let browser = site.browser();
    let page = browser.get("/sign-in").await.text();
    let path = page
        .split("rel=\"stylesheet\" href=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let style = browser.get(path).await;
    assert_eq!(style.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    let again = [("if-none-match", style.header("etag"))];
    let again = browser.ask(Method::GET, path, &again, Body::empty()).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    assert_eq!(browser.get("/static/style.0000000000000000.css").await.status, 404);
}

#[tokio::test]
async fn who_changes_their_password_starts_anew_everywhere() {
    let site = TestApp::new().await;
    let (here, there) = (
        site.signed_in(AccessRole::Viewer).await,
        site.signed_in(AccessRole::Viewer).await,
    );
    let other = "another horse battery";
    let change = async |present, password, again| {
        let fields = [("present", present), ("password", password), ("again", again)];
        here.send("/account", "/account", &fields).await
    };
    assert!(
        change("wrong", other, other)
            .await
            .text()
            .contains("not your present password")
    );
    assert!(change(PASSWORD, other, "x").await.text().contains("not the same"));
    assert!(change(PASSWORD, "short", "short").await.text().contains("at least 12"));
    assert_eq!(
        change(PASSWORD, other, other).await.header("location"),
        "/sign-in?done=password"
    );
    assert_eq!(there.get("/").await.status, 303);
    assert_eq!(here.sign_in("some-viewer", PASSWORD).await.status, 401);
    assert_eq!(here.sign_in("some-viewer", other).await.status, 303);
}

#[tokio::test]
async fn a_session_is_over_after_half_a_day_and_with_its_user() {
    let site = TestApp::new().await;
    let browser = site.signed_in(AccessRole::Operator).await;
    site.wait(12 * 60 - 1);
    assert_eq!(browser.get("/").await.status, 200);
    site.wait(1);
    assert_eq!(browser.get("/").await.status, 303);
    let browser = site.signed_in(AccessRole::Operator).await;
    site.api_delete("/api/v1/users/some-operator").await;
    assert_eq!(browser.get("/").await.status, 303);
}

#[tokio::test]
async fn no_session_and_no_set_up_link_is_logged() {
    let (logged, _guard) = crate::testing::Logged::start();
    let site = TestApp::new().await;
    let link = std::fs::read_to_string(site.path("data/set-up-link")).unwrap();
    let secret = link.trim().rsplit_once('/').unwrap().1.to_owned();
    site.browser().get(&format!("/set-up/{secret}")).await;
    site.signed_in(AccessRole::Viewer).await.get("/").await;
    let text = logged.text();
    assert!(text.contains("signed in"), "{text}");
    for not in [secret.as_str(), "tb_page_", PASSWORD] {
        assert!(!text.contains(not), "{not}: {text}");
    }
}
