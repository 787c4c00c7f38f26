//! A reverse proxy that records the order of requests, for machines that cannot be asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::host::fetch;

/// The largest body that a request may bring.
const BODY_LIMIT: usize = 4 << 20;

/// One request and how it was answered.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The method and the path, without the query.
    pub request: String,
    /// The query.
    pub query: String,
    /// What asked.
    pub user_agent: String,
    /// The answer's status.
    pub status: u16,
    /// The answer's body.
    pub body: Vec<u8>,
}

#[derive(Debug)]
struct Shared {
    upstream: Mutex<String>,
    exchanges: Mutex<Vec<Exchange>>,
    client: Client,
}

/// A running proxy. Dropping it closes it.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens, on loopback.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Opens a proxy that leads nowhere yet.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn open() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream: Mutex::default(),
            exchanges: Mutex::default(),
            client: fetch::client()?,
        });
        let router = Router::new().fallback(relay).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("proxy: {error}");
            }
        });
        Ok(Self { address, shared, task })
    }

    /// Leads it to a server.
    pub fn lead_to(&self, base: &str) {
        base.clone_into(&mut lock(&self.shared.upstream));
    }

    /// What went through, in order of arrival.
    pub fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.shared.exchanges).clone()
    }

    /// Stops listening: whoever asks now is refused by the kernel.
    pub fn close(&self) {
        self.task.abort();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn relay(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let place = {
        let mut exchanges = lock(&shared.exchanges);
        exchanges.push(Exchange {
            request: format!("{} {}", request.method(), request.uri().path()),
            query: request.uri().query().unwrap_or_default().to_owned(),
            user_agent: agent(&request),
            status: 0,
            body: Vec::new(),
        });
        exchanges.len() - 1
    };
    let (status, body, response) = match forward(&shared, request).await {
        Ok(answered) => answered,
        Err(error) => (502, Vec::new(), bad_gateway(&error)),
    };
    if let Some(exchange) = lock(&shared.exchanges).get_mut(place) {
        exchange.status = status;
        exchange.body = body;
    }
    response
}

async fn forward(shared: &Shared, request: Request) -> Result<(u16, Vec<u8>, Response)> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().context("no path")?;
    let url = format!("{}{path}", lock(&shared.upstream));
    let mut headers = parts.headers;
    headers.remove(header::HOST);
    let body = to_bytes(body, BODY_LIMIT).await?;
    let answer = shared
        .client
        .request(parts.method, url)
        .headers(headers)
        .body(body)
        .send()
        .await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await?;
    let mut response = Response::new(Body::from(body.clone()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response.headers_mut().remove(header::TRANSFER_ENCODING);
    Ok((status.as_u16(), body.to_vec(), response))
}

fn bad_gateway(error: &anyhow::Error) -> Response {
    let mut response = Response::new(Body::from(format!("{error:#}")));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}

fn agent(request: &Request) -> String {
    let value = request.headers().get(header::USER_AGENT).and_then(|v| v.to_str().ok());
    value.unwrap_or_default().to_owned()
}

/// A panic elsewhere does not make a list of requests wrong.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
