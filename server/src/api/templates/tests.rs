//! Templates over the API.

mod checked;
mod on_hosts;
mod versions;

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

use crate::testing::{Reply, TestApp};

fn motd(inline: &str) -> Value {
    json!({"text": format!(
        "variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n    - path: /etc/motd\n      overwrite: true\n      contents:\n        inline: \"{inline}\"\n"
    )})
}

impl TestApp {
    /// Saves on top of the version that was seen, if one was.
    pub(super) async fn save(&self, name: &str, spec: &Value, seen: Option<u64>) -> Reply {
        let tag = seen.map(|seen| format!("\"{seen}\""));
        let headers: Vec<(&str, &str)> = tag.iter().map(|tag| ("if-match", tag.as_str())).collect();
        let path = format!("/api/v1/templates/{name}");
        self.api_with(&self.token, Method::PUT, &path, &headers, Body::from(spec.to_string()))
            .await
    }

    pub(super) async fn saved(&self, name: &str, spec: &Value, seen: Option<u64>) -> Value {
        let reply = self.save(name, spec, seen).await;
        assert!(reply.status.is_success(), "{}", reply.text());
        reply.json()
    }

    pub(super) async fn delete(&self, path: &str, seen: &str) -> Reply {
        self.api_with(&self.token, Method::DELETE, path, &[("if-match", seen)], Body::empty())
            .await
    }

    /// A file of the installed config that the host would get.
    pub(super) async fn part(&self, host: &str, path: &str) -> Value {
        let reply = self
            .api_get(&format!("/api/v1/hosts/{host}/preview/installed?part={path}"))
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["parts"][0].clone()
    }

    /// Host `n`, installed by run 1.
    pub(super) async fn installed(&self, name: &str, n: u8, changed: Value) {
        self.networked(name, n, changed).await;
    }
}
