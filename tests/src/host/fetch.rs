//! Fetching from the boot plane, with the manners of the programs that do it on a real host.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::header::{CACHE_CONTROL, HeaderMap};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, StatusCode};
use tokio::time::{Instant, sleep};

/// An answer of the boot plane, whole.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Fetched {
    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A client as hosts have it: no redirects (they would drop the bearer), no waiting for ever.
///
/// # Errors
/// When the HTTP client cannot be made.
pub fn client() -> Result<Client> {
    Ok(builder().build()?)
}

/// The same, but all requests go to a proxy: the names in URLs are for virtual machines.
///
/// # Errors
/// When the HTTP client cannot be made.
pub fn client_through(proxy: &str) -> Result<Client> {
    Ok(builder().proxy(reqwest::Proxy::all(proxy)?).build()?)
}

/// The same, but it trusts these CAs (PEM) and no others.
///
/// # Errors
/// When there is no certificate in it.
pub fn client_trusting(ca_pem: &[u8]) -> Result<Client> {
    let certificates = reqwest::Certificate::from_pem_bundle(ca_pem)?;
    ensure!(!certificates.is_empty(), "a CA without a certificate");
    Ok(builder().tls_certs_only(certificates).build()?)
}

fn builder() -> ClientBuilder {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(30))
}

/// One request without a body, whose answer must be one that the protocol allows.
///
/// # Errors
/// When nothing answers, or the answer is a redirect or could be kept by a cache.
pub async fn ask(client: &Client, method: Method, url: &str) -> Result<Fetched> {
    answer(client.request(method, url))
        .await
        .with_context(|| url.to_owned())
}

/// Sends a request. No answer of the boot plane redirects, and none may be kept by a cache.
///
/// # Errors
/// As [`ask`].
pub async fn answer(request: RequestBuilder) -> Result<Fetched> {
    let answer = request.send().await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await?.to_vec();
    let answer = Fetched { status, headers, body };
    ensure!(!status.is_redirection(), "redirects: {status}");
    let kept = answer.header(CACHE_CONTROL.as_str());
    ensure!(kept.contains("no-store"), "{status} with Cache-Control {kept:?}");
    Ok(answer)
}

/// One GET.
///
/// # Errors
/// As [`ask`].
pub async fn get(client: &Client, url: &str) -> Result<Fetched> {
    ask(client, Method::GET, url).await
}

/// As iPXE fetches: a body with 200, or the command fails.
///
/// # Errors
/// When the status is not 200.
pub async fn image(client: &Client, url: &str) -> Result<Vec<u8>> {
    let answer = get(client, url).await?;
    ensure!(
        answer.status == StatusCode::OK,
        "{url}: {} {}",
        answer.status,
        answer.text()
    );
    Ok(answer.body)
}

/// As Ignition fetches a child: silence and 5xx are asked again, any other status is final, and
/// an empty 200 or a 204 would boot an unconfigured machine.
///
/// # Errors
/// When the status is final and not 200, the body is empty, or `patience` is used up.
pub async fn config(client: &Client, url: &str, patience: Duration) -> Result<Vec<u8>> {
    let end = Instant::now() + patience;
    let mut pause = Duration::from_millis(50);
    loop {
        match get(client, url).await {
            Ok(answer) if answer.status == StatusCode::OK && !answer.body.is_empty() => {
                return Ok(answer.body);
            }
            Ok(answer) if !answer.status.is_server_error() => {
                bail!("{url}: {} with {} bytes is final", answer.status, answer.body.len())
            }
            outcome if Instant::now() > end => bail!("{url}: gave up: {:?}", outcome.map(|a| a.status)),
            _ => sleep(pause).await,
        }
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}
