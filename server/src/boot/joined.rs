//! `GET /join/{join secret}/{file}`: what a join names to be fetched. The secret is of the run and in no script or
//! config; it serves from the proven network to the end of the run.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use thirdboot_lifecycle::Stage;
use thirdboot_store::HostState;

use super::mirror::unreadable;
use super::sending::{Wanted, send};
use crate::App;
use crate::cluster::K3S;
use crate::path::Path;
use crate::problem::{Answer, Failure};
use crate::secrets::Purpose;

pub(super) async fn file(
    State(app): State<App>,
    Path((secret, name)): Path<(String, String)>,
    wanted: Wanted,
) -> Answer {
    let state = bearer(&app, &secret).await?;
    let cluster = state.host.cluster.as_ref().ok_or_else(Failure::not_found)?;
    let kept = app.store.cluster(cluster).await?.ok_or_else(Failure::not_found)?;
    let spec = &kept.cluster.spec;
    if name == K3S {
        let binary = spec.k3s.binaries.get(&state.host.arch).ok_or_else(Failure::not_found)?;
        let opened = app.assets.k3s(state.host.arch, &spec.k3s.version, &binary.sha256).await;
        let verified = opened.map_err(unreadable)?;
        return Ok(send(verified, wanted, None, &app.metrics).await);
    }
    let text = spec.manifests.get(&name).ok_or_else(Failure::not_found)?;
    Ok(Response::new(Body::from(text.clone())))
}

/// Whose join it is. A run that has ended fetches nothing.
async fn bearer(app: &App, secret: &str) -> Result<HostState, Failure> {
    let opened = app.secrets.open(Purpose::Join, secret).ok_or_else(Failure::not_found)?;
    let state = app
        .store
        .host_by_id(opened.host)
        .await?
        .ok_or_else(Failure::not_found)?;
    let is_current = state.run.as_ref().is_some_and(|run| {
        run.number == opened.run
            && run.key_generation == opened.generation
            && opened.fits_run_armed_at(run.permit.issued_at)
            && matches!(run.stage, Stage::Networked | Stage::Joining)
    });
    if is_current {
        Ok(state)
    } else {
        Err(Failure::not_found())
    }
}
