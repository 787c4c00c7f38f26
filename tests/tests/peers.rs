//! The real `coreos-installer` downloads from the mirror what the server pulled from somebody else.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::extract::{Path as Segment, State};
use axum::http::StatusCode;
use axum::routing::get;
use reqwest::Method;
use serde_json::json;
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
    let seed = name.bytes().fold(0_u8, u8::wrapping_add);
    (0..251)
        .map(|i: u8| i.wrapping_mul(7) ^ seed)
        .cycle()
        .take(FILE_BYTES)
        .collect()
}

/// Somebody who signs files. Dropping it removes the key.
struct Signer {
    home: TempDir,
}

impl Signer {
    async fn new() -> Result<Self> {
        let home = TempDir::new()?;
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700))?;
        let signer = Self { home };
        signer
            .gpg(&["--quick-generate-key", "Thirdboot tests", "ed25519", "sign", "never"])
            .await?;
        signer
            .gpg(&["--output", &signer.keyring()?, "--armor", "--export"])
            .await?;
        Ok(signer)
    }

    async fn gpg(&self, arguments: &[&str]) -> Result<()> {
        let output = Command::new("gpg")
            .args(["--batch", "--quiet", "--passphrase", "", "--homedir"])
            .arg(self.home.path())
            .args(arguments)
            .output()
            .await
            .context("gpg (package gnupg)")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "gpg {arguments:?}: {said}");
        Ok(())
    }

    /// Its public key, as a file.
    fn keyring(&self) -> Result<String> {
        let path = self.home.path().join("public.asc");
        Ok(path.to_str().context("a path that is no text")?.to_owned())
    }

    /// The detached signature of this file.
    async fn sign(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.home.path().join(name);
        fs::write(&path, content(name))?;
        let path = path.to_str().context("a path that is no text")?;
        self.gpg(&["--detach-sign", path]).await?;
        Ok(fs::read(format!("{path}.sig"))?)
    }

    /// A folder with a `gpg` that imports this key beside those that are asked for. The installer brings Fedora's keys with
    /// it and knows no option for others; all the rest is the real `gpg`.
    fn trusting_gpg(&self) -> Result<PathBuf> {
        let folder = self.home.path().join("bin");
        fs::create_dir(&folder)?;
        let script = format!(
            "#!/bin/bash\nset -e\n/usr/bin/gpg \"$@\"\nif [[ ${{*: -1}} == --import ]]; then /usr/bin/gpg \"$@\" '{}'; fi\n",
            self.keyring()?
        );
        fs::write(folder.join("gpg"), script)?;
        fs::set_permissions(folder.join("gpg"), fs::Permissions::from_mode(0o755))?;
        Ok(folder)
    }
}

/// A stream and its files with their signatures; gives the base URL of streams.
async fn upstream(signer: &Signer) -> Result<String> {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", socket.local_addr()?);
    let artifact = |name: &str| {
        let url = format!("{base}/files/{name}");
        json!({"location": url, "signature": format!("{url}.sig"), "sha256": sha256(&content(name))})
    };
    let [kernel, initramfs, rootfs, disk] = FILES.map(artifact);
    let formats =
        json!({"pxe": {"kernel": kernel, "initramfs": initramfs, "rootfs": rootfs}, "raw.xz": {"disk": disk}});
    let document = json!({
        "stream": "stable", "metadata": {"last-modified": "2026-11-01T00:00:00Z"},
        "architectures": {"x86_64": {"artifacts": {"metal": {"release": VERSION, "formats": formats}}}},
    });
    let mut files = BTreeMap::new();
    for name in FILES {
        files.insert(name.to_owned(), content(name));
        files.insert(format!("{name}.sig"), signer.sign(name).await?);
    }
    let files = Arc::new(files);
    let router = Router::new()
        .route("/streams/stable.json", get(async move || document.to_string()))
        .route(
            "/files/{name}",
            get(
                async |Segment(name): Segment<String>, State(files): State<Arc<BTreeMap<String, Vec<u8>>>>| {
                    files.get(&name).cloned().ok_or(StatusCode::NOT_FOUND)
                },
            ),
        )
        .with_state(files);
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

/// Downloads what the format has, and gives what the installer said.
async fn download(site: &Site, path: &str, format: &str, folder: &Path) -> Result<String> {
    let installer = std::env::var("COREOS_INSTALLER").context("COREOS_INSTALLER names the binary")?;
    let output = Command::new(installer)
        .env("PATH", path)
        .args(["download", "--stream", "stable", "--architecture", "x86_64"])
        .args(["--platform", "metal", "--format", format])
        .arg("--stream-base-url")
        .arg(format!("{}/streams/", site.server.endpoints.boot))
        .arg("--directory")
        .arg(folder)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "coreos-installer: {said}");
    Ok(said)
}

/// And checks every signature, as it does unless it is told otherwise.
#[tokio::test]
async fn coreos_installer_downloads_from_the_mirror() -> Result<()> {
    let signer = Signer::new().await?;
    let streams = upstream(&signer).await?;
    let keyring = signer.keyring()?;
    let site = Site::with(
        &Images::sample(),
        &["--streams-url", &streams, "--assets-keyring", &keyring],
    )
    .await?;
    pulled(&site).await?;
    let folder = TempDir::new()?;
    let path = format!("{}:/usr/bin:/bin", signer.trusting_gpg()?.display());
    let mut said = download(&site, &path, "pxe", folder.path()).await?;
    said += &download(&site, &path, "raw.xz", folder.path()).await?;
    let checked = said.matches("Good signature from \"Thirdboot tests\"").count();
    ensure!(checked == FILES.len(), "{checked} signatures were checked: {said}");
    for name in FILES {
        let got = fs::read(folder.path().join(name)).with_context(|| name.to_owned())?;
        ensure!(got == content(name), "{name} came as another file");
    }
    // Who does not know the signer refuses its files: what is served are the signatures of the stream.
    let folder = TempDir::new()?;
    ensure!(download(&site, "/usr/bin:/bin", "pxe", folder.path()).await.is_err());
    ensure!(fs::read_dir(folder.path())?.next().is_none(), "something was left");
    Ok(())
}
