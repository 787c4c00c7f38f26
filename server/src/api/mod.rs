//! The control plane: what people and programs do, under `/api/v1`.

mod actions;
mod arm;
mod auth;
mod beside;
mod comparing;
mod describe;
mod events;
mod health;
mod host_diff;
mod hosts;
mod openapi;
mod preview;
mod query;
mod redacting;
mod rendering;
mod repositories;
mod roles;
mod templates;
mod unknown;
mod view;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use auth::{new_token, token_sha256};

use crate::App;
use crate::problem::{unknown_path, wrong_method};

/// The routes of the control plane.
pub fn router(app: App) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

/// Every operation: `routes!` takes path, method and documentation from the handler's own annotation.
fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(openapi::show))
        .routes(routes!(hosts::list, hosts::create))
        .routes(routes!(hosts::show))
        .routes(routes!(arm::arm))
        .routes(routes!(actions::cancel))
        .routes(routes!(actions::hold))
        .routes(routes!(actions::release))
        .routes(routes!(actions::boot_url))
        .routes(routes!(events::list))
        .routes(routes!(unknown::list))
        .routes(routes!(repositories::list))
        .routes(routes!(repositories::show, repositories::put, repositories::remove))
        .routes(routes!(roles::list))
        .routes(routes!(roles::show, roles::put))
        .routes(routes!(preview::show, preview::try_template))
        .routes(routes!(host_diff::show))
        .routes(routes!(templates::list))
        .routes(routes!(templates::show, templates::save, templates::delete))
        .routes(routes!(templates::validate))
        .routes(routes!(templates::versions))
        .routes(routes!(templates::version))
        .routes(routes!(templates::diff))
}
