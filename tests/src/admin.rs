//! The control plane as a program with a token sees it.

use anyhow::{Context, Result, ensure};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::host::fetch;

/// Events asked for in one page.
const EVENT_PAGE: usize = 500;

/// A client with an admin's token.
#[derive(Clone, Debug)]
pub struct Admin {
    base: String,
    token: String,
    client: Client,
}

impl Admin {
    /// A client of a control plane.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(base: &str, token: &str) -> Result<Self> {
        Ok(Self {
            base: base.to_owned(),
            token: token.to_owned(),
            client: fetch::client()?,
        })
    }

    /// Any request: its status and its JSON (null where there is none).
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(StatusCode, Value)> {
        let url = format!("{}{path}", self.base);
        let mut request = self.client.request(method, &url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.with_context(|| url.clone())?;
        let status = answer.status();
        Ok((
            status,
            serde_json::from_slice(&answer.bytes().await?).unwrap_or(Value::Null),
        ))
    }

    async fn done(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let (status, answer) = self.ask(method.clone(), path, body).await?;
        ensure!(status.is_success(), "{method} {path}: {status} {answer}");
        Ok(answer)
    }

    /// Adds a host.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn add(&self, host: &Value) -> Result<Value> {
        self.done(Method::POST, "/api/v1/hosts", Some(host)).await
    }

    /// Adds a cluster.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn add_cluster(&self, cluster: &Value) -> Result<Value> {
        self.done(Method::POST, "/api/v1/clusters", Some(cluster)).await
    }

    /// A cluster as the API shows it.
    ///
    /// # Errors
    /// When there is none.
    pub async fn cluster(&self, name: &str) -> Result<Value> {
        self.done(Method::GET, &format!("/api/v1/clusters/{name}"), None).await
    }

    /// Changes a part of something, whatever its version is.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        self.over(Method::PATCH, path, body).await
    }

    /// Replaces something, whatever its version is.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.over(Method::PUT, path, body).await
    }

    async fn over(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}{path}", self.base);
        let request = self.client.request(method.clone(), &url).bearer_auth(&self.token);
        let answer = request.header("if-match", "*").json(body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{method} {path}: {status} {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// A token of a role, as it is shown once.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn token(&self, name: &str, role: &str) -> Result<String> {
        let spec = json!({"name": name, "role": role});
        let made = self.done(Method::POST, "/api/v1/tokens", Some(&spec)).await?;
        made["token"].as_str().map(str::to_owned).context("no token")
    }

    /// Takes a host out of service.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn retire(&self, name: &str) -> Result<Value> {
        self.act(name, "retire", &json!({})).await
    }

    /// Takes a host out of service, and removes it.
    ///
    /// # Errors
    /// When either is refused.
    pub async fn retire_and_remove(&self, name: &str) -> Result<()> {
        self.retire(name).await?;
        self.done(Method::DELETE, &format!("/api/v1/hosts/{name}"), None)
            .await?;
        Ok(())
    }

    /// A host as the API shows it.
    ///
    /// # Errors
    /// When there is none.
    pub async fn host(&self, name: &str) -> Result<Value> {
        self.done(Method::GET, &format!("/api/v1/hosts/{name}"), None).await
    }

    /// The stage of a host's run.
    ///
    /// # Errors
    /// When there is no such host or it has no run.
    pub async fn stage(&self, name: &str) -> Result<String> {
        let host = self.host(name).await?;
        host["run"]["stage"]
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("no run: {host}"))
    }

    /// Arms a host for a day.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn arm(&self, name: &str) -> Result<Value> {
        self.arm_with(name, json!({})).await
    }

    /// Arms a host with settings beyond its confirmed name.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn arm_with(&self, name: &str, mut settings: Value) -> Result<Value> {
        settings["confirm"] = name.into();
        self.act(name, "arm", &settings).await
    }

    /// Cancels a host's run.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn cancel(&self, name: &str) -> Result<Value> {
        self.act(name, "cancel", &json!({})).await
    }

    /// Puts a host on hold.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn hold(&self, name: &str, reason: &str) -> Result<Value> {
        self.act(name, "hold", &json!({"reason": reason})).await
    }

    /// Takes the hold off.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn release(&self, name: &str) -> Result<Value> {
        self.act(name, "release", &json!({})).await
    }

    async fn act(&self, name: &str, verb: &str, body: &Value) -> Result<Value> {
        self.done(Method::POST, &format!("/api/v1/hosts/{name}/{verb}"), Some(body))
            .await
    }

    /// Tells the server of a repository of packages, so that every host armed from now on has it.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn offer_packages(&self, url: &str, key: &str) -> Result<()> {
        let repository = json!({"url": url, "gpg_key": key});
        let (status, answer) = self
            .ask(Method::PUT, "/api/v1/repositories/packages", Some(&repository))
            .await?;
        ensure!(status.is_success(), "{status} {answer}");
        Ok(())
    }

    /// The URL that a host known by its key boots from.
    ///
    /// # Errors
    /// When there is no such host.
    pub async fn boot_url(&self, name: &str) -> Result<String> {
        let answer = self
            .done(Method::GET, &format!("/api/v1/hosts/{name}/boot-url"), None)
            .await?;
        answer["url"].as_str().map(str::to_owned).context("no url")
    }

    /// Machines that asked and match no host.
    ///
    /// # Errors
    /// When the list cannot be had.
    pub async fn unknown_machines(&self) -> Result<Vec<Value>> {
        let answer = self.done(Method::GET, "/api/v1/unknown-machines", None).await?;
        answer["items"].as_array().cloned().context("no items")
    }

    /// Every stored event of a host, oldest first.
    ///
    /// # Errors
    /// When a page cannot be had.
    pub async fn events(&self, name: &str) -> Result<Vec<Value>> {
        let mut events = Vec::new();
        let mut after = String::new();
        loop {
            let path = format!("/api/v1/hosts/{name}/events?limit={EVENT_PAGE}{after}");
            let page = self.done(Method::GET, &path, None).await?;
            let items = page["items"].as_array().context("no items")?;
            events.extend(items.iter().cloned());
            match &page["next_cursor"] {
                Value::Null => return Ok(events),
                Value::String(cursor) => after = format!("&after={cursor}"),
                cursor => after = format!("&after={cursor}"),
            }
        }
    }
}
