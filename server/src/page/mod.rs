//! The admin page: what people see of the control plane in a browser.
//!
//! Pages decide nothing. Each is a client of `/api/v1` in the same process: it asks the very routes that programs ask, as
//! the person who is signed in, so that roles, refusals and the audit are those of the API. Everything works without
//! JavaScript; what there is of it only asks for the page again when something happened.

mod assets;
mod audit;
mod clusters;
mod config;
mod desk;
mod door;
mod fleet;
mod form;
mod frame;
mod host;
mod links;
mod live;
mod looks;
mod machines;
mod reboots;
mod show;
mod statics;
#[cfg(test)]
mod stories;
mod templates;
mod users;
mod visitor;
mod words;

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use axum::Router;
use axum::extract::FromRef;
use axum::middleware::from_fn;
use axum::routing::{get, post};

use crate::problem::wrong_method;
use crate::{App, api};
use looks::Looks;

/// What the pages' handlers share.
#[derive(Clone)]
pub(crate) struct Pages {
    app: App,
    /// The API without its listener: pages ask it from inside.
    api: Router,
    looks: Arc<Looks>,
    /// How many pages are told of what happens.
    open: Arc<AtomicU32>,
}

impl FromRef<Pages> for App {
    fn from_ref(pages: &Pages) -> Self {
        pages.app.clone()
    }
}

/// The control plane: the API, and the pages beside it.
pub(crate) fn control_plane(app: App) -> Router {
    let api = api::router(app.clone());
    let pages = Pages {
        app,
        api: api.clone(),
        looks: Arc::default(),
        open: Arc::default(),
    };
    api.merge(routes(pages.clone()))
        .layer(axum::middleware::from_fn_with_state(pages, frame::dress_lost))
}

fn routes(pages: Pages) -> Router {
    Router::new()
        .route("/", get(fleet::show))
        .route("/hosts/{name}", get(host::show))
        .route("/hosts/{name}/events", get(host::log))
        .route("/hosts/{name}/config/{document}", get(config::show))
        .route("/hosts/{name}/difference", get(config::difference))
        .route("/hosts/{name}/boot-url", post(host::boot_url))
        .route("/hosts/{name}/{action}", post(host::act))
        .route("/unknown", get(machines::list))
        .route("/unknown/{id}", get(machines::show).post(machines::adopt))
        .route("/unknown/{id}/dismiss", post(machines::dismiss))
        .route("/clusters", get(clusters::list))
        .route("/clusters/{name}", get(clusters::show))
        .route("/clusters/{name}/kubeconfig", post(clusters::kubeconfig))
        .route("/reboots", get(reboots::show))
        .route("/reboots/{name}/release", post(reboots::release))
        .route("/templates", get(templates::list))
        .route("/templates/new", get(templates::new).post(templates::create))
        .route("/templates/{name}", get(templates::edit).post(templates::save))
        .route("/templates/{name}/delete", post(templates::delete))
        .route("/templates/{name}/versions/{version}", get(templates::version))
        .route("/templates/{name}/difference", get(templates::difference))
        .route("/assets", get(assets::show))
        .route("/assets/pull", post(assets::pull))
        .route("/assets/pulls/{id}/cancel", post(assets::cancel))
        .route("/audit", get(audit::show))
        .route("/users", get(users::list).post(users::add))
        .route("/users/{name}/link", post(users::link))
        .route("/users/{name}/role", post(users::role))
        .route("/users/{name}/remove", post(users::remove))
        .route("/live", get(live::stream))
        .route("/sign-in", get(door::show).post(door::sign_in))
        .route("/sign-out", post(door::sign_out))
        .route("/account", get(door::account).post(door::change_password))
        .route("/set-up/{link}", get(door::set_up).post(door::begin))
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn(frame::guard))
        .route("/static/{file}", get(statics::serve))
        .with_state(pages)
}
