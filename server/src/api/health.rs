//! Whether the server lives, and whether it can answer.

use axum::extract::State;
use thirdboot_api::ProblemType;

use crate::App;
use crate::problem::{Answer, Failure};

/// The process answers.
#[utoipa::path(
    get, path = "/healthz", tag = "service", operation_id = "healthz", security(()),
    responses((status = 200, description = "`ok`", body = String, content_type = "text/plain")),
)]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The store can be read and written, and the server is not about to stop.
#[utoipa::path(
    get, path = "/readyz", tag = "service", operation_id = "readyz", security(()),
    responses((status = 200, description = "`ready`", body = String, content_type = "text/plain")),
    extensions(("x-problems" = json!(["unavailable"]))),
)]
pub(super) async fn readyz(State(app): State<App>) -> Answer<&'static str> {
    if app.stopping.has_begun() {
        return Err(Failure::new(ProblemType::Unavailable, "the server is stopping"));
    }
    app.store.ping().await?;
    Ok("ready\n")
}
