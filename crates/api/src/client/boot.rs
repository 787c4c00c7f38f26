//! The boot plane, as a host speaks to it. For simulated hosts: real ones use iPXE, Ignition and curl.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, Url};
use serde::{Serialize, de::DeserializeOwned};

use super::{ClientError, Token, builder, decode, ok};
use crate::boot::{ClaimBody, ClusterBody, GrantAnswer, JoinAnswer, JoinBody, ReportBody, StageAnswer};

/// As Ignition has it: headers of an answer come within so many seconds, or it asks again.
const HEADERS_LIMIT_S: u64 = 10;

/// A client of the boot plane. One serves any number of hosts: each call says where and with which secret.
#[derive(Debug, Clone)]
pub struct BootClient {
    http: reqwest::Client,
}

/// A fetched file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The length that was announced, also by a HEAD.
    pub length: Option<u64>,
    /// The body; empty after a HEAD.
    pub body: Bytes,
}

impl BootClient {
    /// A client.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, ClientError> {
        let http = builder()
            .read_timeout(Duration::from_secs(HEADERS_LIMIT_S))
            .build()
            .map_err(ClientError::Setup)?;
        Ok(Self { http })
    }

    /// Fetches a script, a config or an asset.
    ///
    /// # Errors
    /// When there is no success.
    pub async fn get(&self, url: &str) -> Result<Fetched, ClientError> {
        self.fetch(Method::GET, url).await
    }

    /// Asks how large a file is.
    ///
    /// # Errors
    /// When there is no success.
    pub async fn head(&self, url: &str) -> Result<Fetched, ClientError> {
        self.fetch(Method::HEAD, url).await
    }

    /// Asks for the right to write. `base` is the URL in front of `/v1/…`.
    ///
    /// # Errors
    /// When it is not granted: then nothing must be written.
    pub async fn claim(&self, base: &str, secret: &Token, body: &ClaimBody) -> Result<GrantAnswer, ClientError> {
        self.post(base, "/v1/claim", secret, body).await
    }

    /// Reports.
    ///
    /// # Errors
    /// When it is refused, or was not heard.
    pub async fn report(&self, base: &str, secret: &Token, body: &ReportBody) -> Result<StageAnswer, ClientError> {
        self.post(base, "/v1/report", secret, body).await
    }

    /// Asks for its place in a cluster.
    ///
    /// # Errors
    /// When it is not its turn, or never will be.
    pub async fn join(&self, base: &str, secret: &Token, body: &JoinBody) -> Result<JoinAnswer, ClientError> {
        self.post(base, "/v1/join", secret, body).await
    }

    /// Hands in what the first server made.
    ///
    /// # Errors
    /// When it was handed in before, or this host did not begin the cluster.
    pub async fn cluster(&self, base: &str, secret: &Token, body: &ClusterBody) -> Result<(), ClientError> {
        let answer = self.send(base, "/v1/cluster", secret, body).await?;
        ok(answer).await.map(drop)
    }

    /// Asks for the host's reboot lock (`pre-reboot`), or gives it back (`steady-state`), by the FleetLock protocol. `who` is
    /// its id and group. The secret stands in the path, and in no error.
    ///
    /// # Errors
    /// When it is not its turn, or never will be.
    pub async fn reboot_lock(
        &self,
        base: &str,
        secret: &Token,
        question: &str,
        (id, group): (&str, &str),
    ) -> Result<(), ClientError> {
        let base = base.trim_end_matches('/');
        let url = parse(&format!("{base}/fleetlock/{}/v1/{question}", secret.reveal()))?;
        let body = serde_json::json!({"client_params": {"id": id, "group": group}});
        let request = self
            .http
            .post(url.clone())
            .header("fleet-lock-protocol", "true")
            .json(&body);
        let answer = request.send().await;
        ok(answer.map_err(|error| ClientError::unreachable(&url, error))?)
            .await
            .map(drop)
    }

    async fn fetch(&self, method: Method, url: &str) -> Result<Fetched, ClientError> {
        let url = parse(url)?;
        let answer = self.http.request(method, url.clone()).send().await;
        let answer = ok(answer.map_err(|error| ClientError::unreachable(&url, error))?).await?;
        let length = answer
            .headers()
            .get(reqwest::header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let body = answer
            .bytes()
            .await
            .map_err(|error| ClientError::unreachable(&url, error))?;
        Ok(Fetched { length, body })
    }

    async fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        base: &str,
        path: &str,
        secret: &Token,
        body: &B,
    ) -> Result<T, ClientError> {
        decode(self.send(base, path, secret, body).await?).await
    }

    async fn send<B: Serialize>(
        &self,
        base: &str,
        path: &str,
        secret: &Token,
        body: &B,
    ) -> Result<reqwest::Response, ClientError> {
        let url = parse(&format!("{}{path}", base.trim_end_matches('/')))?;
        let request = self.http.post(url.clone()).bearer_auth(secret.reveal()).json(body);
        request
            .send()
            .await
            .map_err(|error| ClientError::unreachable(&url, error))
    }
}

fn parse(url: &str) -> Result<Url, ClientError> {
    Url::parse(url).map_err(|error| ClientError::BadUrl {
        url: url.to_owned(),
        why: error.to_string(),
    })
}
