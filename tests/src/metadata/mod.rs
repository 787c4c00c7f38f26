//! The provider's metadata service, and where it is told of a machine's state: a strict stand-in behind an HTTPS proxy on
//! loopback. Programs ask for the names that they know, and meet a CA that was made for the test.

mod service;
mod tunnel;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// What Afterburn calls the service.
pub const OLDER_NAME: &str = "metadata.packet.net";
/// What it was called later.
pub const NAME: &str = "metadata.platformequinix.com";
/// Where machines tell of themselves.
pub const EAR: &str = "tinkerbell.fr2.packet.net";

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The method, and the URL without its scheme.
    pub request: String,
    /// Every header but the names of who asked and who was asked.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
    /// What asked, if it said so.
    pub user_agent: Option<String>,
}

#[derive(Debug, Default)]
struct Noted {
    heard: Vec<Heard>,
    violations: Vec<String>,
}

#[derive(Debug, Clone, Default)]
struct Shared(Arc<Mutex<Noted>>);

impl Shared {
    /// A panic elsewhere does not make a list of requests wrong.
    fn note(&self, note: impl FnOnce(&mut Noted)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn violates(&self, what: String) {
        self.note(|noted| noted.violations.push(what));
    }
}

/// The service, listening. Dropping it ends it.
#[derive(Debug)]
pub struct MetadataService {
    proxy: String,
    folder: TempDir,
    shared: Shared,
    task: JoinHandle<()>,
}

impl MetadataService {
    /// Listens on loopback.
    ///
    /// # Errors
    /// When no port can be had, or no certificate can be made.
    pub async fn start() -> Result<Self> {
        let shared = Shared::default();
        let folder = TempDir::new()?;
        let (tunnels, ca) = tunnel::Tunnels::open(&[OLDER_NAME, NAME, EAR], shared.clone()).await?;
        std::fs::write(folder.path().join("ca.pem"), ca)?;
        let proxy = format!("http://{}", tunnels.address);
        let router = service::router(shared.clone());
        let task = tokio::spawn(async move {
            // Ends with the task.
            let _ = axum::serve(tunnels, router).await;
        });
        Ok(Self {
            proxy,
            folder,
            shared,
            task,
        })
    }

    /// The CA of its certificates, as PEM.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// What leads a program here, as variables of its environment: as OpenSSL and as curl are told of a CA.
    ///
    /// # Errors
    /// When the folder for temporary files has a name that is no text.
    pub fn environment(&self) -> Result<[(&'static str, String); 4]> {
        let ca = self.ca();
        let ca = ca.to_str().context("a path that is no text")?.to_owned();
        Ok([
            ("HTTPS_PROXY", self.proxy.clone()),
            ("NO_PROXY", "127.0.0.1".to_owned()),
            ("SSL_CERT_FILE", ca.clone()),
            ("CURL_CA_BUNDLE", ca),
        ])
    }

    /// What was asked since the last time.
    #[must_use]
    pub fn heard(&self) -> Vec<Heard> {
        let mut heard = Vec::new();
        self.shared.note(|noted| heard.append(&mut noted.heard));
        heard
    }

    /// What was asked that nobody should ask.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let mut some = Vec::new();
        self.shared.note(|noted| some.clone_from(&noted.violations));
        some
    }
}

impl Drop for MetadataService {
    fn drop(&mut self) {
        self.task.abort();
    }
}
