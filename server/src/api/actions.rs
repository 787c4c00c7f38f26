//! What people do to a host beside arming it.

use axum::Json as Answered;
use axum::extract::State;
use thirdboot_api::control::{BootUrl, Empty, HoldBody, HostView};
use thirdboot_lifecycle::RunNumber;
use thirdboot_store::{HostState, Submission};

use super::auth::Operator;
use super::hosts::named;
use super::trail::Audit;
use super::view::view;
use crate::App;
use crate::boot::Json;
use crate::path::Path;
use crate::problem::{Answer, Failure};
use crate::secrets::{Purpose, redact};

/// A reason is a line for people.
const MAX_REASON_CHARS: usize = 500;

/// Ends the current run.
///
/// Before the disk was claimed nothing was touched; after it the disk is in pieces and the machine is held.
#[utoipa::path(
    post, path = "/api/v1/hosts/{name}/cancel", tag = "hosts", operation_id = "cancel_host", security(("token" = ["operator"])),
    params(("name" = String, Path, description = "The host's name", example = "node-1")),
    request_body = Empty,
    responses((status = 200, description = "The host with its cancelled run", body = HostView)),
    extensions(("x-problems" = json!(["refused", "run-over"]))),
)]
pub(super) async fn cancel(
    State(app): State<App>,
    Operator(by): Operator,
    Path(name): Path<String>,
    Json(Empty {}): Json<Empty>,
) -> Answer<Answered<HostView>> {
    act(&app, &name, Submission::Cancel { by }).await
}

/// Holds a host: its script polls and boots nothing until it is released.
#[utoipa::path(
    post, path = "/api/v1/hosts/{name}/hold", tag = "hosts", operation_id = "hold_host", security(("token" = ["operator"])),
    params(("name" = String, Path, description = "The host's name", example = "node-1")),
    request_body = HoldBody,
    responses((status = 200, description = "The held host", body = HostView)),
)]
pub(super) async fn hold(
    State(app): State<App>,
    Operator(by): Operator,
    Path(name): Path<String>,
    Json(body): Json<HoldBody>,
) -> Answer<Answered<HostView>> {
    let reason = redact(body.reason.trim()).into_owned();
    if reason.is_empty() || reason.chars().count() > MAX_REASON_CHARS || reason.contains(char::is_control) {
        let expected =
            format!("expected one line of 1 to {MAX_REASON_CHARS} characters: whoever meets the held machine reads it");
        return Err(Failure::field("reason", expected));
    }
    act(&app, &name, Submission::Hold { reason, by }).await
}

/// Releases a held or adopted host.
#[utoipa::path(
    post, path = "/api/v1/hosts/{name}/release", tag = "hosts", operation_id = "release_host", security(("token" = ["operator"])),
    params(("name" = String, Path, description = "The host's name", example = "node-1")),
    request_body = Empty,
    responses((status = 200, description = "The released host", body = HostView)),
    extensions(("x-problems" = json!(["refused"]))),
)]
pub(super) async fn release(
    State(app): State<App>,
    Operator(by): Operator,
    Path(name): Path<String>,
    Json(Empty {}): Json<Empty>,
) -> Answer<Answered<HostView>> {
    act(&app, &name, Submission::Release { by }).await
}

/// Submits it, and shows the host after it.
pub(super) async fn act(app: &App, name: &str, submission: Submission) -> Answer<Answered<HostView>> {
    let state = named(app, name).await?;
    app.store.submit(state.id, submission).await?;
    app.nudge.now();
    let state = named(app, name).await?;
    Ok(Answered(view(&state, app)))
}

/// Reads the URL that a host known by its key boots from: a secret.
#[utoipa::path(
    get, path = "/api/v1/hosts/{name}/boot-url", tag = "hosts", operation_id = "get_boot_url", security(("token" = ["operator"])),
    params(("name" = String, Path, description = "The host's name", example = "node-1")),
    responses((status = 200, description = "The URL", body = BootUrl)),
)]
pub(super) async fn boot_url(
    State(app): State<App>,
    Operator(by): Operator,
    audit: Audit,
    Path(name): Path<String>,
) -> Answer<Answered<BootUrl>> {
    let state = named(&app, &name).await?;
    audit.secret_read(&app).await?;
    tracing::info!(host = %state.host.name, %by, "boot URL read");
    Ok(Answered(BootUrl {
        url: boot_url_of(&app, &state),
    }))
}

/// What the host boots from by its key: a secret.
pub(crate) fn boot_url_of(app: &App, state: &HostState) -> String {
    let generation = state.host.key_generation;
    let secret = app.secrets.derive(Purpose::Boot, state.id, RunNumber(0), generation);
    format!("{}/ipxe/{}", app.settings.boot_url, secret.expose())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn a_hold_shows_its_reason_and_ends_with_a_release() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        let held = site
            .api_post("/api/v1/hosts/a1/hold", &json!({"reason": " fan is loud "}))
            .await
            .json();
        assert_eq!(held["hold"]["reason"], "fan is loud");
        let released = site.api_post("/api/v1/hosts/a1/release", &json!({})).await.json();
        assert_eq!(released["hold"], json!(null));
        assert_eq!(
            site.api_post("/api/v1/hosts/a1/release", &json!({})).await.problem().0,
            409
        );
        for reason in ["", " ", "two\nlines", &"x".repeat(501)] {
            let (status, _, field) = site
                .api_post("/api/v1/hosts/a1/hold", &json!({"reason": reason}))
                .await
                .problem();
            assert_eq!((status, field.as_str()), (422, "reason"));
        }
    }

    #[tokio::test]
    async fn a_cancel_ends_the_run_and_a_second_one_is_refused() {
        let site = TestApp::new().await;
        site.armed("a1", 1).await;
        let cancelled = site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await.json();
        assert_eq!(cancelled["run"]["stage"], "cancelled");
        assert_eq!(cancelled["run"]["failed"]["cause"], "cancelled by admin");
        assert_eq!(
            site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await.problem().0,
            409
        );
        site.host("a2", 2).await;
        assert_eq!(
            site.api_post("/api/v1/hosts/a2/cancel", &json!({})).await.problem().0,
            409
        );
    }
}
