//! Whether the server lives, and whether it can answer.

use axum::extract::State;

use crate::App;
use crate::problem::Answer;

/// The process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The store can be read and written.
pub(super) async fn readyz(State(app): State<App>) -> Answer<&'static str> {
    app.store.ping().await?;
    Ok("ready\n")
}
