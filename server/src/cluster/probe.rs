//! Whether a server of k3s answers: `/cacerts` needs no credentials, and says which cluster it is of.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::bounded;

/// A server that takes longer does not answer.
const PATIENCE: Duration = Duration::from_secs(4);
/// A CA bundle is a few KiB.
const MAX_BYTES: usize = 64 << 10;

/// Asks servers.
#[derive(Debug, Clone)]
pub(super) struct Prober {
    http: reqwest::Client,
    port: u16,
}

impl Prober {
    /// Asks at this port.
    pub(super) fn new(port: u16) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            // Who answers is told by the hash of what it answers, which is public: nothing is sent, nothing trusted.
            .danger_accept_invalid_certs(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(PATIENCE)
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { http, port })
    }

    /// The hash of the CA that this address serves; none where nothing answers, or something else.
    pub(super) async fn ca_sha256(&self, address: IpAddr) -> Option<String> {
        self.ask(&SocketAddr::new(address, self.port).to_string()).await
    }

    /// The same of an address or a name from `tls_san`.
    pub(super) async fn ca_sha256_of_name(&self, name: &str) -> Option<String> {
        match name.parse() {
            Ok(address) => self.ca_sha256(address).await,
            Err(_) => self.ask(&format!("{name}:{}", self.port)).await,
        }
    }

    async fn ask(&self, authority: &str) -> Option<String> {
        let answer = self
            .http
            .get(format!("https://{authority}/cacerts"))
            .send()
            .await
            .ok()?;
        if !answer.status().is_success() {
            return None;
        }
        let body = bounded::body(answer, MAX_BYTES).await.ok()??;
        body.starts_with(b"-----BEGIN CERTIFICATE")
            .then(|| data_encoding::HEXLOWER.encode(&Sha256::digest(&body)))
    }
}
