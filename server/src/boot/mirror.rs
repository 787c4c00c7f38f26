//! What anybody may fetch: Fedora's stream metadata with our addresses, the mirrored files under them, and files with a
//! hash. None of it is secret, and none of it is evidence of anything.

use axum::Json as Answered;
use axum::extract::State;
use serde_json::Value;

use super::sending::{Wanted, send};
use crate::App;
use crate::assets::{AssetError, Release, stream_document};
use crate::path::Path;
use crate::problem::{Answer, Failure};

/// `GET /streams/{stream}.json`, for `coreos-installer --stream-base-url`.
pub(super) async fn stream(State(app): State<App>, Path(file): Path<String>) -> Answer<Answered<Value>> {
    let stream = file.strip_suffix(".json").ok_or_else(Failure::not_found)?;
    let releases = app.assets.releases(stream).await.map_err(unreadable)?;
    if releases.is_empty() {
        return Err(Failure::not_found());
    }
    Ok(Answered(stream_document(
        stream,
        &releases,
        app.settings.assets_url.as_str(),
    )))
}

/// `GET /mirror/{arch}/{version}/{file}`: what a stream's document names.
pub(super) async fn file(
    State(app): State<App>,
    Path((arch, version, name)): Path<(String, String, String)>,
    wanted: Wanted,
) -> Answer {
    let release: Option<Release> = app.assets.release(&arch, &version).await.map_err(unreadable)?;
    let release = release.ok_or_else(Failure::not_found)?;
    let described = release.named(&name).ok_or_else(Failure::not_found)?;
    let opened = app
        .assets
        .open_of_release(&release, described)
        .await
        .map_err(unreadable)?;
    Ok(send(opened, wanted, None, &app.metrics).await)
}

/// `GET /files/{name}`: a file with a hash.
pub(super) async fn extra(State(app): State<App>, Path(name): Path<String>, wanted: Wanted) -> Answer {
    let opened = app.assets.open_extra(&name).await.map_err(unreadable)?;
    let opened = opened.ok_or_else(Failure::not_found)?;
    Ok(send(opened, wanted, None, &app.metrics).await)
}

/// Known and not to be had now: ask again.
pub(super) fn unreadable(error: AssetError) -> Failure {
    match error {
        AssetError::Checking => Failure::unavailable("this file is being checked", "a file is being checked"),
        error => Failure::unavailable("this file cannot be served", error),
    }
}
