//! The control plane, for programs and the command line.

use std::time::Duration;

use reqwest::{Method, Url};
use serde::{Serialize, de::DeserializeOwned};

use super::{ANSWER_LIMIT_S, ClientError, Token, base, builder, decode, ok};
use crate::control::{ArmBody, BootUrl, Empty, EventView, HoldBody, HostSpec, HostView, Page, UnknownMachineView};

/// Pauses before a GET is asked again; anything that changes something is asked once.
const PAUSES_BEFORE_REPEAT_MS: [u64; 2] = [100, 500];

/// A client of the control plane.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) http: reqwest::Client,
    base: String,
    pub(super) token: Token,
}

impl Client {
    /// A client of the server at `url`, such as `http://127.0.0.1:8081`.
    ///
    /// # Errors
    /// When the URL is none, or TLS cannot be set up.
    pub fn new(url: &str, token: Token) -> Result<Self, ClientError> {
        Self::build(builder(), url, token)
    }

    /// The same, of a server whose certificate one of these CAs (PEM) vouches for: these and no others.
    ///
    /// # Errors
    /// As [`Self::new`], and when the PEM holds no certificate.
    pub fn trusting(url: &str, token: Token, ca_pem: &[u8]) -> Result<Self, ClientError> {
        let certificates = reqwest::Certificate::from_pem_bundle(ca_pem).map_err(ClientError::Setup)?;
        if certificates.is_empty() {
            return Err(ClientError::BadCa);
        }
        Self::build(builder().tls_certs_only(certificates), url, token)
    }

    fn build(builder: reqwest::ClientBuilder, url: &str, token: Token) -> Result<Self, ClientError> {
        let http = builder
            .timeout(Duration::from_secs(ANSWER_LIMIT_S))
            .build()
            .map_err(ClientError::Setup)?;
        Ok(Self {
            http,
            base: base(url)?,
            token,
        })
    }

    /// The server's address, as it was given.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.base
    }

    /// Adds a host.
    ///
    /// # Errors
    /// When it is malformed, its name or an identifier is taken, or nothing answers.
    pub async fn add_host(&self, host: &HostSpec) -> Result<HostView, ClientError> {
        self.post(&["hosts"], host).await
    }

    /// A host.
    ///
    /// # Errors
    /// When there is none of this name, or nothing answers.
    pub async fn host(&self, name: &str) -> Result<HostView, ClientError> {
        self.get(&["hosts", name], &[]).await
    }

    /// Gives the right to wipe and install (or to inspect): begins a run.
    ///
    /// # Errors
    /// When the name is not repeated, a run is under way, the host is retired, or nothing answers.
    pub async fn arm(&self, name: &str, body: &ArmBody) -> Result<HostView, ClientError> {
        self.post(&["hosts", name, "arm"], body).await
    }

    /// Ends the current run.
    ///
    /// # Errors
    /// When no run is under way, or nothing answers.
    pub async fn cancel(&self, name: &str) -> Result<HostView, ClientError> {
        self.post(&["hosts", name, "cancel"], &Empty {}).await
    }

    /// Puts the brake on.
    ///
    /// # Errors
    /// When there is no such host, or nothing answers.
    pub async fn hold(&self, name: &str, reason: &str) -> Result<HostView, ClientError> {
        let body = HoldBody {
            reason: reason.to_owned(),
        };
        self.post(&["hosts", name, "hold"], &body).await
    }

    /// Takes the brake off.
    ///
    /// # Errors
    /// When there is no such host, or nothing answers.
    pub async fn release(&self, name: &str) -> Result<HostView, ClientError> {
        self.post(&["hosts", name, "release"], &Empty {}).await
    }

    /// The URL a host known by its key boots from. A secret.
    ///
    /// # Errors
    /// When there is no such host, the token may not see it, or nothing answers.
    pub async fn boot_url(&self, name: &str) -> Result<BootUrl, ClientError> {
        self.get(&["hosts", name, "boot-url"], &[]).await
    }

    /// A part of a host's log, oldest first.
    ///
    /// # Errors
    /// When there is no such host, or nothing answers.
    pub async fn events(&self, name: &str, limit: u32, after: Option<&str>) -> Result<Page<EventView>, ClientError> {
        let limit = limit.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(after.map(|after| ("after", after)));
        self.get(&["hosts", name, "events"], &query).await
    }

    /// Machines that asked for a script and match no host.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn unknown_machines(&self) -> Result<Page<UnknownMachineView>, ClientError> {
        self.get(&["unknown-machines"], &[]).await
    }

    /// Whether the server takes requests: `/readyz`.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ready(&self) -> Result<(), ClientError> {
        let url = format!("{}/readyz", self.base);
        let url = Url::parse(&url).map_err(|error| ClientError::BadUrl {
            url,
            why: error.to_string(),
        })?;
        let answer = self.http.get(url.clone()).send().await;
        ok(answer.map_err(|error| ClientError::unreachable(&url, error))?).await?;
        Ok(())
    }

    /// Segments are escaped one by one: a name with a slash must not reach another path.
    pub(super) fn url(&self, segments: &[&str], query: &[(&str, &str)]) -> Result<Url, ClientError> {
        let bad = |why: String| ClientError::BadUrl {
            url: self.base.clone(),
            why,
        };
        let mut url = Url::parse(&self.base).map_err(|error| bad(error.to_string()))?;
        url.path_segments_mut()
            .map_err(|()| bad("it has no path".to_owned()))?
            .pop_if_empty()
            .extend(["api", "v1"])
            .extend(segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, ClientError> {
        let url = self.url(segments, query)?;
        let mut pauses = PAUSES_BEFORE_REPEAT_MS.into_iter();
        loop {
            let error = match self.ask(Method::GET, &url, None::<&Empty>).await {
                Err(error) if error.is_passing() => error,
                other => return other,
            };
            let Some(pause) = pauses.next() else {
                return Err(error);
            };
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    pub(super) async fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        segments: &[&str],
        body: &B,
    ) -> Result<T, ClientError> {
        let url = self.url(segments, &[])?;
        self.ask(Method::POST, &url, Some(body)).await
    }

    /// Takes something away, on top of the version that was seen, if one was; nothing is answered.
    pub(super) async fn remove(&self, segments: &[&str], seen: Option<&str>) -> Result<(), ClientError> {
        let url = self.url(segments, &[])?;
        let mut request = self.request(Method::DELETE, &url);
        if let Some(seen) = seen {
            request = request.header(reqwest::header::IF_MATCH, seen);
        }
        let answer = request.send().await;
        ok(answer.map_err(|error| ClientError::unreachable(&url, error))?).await?;
        Ok(())
    }

    pub(super) async fn delete<T: DeserializeOwned>(&self, segments: &[&str]) -> Result<T, ClientError> {
        let url = self.url(segments, &[])?;
        self.ask(Method::DELETE, &url, None::<&Empty>).await
    }

    pub(super) fn request(&self, method: Method, url: &Url) -> reqwest::RequestBuilder {
        self.http.request(method, url.clone()).bearer_auth(self.token.reveal())
    }

    pub(super) async fn ask<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        url: &Url,
        body: Option<&B>,
    ) -> Result<T, ClientError> {
        self.ask_on_top(method, url, body, None, ANSWER_LIMIT_S).await
    }

    /// On top of the version (an `ETag`) that was seen, if one was; answered within `limit_s` seconds.
    pub(super) async fn ask_on_top<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        url: &Url,
        body: Option<&B>,
        seen: Option<&str>,
        limit_s: u64,
    ) -> Result<T, ClientError> {
        let mut request = self.request(method, url).timeout(Duration::from_secs(limit_s));
        if let Some(seen) = seen {
            request = request.header(reqwest::header::IF_MATCH, seen);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request
            .send()
            .await
            .map_err(|error| ClientError::unreachable(url, error))?;
        decode(answer).await
    }
}
