//! The real `coreos-installer` downloads from the mirror what the server pulled from somebody else.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::extract::{Path as Segment, State};
use axum::http::StatusCode;
use axum::routing::get;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirdboot_tests::assets::Images;
use thirdboot_tests::host::ignition::sha256;
use thirdboot_tests::{Site, wait};
use tokio::process::Command;

/// The installer looks at the first MiB of whatever it downloads.
const FILE_BYTES: usize = (1 << 20) + 4711;
const VERSION: &str = "43.20261101.3.0";
const FILES: [&str; 4] = [
    "live-kernel.x86_64",
    "live-initramfs.img",
    "live-rootfs.img",
    "metal.x86_64.raw.xz",
];
const LIMIT: Duration = Duration::from_secs(120);

fn content(name: &str) -> Vec<u8> {
    let seed = u8::try_from(name.len()).unwrap_or(0);
    (0..251)
        .map(|i: u8| i.wrapping_mul(7) ^ seed)
        .cycle()
        .take(FILE_BYTES)
        .collect()
}

/// A stream and its files; gives the base URL of streams.
async fn upstream() -> Result<String> {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", socket.local_addr()?);
    let artifact = |name: &str| {
        let url = format!("{base}/files/{name}");
        json!({"location": url, "signature": format!("{url}.sig"), "sha256": sha256(&content(name))})
    };
    let [kernel, initramfs, rootfs, disk] = FILES.map(artifact);
    let formats =
        json!({"pxe": {"kernel": kernel, "initramfs": initramfs, "rootfs": rootfs}, "raw.xz": {"disk": disk}});
    let document: Arc<Value> = Arc::new(json!({
        "stream": "stable", "metadata": {"last-modified": "2026-11-01T00:00:00Z"},
        "architectures": {"x86_64": {"artifacts": {"metal": {"release": VERSION, "formats": formats}}}},
    }));
    let router = Router::new()
        .route(
            "/streams/stable.json",
            get(async |State(document): State<Arc<Value>>| document.to_string()),
        )
        .route(
            "/files/{name}",
            get(async |Segment(name): Segment<String>| match name.strip_suffix(".sig") {
                Some(_) => Ok(b"signed by nobody".to_vec()),
                None if FILES.contains(&name.as_str()) => Ok(content(&name)),
                None => Err(StatusCode::NOT_FOUND),
            }),
        )
        .with_state(document);
    tokio::spawn(async move { axum::serve(socket, router).await });
    Ok(format!("{base}/streams/"))
}

async fn pulled(site: &Site) -> Result<()> {
    let body = json!({"stream": "stable", "image": true});
    let (status, begun) = site
        .admin
        .ask(Method::POST, "/api/v1/assets/pulls", Some(&body))
        .await?;
    ensure!(status == StatusCode::ACCEPTED, "{status} {begun}");
    let path = format!("/api/v1/assets/pulls/{}", begun["id"]);
    let pull = wait::until("the pull", LIMIT, async || {
        let (_, pull) = site.admin.ask(Method::GET, &path, None).await?;
        let is_under_way = pull["state"] == "waiting" || pull["state"] == "running";
        Ok((!is_under_way).then_some(pull))
    })
    .await?;
    ensure!(pull["state"] == "done", "{pull}");
    Ok(())
}

async fn download(site: &Site, format: &str, folder: &Path) -> Result<()> {
    let installer = std::env::var("COREOS_INSTALLER").context("COREOS_INSTALLER names the binary")?;
    let output = Command::new(installer)
        .args([
            "download",
            "--stream",
            "stable",
            "--architecture",
            "x86_64",
            "--platform",
            "metal",
        ])
        .args(["--format", format, "--insecure"])
        .arg("--stream-base-url")
        .arg(format!("{}/streams/", site.server.endpoints.boot))
        .arg("--directory")
        .arg(folder)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "coreos-installer: {said}");
    Ok(())
}

#[tokio::test]
async fn coreos_installer_downloads_from_the_mirror() -> Result<()> {
    let streams = upstream().await?;
    let site = Site::with(&Images::sample(), &["--streams-url", &streams]).await?;
    pulled(&site).await?;
    let folder = TempDir::new()?;
    download(&site, "pxe", folder.path()).await?;
    download(&site, "raw.xz", folder.path()).await?;
    for name in FILES {
        let got = std::fs::read(folder.path().join(name)).with_context(|| name.to_owned())?;
        ensure!(got == content(name), "{name} came as another file");
    }
    Ok(())
}
