//! The stylesheet and the script: in the binary, named by their hash, kept by browsers for a year.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::problem::Failure;

/// One of them.
struct Static {
    path: String,
    etag: String,
    media_type: &'static str,
    text: &'static str,
}

impl Static {
    fn new(name: &str, extension: &str, media_type: &'static str, text: &'static str) -> Self {
        let hash = HEXLOWER.encode(&Sha256::digest(text)[..8]);
        Self {
            path: format!("/static/{name}.{hash}.{extension}"),
            etag: format!("\"{hash}\""),
            media_type,
            text,
        }
    }
}

static STYLE: LazyLock<Static> = LazyLock::new(|| {
    Static::new(
        "style",
        "css",
        "text/css; charset=utf-8",
        include_str!("static/style.css"),
    )
});
static SCRIPT: LazyLock<Static> = LazyLock::new(|| {
    Static::new(
        "live",
        "js",
        "text/javascript; charset=utf-8",
        include_str!("static/live.js"),
    )
});
static ICON: LazyLock<Static> =
    LazyLock::new(|| Static::new("icon", "svg", "image/svg+xml", include_str!("static/icon.svg")));

/// Where the stylesheet is.
pub(super) fn style_path() -> &'static str {
    &STYLE.path
}

/// Where the script is.
pub(super) fn script_path() -> &'static str {
    &SCRIPT.path
}

/// Where the icon is.
pub(super) fn icon_path() -> &'static str {
    &ICON.path
}

/// Serves one of them. A name with another hash is another version's: it is not there.
pub(super) async fn serve(Path(file): Path<String>, headers: HeaderMap) -> Response {
    let path = format!("/static/{file}");
    let Some(found) = [&*STYLE, &*SCRIPT, &*ICON].into_iter().find(|one| one.path == path) else {
        return Failure::not_found().into_response();
    };
    let kept = [
        (header::ETAG, found.etag.as_str()),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let seen = headers.get(header::IF_NONE_MATCH).and_then(|seen| seen.to_str().ok());
    if seen.is_some_and(|seen| seen.split(',').any(|one| one.trim() == found.etag)) {
        return (StatusCode::NOT_MODIFIED, kept).into_response();
    }
    (kept, [(header::CONTENT_TYPE, found.media_type)], found.text).into_response()
}
