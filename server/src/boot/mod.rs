//! The boot plane: what hosts ask and say. PROTOCOL (docs/boot-protocol.md) binds every answer here.

mod asking;
mod assets;
mod bearer;
mod body;
mod claim;
mod facts;
mod fetched;
mod ignition;
mod join;
mod joined;
mod mirror;
mod opened;
mod repeats;
mod report;
mod script;
mod sending;
mod transport;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

pub(crate) use asking::{Peer, Source};
pub(crate) use bearer::token as bearer_token;
pub(crate) use body::bytes;
pub(crate) use body::{Json, LargeJson};
pub use opened::OpenDocuments;
pub(crate) use opened::assets as manifest_of_run;
pub use repeats::Repeats;
pub(crate) use transport::Transport;

use crate::App;
use crate::fleetlock::{pre_reboot, steady_state};
use crate::problem::{unknown_path, wrong_method};

/// The routes of the boot plane.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/boot.ipxe", get(script::boot))
        .route("/ipxe", get(script::by_address))
        .route("/ipxe/{secret}", get(script::by_key))
        .route("/ignition/{secret}/pointer.cpio", get(ignition::cpio))
        .route("/ignition/{secret}/pointer.ign", get(ignition::json))
        .route("/ignition/{secret}/live.ign", get(ignition::live))
        .route("/assets/{secret}/{file}", get(assets::asset))
        .route("/streams/{file}", get(mirror::stream))
        .route("/mirror/{arch}/{version}/{file}", get(mirror::file))
        .route("/files/{name}", get(mirror::extra))
        .route("/join/{secret}/{file}", get(joined::file))
        .route("/fleetlock/{secret}/v1/pre-reboot", post(pre_reboot))
        .route("/fleetlock/{secret}/v1/steady-state", post(steady_state))
        .route("/v1/claim", post(claim::claim))
        .route("/v1/report", post(report::report))
        .route("/v1/join", post(join::join))
        .route("/v1/cluster", post(join::cluster))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        // The bodies' own extractor limits them, so that its refusal is a problem document.
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}
