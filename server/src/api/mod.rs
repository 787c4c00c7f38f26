//! The control plane: what people and programs do, under `/api/v1`.

mod actions;
mod arm;
mod auth;
mod describe;
mod events;
mod health;
mod hosts;
mod query;
mod unknown;
mod view;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

pub use auth::{new_token, token_sha256};

use crate::App;
use crate::problem::{unknown_path, wrong_method};

/// The routes of the control plane.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/api/v1/hosts", get(hosts::list).post(hosts::create))
        .route("/api/v1/hosts/{name}", get(hosts::show))
        .route("/api/v1/hosts/{name}/arm", post(arm::arm))
        .route("/api/v1/hosts/{name}/cancel", post(actions::cancel))
        .route("/api/v1/hosts/{name}/hold", post(actions::hold))
        .route("/api/v1/hosts/{name}/release", post(actions::release))
        .route("/api/v1/hosts/{name}/boot-url", get(actions::boot_url))
        .route("/api/v1/hosts/{name}/events", get(events::list))
        .route("/api/v1/unknown-machines", get(unknown::list))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}
