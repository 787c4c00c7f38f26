//! The control plane: what people and programs do, under `/api/v1`.

mod actions;
mod alerts;
mod arm;
mod assets;
mod audit;
mod auth;
mod beside;
mod cluster_acts;
mod cluster_view;
mod clusters;
mod comparing;
mod deadlines;
mod describe;
mod events;
mod filter;
mod fitting;
mod health;
mod host_diff;
mod hosts;
mod import;
mod joinable;
mod lifetime;
mod locks;
mod metrics;
mod observed;
mod once;
mod openapi;
#[cfg(test)]
mod permissions;
mod power;
mod preview;
mod query;
mod redacting;
mod rendering;
mod repositories;
mod roles;
mod runs;
#[cfg(test)]
mod secrecy;
mod stream;
mod templates;
mod tokens;
mod trail;
mod unknown;
mod update;
mod users;
mod uses;
mod version;
mod view;
mod wait;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use actions::boot_url_of;
pub(crate) use auth::Caller;
pub use auth::{new_token, token_sha256};
pub use metrics::LastCensus;
#[cfg(test)]
pub(crate) use openapi::{document, operation_ids};
pub(crate) use users::create_first as create_first_user;
pub use uses::TokenUses;

use crate::App;
use crate::problem::{unknown_path, wrong_method};

/// The routes of the control plane.
pub fn router(app: App) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .route_layer(from_fn_with_state(app.clone(), trail::keep))
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
        .routes(routes!(metrics::metrics))
        .routes(routes!(openapi::show))
        .routes(routes!(hosts::list, hosts::create))
        .routes(routes!(hosts::counts))
        .routes(routes!(hosts::show, update::replace, update::patch, lifetime::remove))
        .routes(routes!(arm::arm))
        .routes(routes!(actions::cancel))
        .routes(routes!(actions::hold))
        .routes(routes!(actions::release))
        .routes(routes!(actions::boot_url))
        .routes(routes!(lifetime::retire))
        .routes(routes!(lifetime::unretire))
        .routes(routes!(lifetime::rotate_key))
        .routes(routes!(events::list))
        .routes(routes!(unknown::list))
        .routes(routes!(clusters::list, clusters::create))
        .routes(routes!(clusters::show, clusters::update, clusters::delete))
        .routes(routes!(cluster_acts::kubeconfig, cluster_acts::set_kubeconfig))
        .routes(routes!(cluster_acts::move_right))
        .routes(routes!(cluster_acts::rotate_token))
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
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(tokens::whoami))
        .routes(routes!(audit::list))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::remove))
        .routes(routes!(users::set_password))
        .routes(routes!(users::set_role))
        .routes(routes!(users::link))
        .routes(routes!(locks::list))
        .routes(routes!(locks::show, locks::put, locks::reset))
        .routes(routes!(locks::release))
        .merge(watching())
}

/// What those who watch a fleet ask for.
fn watching() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(alerts::list))
        .routes(routes!(events::list_all))
        .routes(routes!(stream::all))
        .routes(routes!(stream::of_host))
        .routes(routes!(import::import))
        .routes(routes!(runs::boots))
        .routes(routes!(runs::list))
        .routes(routes!(runs::show))
        .routes(routes!(observed::show))
        .routes(routes!(wait::wait))
        .routes(routes!(deadlines::show, deadlines::change))
        .routes(routes!(unknown::dismiss))
        .routes(routes!(unknown::adopt))
        .routes(routes!(assets::list))
        .routes(routes!(assets::pulls, assets::pull))
        .routes(routes!(assets::show, assets::cancel))
        .routes(routes!(assets::add))
        .routes(routes!(assets::put, assets::remove))
        .routes(routes!(assets::remove_version))
}
