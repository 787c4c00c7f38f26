//! The mirror, for people and programs.

use axum::Json as Answered;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use futures_util::StreamExt as _;
use thirdboot_api::ProblemType;
use thirdboot_api::control::{AddFileBody, AssetFileView, AssetsView, Empty, Page, PullBody, PullView, VersionView};
use thirdboot_lifecycle::Arch;

use super::auth::{Operator, Viewer};
use super::query::Query;
use crate::App;
use crate::assets::{AddError, ExtraFile, NewFile, PullRequest, Version, What, discard_version, start_pull, versions};
use crate::boot::Json;
use crate::path::Path;
use crate::problem::{Answer, Failure};

/// Names of streams are words.
const MAX_STREAM_CHARS: usize = 64;

/// Shows what is in the mirror, and who needs it.
#[utoipa::path(
    get, path = "/api/v1/assets", tag = "assets", operation_id = "list_assets", security(("token" = ["viewer"])),
    responses((status = 200, description = "Versions and files", body = AssetsView)),
)]
pub(super) async fn list(State(app): State<App>, _: Viewer) -> Answer<Answered<AssetsView>> {
    let versions = versions(&app).await?;
    let files = app.assets.extra_files().await.map_err(Failure::internal)?;
    Ok(Answered(AssetsView {
        versions: versions.into_iter().map(version_view).collect(),
        files: files.into_values().map(file_view).collect(),
    }))
}

fn version_view(version: Version) -> VersionView {
    VersionView {
        version: version.manifest.version,
        arch: version.manifest.arch,
        bytes: version.bytes,
        links: version.links,
        needed_by: version.needed_by,
    }
}

fn file_view(extra: ExtraFile) -> AssetFileView {
    AssetFileView {
        name: extra.file.name,
        sha256: extra.file.sha256,
        size: extra.file.size,
        source: extra.source,
        added_at: extra.added_at,
    }
}

/// Downloads the latest version of a stream.
///
/// It goes on when nobody watches. The same asked for again while it is under way is the same pull.
#[utoipa::path(
    post, path = "/api/v1/assets/pulls", tag = "assets", operation_id = "create_pull", security(("token" = ["operator"])),
    request_body = PullBody,
    responses((status = 202, description = "The pull", body = PullView)),
)]
pub(super) async fn pull(
    State(app): State<App>,
    Operator(by): Operator,
    Json(body): Json<PullBody>,
) -> Answer<(StatusCode, Answered<PullView>)> {
    let stream = body.stream;
    let is_word = (1..=MAX_STREAM_CHARS).contains(&stream.len())
        && stream.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    if !is_word {
        return Err(Failure::field(
            "stream",
            "expected the name of a stream, such as stable",
        ));
    }
    let arch: Arch = serde_json::to_value(body.arch)
        .and_then(serde_json::from_value)
        .map_err(Failure::internal)?;
    tracing::info!(%by, %stream, arch = arch.as_str(), "pull");
    let request = PullRequest {
        stream,
        arch,
        with_image: body.image,
        switch: !body.keep_current,
    };
    let job = start_pull(&app, &What::Stream(request));
    Ok((StatusCode::ACCEPTED, Answered(job.view())))
}

/// Lists pulls, the latest first.
#[utoipa::path(
    get, path = "/api/v1/assets/pulls", tag = "assets", operation_id = "list_pulls", security(("token" = ["viewer"])),
    responses((status = 200, description = "Pulls under way and lately ended", body = Page<PullView>)),
)]
pub(super) async fn pulls(State(app): State<App>, _: Viewer) -> Answer<Answered<Page<PullView>>> {
    Ok(Answered(Page {
        items: app.assets.jobs().all().iter().map(|job| job.view()).collect(),
        // Their number is capped: one page holds them all.
        next_cursor: None,
    }))
}

/// Shows how far a pull is.
#[utoipa::path(
    get, path = "/api/v1/assets/pulls/{id}", tag = "assets", operation_id = "get_pull", security(("token" = ["viewer"])),
    params(("id" = u64, Path, description = "Its number", example = 4)),
    responses((status = 200, description = "The pull", body = PullView)),
)]
pub(super) async fn show(State(app): State<App>, _: Viewer, Path(id): Path<u64>) -> Answer<Answered<PullView>> {
    let job = app.assets.jobs().get(id).ok_or_else(|| no_pull(id))?;
    Ok(Answered(job.view()))
}

/// Ends a pull. What is there of its files stays for the next time.
#[utoipa::path(
    delete, path = "/api/v1/assets/pulls/{id}", tag = "assets", operation_id = "cancel_pull", security(("token" = ["operator"])),
    params(("id" = u64, Path, description = "Its number", example = 4)),
    responses((status = 200, description = "The pull as it ended", body = PullView)),
)]
pub(super) async fn cancel(
    State(app): State<App>,
    Operator(by): Operator,
    Path(id): Path<u64>,
) -> Answer<Answered<PullView>> {
    let job = app.assets.jobs().get(id).ok_or_else(|| no_pull(id))?;
    job.cancel(&format!("cancelled by {by}"));
    Ok(Answered(job.view()))
}

fn no_pull(id: u64) -> Failure {
    Failure::new(
        ProblemType::NotFound,
        format!("there is no pull {id} since the server's start"),
    )
}

/// Downloads a file with a hash.
#[utoipa::path(
    post, path = "/api/v1/assets/files", tag = "assets", operation_id = "create_asset_file", security(("token" = ["operator"])),
    request_body = AddFileBody,
    responses((status = 202, description = "The pull of it", body = PullView)),
)]
pub(super) async fn add(
    State(app): State<App>,
    Operator(by): Operator,
    Json(body): Json<AddFileBody>,
) -> Answer<(StatusCode, Answered<PullView>)> {
    let url = reqwest::Url::parse(&body.url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| Failure::field("url", "expected http:// or https:// and a host"))?;
    let last = url.path_segments().and_then(|mut segments| segments.next_back());
    let name = body.name.as_deref().or(last).unwrap_or_default();
    let new = NewFile::new(name, &body.sha256)?;
    tracing::info!(%by, file = %name, "file added by URL");
    let job = start_pull(&app, &What::File(new, url));
    Ok((StatusCode::ACCEPTED, Answered(job.view())))
}

/// Takes a file with a hash as it is sent.
#[utoipa::path(
    put, path = "/api/v1/assets/files/{name}", tag = "assets", operation_id = "put_asset_file", security(("token" = ["operator"])),
    params(
        ("name" = String, Path, description = "Its name", example = "k3s"),
        ("sha256" = String, Query, description = "Its SHA-256 in hex"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "The file as it is served now", body = AssetFileView)),
    extensions(("x-problems" = json!(["refused"]))),
)]
pub(super) async fn put(
    State(app): State<App>,
    Operator(by): Operator,
    Path(name): Path<String>,
    query: Query,
    request: Request,
) -> Answer<Answered<AssetFileView>> {
    let query = query.only(&["sha256"])?;
    let sha256: String = query.get("sha256")?.unwrap_or_default();
    let new = NewFile::new(&name, &sha256)?;
    let body: Body = request.into_body();
    let body = body
        .into_data_stream()
        .map(|chunk| chunk.map_err(|error| error.to_string()));
    let added = app.assets.add_from_upload(&new, body, app.store.now()).await?;
    tracing::info!(%by, file = %name, "file added");
    Ok(Answered(file_view(added)))
}

/// Removes a file.
#[utoipa::path(
    delete, path = "/api/v1/assets/files/{name}", tag = "assets", operation_id = "delete_asset_file", security(("token" = ["operator"])),
    params(("name" = String, Path, description = "Its name", example = "k3s")),
    responses((status = 200, description = "It is gone", body = Empty)),
)]
pub(super) async fn remove(
    State(app): State<App>,
    Operator(by): Operator,
    Path(name): Path<String>,
) -> Answer<Answered<Empty>> {
    if !app.assets.remove_extra(&name).await.map_err(Failure::internal)? {
        return Err(Failure::new(ProblemType::NotFound, "there is no file of this name"));
    }
    tracing::info!(%by, file = %name, "file removed");
    Ok(Answered(Empty {}))
}

/// Removes a version that nobody needs.
#[utoipa::path(
    delete, path = "/api/v1/assets/versions/{arch}/{version}", tag = "assets", operation_id = "delete_asset_version",
    security(("token" = ["operator"])),
    params(
        ("arch" = String, Path, description = "For which machines", example = "x86_64"),
        ("version" = String, Path, description = "The version", example = "43.20260901.3.0"),
    ),
    responses((status = 200, description = "It is gone", body = Empty)),
    extensions(("x-problems" = json!(["refused"]))),
)]
pub(super) async fn remove_version(
    State(app): State<App>,
    Operator(by): Operator,
    Path((arch, version)): Path<(String, String)>,
) -> Answer<Answered<Empty>> {
    discard_version(&app, &arch, &version).await?;
    tracing::info!(%by, %arch, %version, "version removed");
    Ok(Answered(Empty {}))
}

impl From<AddError> for Failure {
    fn from(error: AddError) -> Self {
        match error {
            AddError::Malformed { field, expected } => Self::field(field, expected),
            AddError::Taken(_) => Self::new(ProblemType::Refused, error.to_string()),
            AddError::BrokenOff(_) => Self::new(ProblemType::Unavailable, error.to_string()),
            AddError::Download(_) | AddError::Assets(_) => Self::internal(error),
        }
    }
}
