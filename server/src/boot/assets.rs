//! `GET /assets/{conf secret}/{file}`: the files of a run's version, each fetch that host's evidence.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use thirdboot_lifecycle::Fetch;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::fetched::counted;
use super::ignition::Ticket;
use super::opened;
use crate::App;
use crate::assets::{AssetError, AssetRole, Part, Verified, part};
use crate::path::Path;
use crate::problem::{Answer, Failure};

/// Read at a time: large enough that reading costs nothing, small enough for a thousand clients.
const CHUNK_BYTES: usize = 128 << 10;

pub(super) async fn asset(
    State(app): State<App>,
    Path((secret, name)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Answer {
    let ticket = Ticket::check(&app, &secret).await?;
    let manifest = opened::assets(&app, ticket.host, ticket.run.number).await?;
    // Only what the run's manifest names is ever opened: nothing else of the path reaches the file system.
    let (role, file) = manifest.named(&name).ok_or_else(Failure::not_found)?;
    let verified = app.assets.open(&manifest, file).await.map_err(|error| match error {
        AssetError::Checking => Failure::unavailable("this file is being checked", format!("{name} is being checked")),
        error => Failure::unavailable("this file cannot be served", error),
    })?;
    let part = part(&headers, verified.size, &verified.etag);
    let evidence = ticket.evidence(&app, fetch(role));
    send(verified, part, evidence, &method).await
}

fn fetch(role: AssetRole) -> Fetch {
    match role {
        AssetRole::Kernel => Fetch::Kernel,
        AssetRole::Initramfs => Fetch::Initramfs,
        AssetRole::Rootfs => Fetch::Rootfs,
        AssetRole::Image => Fetch::Image,
        AssetRole::ImageSignature => Fetch::ImageSignature,
    }
}

async fn send(mut file: Verified, part: Part, evidence: super::fetched::Evidence, method: &Method) -> Answer {
    let (status, start, length) = match part {
        Part::Whole => (StatusCode::OK, 0, file.size),
        Part::From { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        Part::Unsatisfiable => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            set(
                response.headers_mut(),
                header::CONTENT_RANGE,
                &format!("bytes */{}", file.size),
            );
            return Ok(response);
        }
    };
    let mut response = if method == Method::HEAD {
        Response::new(Body::empty())
    } else {
        if start > 0 {
            file.file
                .seek(std::io::SeekFrom::Start(start))
                .await
                .map_err(Failure::internal)?;
        }
        let body = Body::from_stream(ReaderStream::with_capacity(file.file.take(length), CHUNK_BYTES));
        // A part that ends before the file does is no complete fetch.
        let is_to_the_end = start + length == file.size;
        Response::new(if is_to_the_end {
            counted(body, length, evidence)
        } else {
            body
        })
    };
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    set(headers, header::ETAG, &file.etag);
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {start}-{}/{}", start + length - 1, file.size);
        set(headers, header::CONTENT_RANGE, &range);
    }
    Ok(response)
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use thirdboot_lifecycle::Fetch;

    use crate::secrets::Purpose;
    use crate::testing::{TestApp, VERSION, sample_bytes};

    async fn site() -> (TestApp, String) {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let base = format!("/assets/{}", site.secret(Purpose::Conf, host, 1));
        (site, base)
    }

    #[tokio::test]
    async fn a_file_is_served_whole_and_noted_as_evidence() {
        let (site, base) = site().await;
        let whole = site.get(&format!("{base}/rootfs.img")).await;
        assert_eq!(whole.body, sample_bytes("rootfs.img"));
        assert_eq!(
            (whole.header("accept-ranges"), whole.header("content-length")),
            ("bytes", "10000")
        );
        site.until("a1", |run| run.evidence.fetched.contains_key(&Fetch::Rootfs))
            .await;
    }

    #[tokio::test]
    async fn a_head_has_the_length_and_counts_for_nothing() {
        let (site, base) = site().await;
        let head = site.head(&format!("{base}/rootfs.img")).await;
        assert_eq!(
            (head.status.as_u16(), head.header("content-length"), head.body.len()),
            (200, "10000", 0)
        );
        assert!(site.evidence("a1").await.fetched.is_empty());
    }

    #[tokio::test]
    async fn a_part_is_evidence_only_when_it_reaches_the_end() {
        let (site, base) = site().await;
        let path = format!("{base}/rootfs.img");
        let bytes = sample_bytes("rootfs.img");
        let middle = site.get_with(&path, &[("range", "bytes=100-199")]).await;
        assert_eq!(
            (middle.status.as_u16(), middle.header("content-range")),
            (206, "bytes 100-199/10000")
        );
        assert_eq!(middle.body, bytes[100..200]);
        assert!(site.evidence("a1").await.fetched.is_empty());
        let end = site.get_with(&path, &[("range", "bytes=9000-")]).await;
        assert_eq!((end.status.as_u16(), end.body.as_slice()), (206, &bytes[9000..]));
        site.until("a1", |run| run.evidence.fetched.contains_key(&Fetch::Rootfs))
            .await;
        let beyond = site.get_with(&path, &[("range", "bytes=10000-")]).await;
        assert_eq!(
            (beyond.status.as_u16(), beyond.header("content-range")),
            (416, "bytes */10000")
        );
    }

    #[tokio::test]
    async fn only_what_the_runs_manifest_names_is_served() {
        let (site, base) = site().await;
        std::fs::write(site.path("assets/x86_64").join(VERSION).join("private"), "x").unwrap();
        for name in [
            "private",
            "manifest.json",
            "..%2fmanifest.json",
            "%2e%2e%2f%2e%2e%2fdata%2fmaster.key",
            "%ff",
            "kernel%00",
        ] {
            assert_eq!(site.get(&format!("{base}/{name}")).await.problem().0, 404, "{name}");
        }
        assert_eq!(site.get(&format!("{base}/../../data/master.key")).await.status, 404);
    }

    #[tokio::test]
    async fn a_damaged_file_is_503_and_not_one_wrong_byte() {
        let (site, base) = site().await;
        let file = site.path("assets/x86_64").join(VERSION).join("kernel");
        let good = std::fs::read(&file).unwrap();
        let mut bad = good.clone();
        bad[3] ^= 1;
        std::fs::write(&file, &bad).unwrap();
        let (status, _, _) = site.get(&format!("{base}/kernel")).await.problem();
        assert_eq!(status, 503);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(
            site.get(&format!("{base}/kernel")).await.problem().0,
            503,
            "a mirror that is being filled"
        );
        std::fs::write(&file, &good).unwrap();
        assert_eq!(site.get(&format!("{base}/kernel")).await.body, good);
    }
}
