//! A host's way out, and back: retired, in service again, removed; and its keys made new.

use axum::Json as Answered;
use axum::extract::State;
use axum::http::StatusCode;
use thirdboot_api::control::{Empty, HostView};
use thirdboot_store::Submission;

use super::actions::act;
use super::auth::Operator;
use super::hosts::named;
use super::version::IfMatch;
use crate::App;
use crate::boot::Json;
use crate::path::Path;
use crate::problem::Answer;

/// Takes a host out of service: it boots its disk and cannot be armed.
///
/// Legal when no run is under way.
#[utoipa::path(
    post, path = "/api/v1/hosts/{name}/retire", tag = "hosts", operation_id = "retire_host",
    security(("token" = ["operator"])),
    params(("name" = String, Path, description = "The host's name", example = "node-1")),
    request_body = Empty,
    responses((status = 200, description = "The retired host", body = HostView)),
    extensions(("x-problems" = json!(["refused"]))),
)]
pub(super) async fn retire(
    State(app): State<App>,
    Operator(by): Operator,
    Path(name): Path<String>,
    Json(Empty {}): Json<Empty>,
) -> Answer<Answered<HostView>> {
    act(&app, &name, Submission::Retire { by }).await
}

/// Takes a retired host into service again.
#[utoipa::path(
    post, path = "/api/v1/hosts/{name}/unretire", tag = "hosts", operation_id = "unretire_host",
    security(("token" = ["operator"])),
    params(("name" = String, Path, description = "The host's name", example = "node-1")),
    request_body = Empty,
    responses((status = 200, description = "The host", body = HostView)),
    extensions(("x-problems" = json!(["refused"]))),
)]
pub(super) async fn unretire(
    State(app): State<App>,
    Operator(by): Operator,
    Path(name): Path<String>,
    Json(Empty {}): Json<Empty>,
) -> Answer<Answered<HostView>> {
    act(&app, &name, Submission::Unretire { by }).await
}

/// Makes a host's boot and lock secrets new: the old boot URL is unknown from now on.
///
/// The secrets of a run that is under way stay as they are.
#[utoipa::path(
    post, path = "/api/v1/hosts/{name}/rotate-key", tag = "hosts", operation_id = "rotate_host_key",
    security(("token" = ["operator"])),
    params(("name" = String, Path, description = "The host's name", example = "node-1")),
    request_body = Empty,
    responses((status = 200, description = "The host; read its new boot URL", body = HostView)),
    extensions(("x-problems" = json!(["refused"]))),
)]
pub(super) async fn rotate_key(
    State(app): State<App>,
    Operator(by): Operator,
    Path(name): Path<String>,
    Json(Empty {}): Json<Empty>,
) -> Answer<Answered<HostView>> {
    act(&app, &name, Submission::RotateKey { by }).await
}

/// Removes a retired host with its runs and its log. The audit keeps what was done to it.
#[utoipa::path(
    delete, path = "/api/v1/hosts/{name}", tag = "hosts", operation_id = "delete_host",
    security(("token" = ["operator"])),
    params(
        ("name" = String, Path, description = "The host's name", example = "node-1"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the host that was read; `*` for any"),
    ),
    responses((status = 204, description = "It is gone")),
    extensions(("x-problems" = json!(["refused", "precondition-failed"]))),
)]
pub(super) async fn remove(
    State(app): State<App>,
    Operator(by): Operator,
    if_match: IfMatch,
    Path(name): Path<String>,
) -> Answer<StatusCode> {
    let state = named(&app, &name).await?;
    if_match.check(&state.host, false)?;
    app.store.submit(state.id, Submission::Remove).await?;
    tracing::info!(host = %state.host.name, %by, "host removed");
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Method;
    use serde_json::json;

    use crate::testing::TestApp;

    async fn post(site: &TestApp, what: &str) -> u16 {
        let path = format!("/api/v1/hosts/a1/{what}");
        site.api_post(&path, &json!({})).await.status.as_u16()
    }

    async fn delete(site: &TestApp) -> u16 {
        let reply = site
            .api_as(&site.token, Method::DELETE, "/api/v1/hosts/a1", Body::empty())
            .await;
        reply.status.as_u16()
    }

    #[tokio::test]
    async fn a_host_goes_when_it_is_retired_and_its_name_and_cards_are_free() {
        let site = TestApp::new().await;
        let first = site.armed("a1", 1).await.id;
        assert_eq!(delete(&site).await, 409);
        assert_eq!(post(&site, "retire").await, 409, "a run is under way");
        assert_eq!(post(&site, "cancel").await, 200);
        assert_eq!(post(&site, "retire").await, 200);
        assert_eq!(post(&site, "retire").await, 409);
        assert_eq!(site.arm("a1").await.problem().0, 409);
        assert_eq!(site.script(1).await.verdict(), "# thirdboot: local host=a1");
        assert_eq!(delete(&site).await, 204);
        assert_eq!(delete(&site).await, 404);
        assert_eq!(site.script(1).await.verdict(), "# thirdboot: hold reason=unknown");
        let again = site.armed("a1", 1).await;
        assert_ne!(again.id, first);
        assert_eq!(again.run.unwrap().number.0, 1);
    }

    #[tokio::test]
    async fn a_retired_host_comes_back() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        assert_eq!(post(&site, "unretire").await, 409);
        assert_eq!(post(&site, "retire").await, 200);
        assert_eq!(post(&site, "unretire").await, 200);
        assert_eq!(site.arm("a1").await.status, 200);
    }

    #[tokio::test]
    async fn a_rotated_key_makes_the_old_boot_url_unknown() {
        let site = TestApp::new().await;
        site.host_with("a1", 1, json!({"known_by": "key"})).await;
        let read = async || {
            let url = site.api_get("/api/v1/hosts/a1/boot-url").await.json()["url"].clone();
            url.as_str().unwrap().trim_start_matches("http://boot.test").to_owned()
        };
        let old = read().await;
        assert_eq!(site.get(&old).await.status, 200);
        assert_eq!(post(&site, "rotate-key").await, 200);
        assert_eq!(site.get(&old).await.status, 404);
        assert_eq!(site.get(&read().await).await.status, 200);
    }
}
