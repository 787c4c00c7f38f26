//! Who did what, for admins.

use axum::Json as Answered;
use axum::extract::State;
use thirdboot_api::control::{AuditView, Page};
use thirdboot_store::{AuditFilter, Audited};

use super::auth::Admin;
use super::query::Query;
use super::tokens::shown;
use crate::App;
use crate::problem::Answer;

/// Lists every change and every read of a secret, the latest first.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "access", operation_id = "list_audit", security(("token" = ["admin"])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Rows of a part; 100 when left out"),
        ("cursor" = Option<u64>, Query, description = "`next_cursor` of the part before"),
        ("by" = Option<String>, Query, description = "Of this token only"),
        ("action" = Option<String>, Query, description = "Of this operation only, by its `operationId`"),
        ("target" = Option<String>, Query, description = "To this only, by its path below `/api/v1/`"),
        ("since" = Option<jiff::Timestamp>, Query, description = "Not older than this"),
        ("until" = Option<jiff::Timestamp>, Query, description = "Older than this"),
    ),
    responses((status = 200, description = "A part of the audit", body = Page<AuditView>)),
)]
pub(super) async fn list(State(app): State<App>, _: Admin, query: Query) -> Answer<Answered<Page<AuditView>>> {
    let query = query.only(&["limit", "cursor", "by", "action", "target", "since", "until"])?;
    let filter = AuditFilter {
        caller: query.get("by")?,
        action: query.get("action")?,
        target: query.get("target")?,
        since: query.get("since")?,
        until: query.get("until")?,
        before: query.get("cursor")?,
        limit: query.limit()?,
    };
    let page = app.store.audited(&filter).await?;
    let last = page.items.last().map(|line| line.number.to_string());
    Ok(Answered(Page {
        items: page.items.into_iter().map(view).collect(),
        next_cursor: last.filter(|_| page.more),
    }))
}

fn view(line: Audited) -> AuditView {
    let deed = line.deed;
    AuditView {
        id: line.number,
        at: line.at,
        by: deed.caller,
        role: shown(deed.role),
        from: deed.source,
        action: deed.action,
        target: deed.target,
        status: deed.status,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::TestApp;

    /// Action, target and status of every line, the latest first.
    async fn lines(site: &TestApp, query: &str) -> Vec<(String, String, u64)> {
        let list = site.api_get(&format!("/api/v1/audit?{query}")).await.json();
        let text = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
        let items = list["items"].as_array().unwrap();
        items
            .iter()
            .map(|line| {
                let status = line["status"].as_u64().unwrap();
                (text(line, "action"), text(line, "target"), status)
            })
            .collect()
    }

    fn line(action: &str, target: &str, status: u64) -> (String, String, u64) {
        (action.to_owned(), target.to_owned(), status)
    }

    #[tokio::test]
    async fn every_change_and_every_read_of_a_secret_is_written_down() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        site.api_post("/api/v1/hosts/a1/arm", &json!({"confirm": "b1"})).await;
        site.api_get("/api/v1/hosts/a1").await;
        site.api_get("/api/v1/hosts/a1/boot-url").await;
        site.api_post("/api/v1/nothing", &json!({})).await;
        let expected = [
            line("get_boot_url", "hosts/a1/boot-url", 200),
            line("arm_host", "hosts/a1/arm", 422),
            line("create_host", "hosts/a1", 201),
        ];
        assert_eq!(lines(&site, "").await, expected);
        let first = &site.api_get("/api/v1/audit?limit=1").await.json();
        let shown = &first["items"][0];
        assert_eq!((&shown["by"], &shown["role"]), (&json!("admin"), &json!("admin")));
        assert_eq!(
            (&shown["from"], &shown["at"]),
            (&json!("127.0.0.1"), &json!(site.app.store.now().to_string()))
        );
        let cursor = first["next_cursor"].as_str().unwrap();
        assert_eq!(lines(&site, &format!("cursor={cursor}")).await, expected[1..]);
    }

    #[tokio::test]
    async fn the_audit_is_searched_by_what_one_remembers() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        let ci = site.token_of("ci", thirdboot_store::AccessRole::Viewer).await;
        let body = axum::body::Body::from(json!({"reason": "x"}).to_string());
        site.api_as(&ci, axum::http::Method::POST, "/api/v1/hosts/a1/hold", body)
            .await;
        let refused = [line("hold_host", "hosts/a1/hold", 403)];
        for query in [
            "by=ci",
            "action=hold_host",
            "target=hosts/a1/hold",
            "by=ci&action=hold_host",
        ] {
            assert_eq!(lines(&site, query).await, refused, "{query}");
        }
        site.wait(10);
        let later = site.app.store.now();
        assert_eq!(lines(&site, &format!("since={later}")).await, []);
        assert_eq!(lines(&site, &format!("until={later}")).await.len(), 2);
        for (query, field) in [("since=yesterday", "since"), ("cursor=x", "cursor"), ("who=ci", "who")] {
            let problem = site.api_get(&format!("/api/v1/audit?{query}")).await.problem();
            assert_eq!((problem.0, problem.2.as_str()), (422, field));
        }
    }

    #[tokio::test]
    async fn no_secret_is_handed_out_that_cannot_be_written_down() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        site.app.store.close().await;
        let reply = site.api_get("/api/v1/hosts/a1/boot-url").await;
        assert_eq!(reply.problem().0, 503);
    }
}
