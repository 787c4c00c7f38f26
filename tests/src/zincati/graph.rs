//! A small update graph, as Fedora's update service serves it: one release and one update of it.

use anyhow::Result;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{NEW, OLD};

/// A server of the graph. Dropping it ends it.
#[derive(Debug)]
pub struct Graph {
    /// Its base URL.
    pub url: String,
    serving: JoinHandle<()>,
}

impl Graph {
    /// Starts it on loopback.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = Router::new().route("/v1/graph", get(graph));
        let serving = tokio::spawn(async move {
            // Ends with the task.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { url, serving })
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Who does not say what it runs gets nothing.
async fn graph(RawQuery(query): RawQuery) -> axum::response::Response {
    let query = query.unwrap_or_default();
    let says = |what: &str| query.split('&').any(|pair| pair.starts_with(what));
    if ![
        "basearch=x86_64",
        "stream=stable",
        "os_version=43.",
        "group=",
        "node_uuid=",
        "platform=metal",
    ]
    .into_iter()
    .all(says)
    {
        return (
            StatusCode::BAD_REQUEST,
            Json(json!({"kind": "missing_params", "value": query})),
        )
            .into_response();
    }
    let node = |version: &str, payload: &str, age: u8| -> Value {
        json!({"version": version, "payload": payload, "metadata": {
            "org.fedoraproject.coreos.scheme": "checksum",
            "org.fedoraproject.coreos.releases.age_index": age.to_string(),
        }})
    };
    let nodes = [node("43.1", OLD, 0), node("43.2", NEW, 1)];
    Json(json!({"nodes": nodes, "edges": [[0, 1]]})).into_response()
}
