//! Both planes over HTTP.

mod access;
mod assets;
mod boot;
mod cluster;
mod control;
mod error;
mod hosts;
mod locks;
mod once;
mod packages;
mod templates;
#[cfg(test)]
mod tests;
mod token;
mod users;
mod watch;

use std::time::Duration;

pub use access::AuditQuery;
pub use boot::{BootClient, Fetched};
pub use control::Client;
pub use error::{ClientError, innermost};
pub use hosts::HostQuery;
pub use token::Token;
pub use watch::EventQuery;

use crate::Problem;

/// A connection is there within so many seconds, or the server cannot be reached.
const CONNECT_LIMIT_S: u64 = 5;
/// An answer to a question is there within so many seconds.
const ANSWER_LIMIT_S: u64 = 30;
/// As much of an answer that is no problem document is kept for people.
const EXCERPT_CHARS: usize = 200;

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("thirdboot/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(CONNECT_LIMIT_S))
        .redirect(reqwest::redirect::Policy::none())
}

fn base(url: &str) -> Result<String, ClientError> {
    let refuse = |why: String| ClientError::BadUrl {
        url: url.to_owned(),
        why,
    };
    let parsed = reqwest::Url::parse(url).map_err(|error| refuse(error.to_string()))?;
    match parsed.scheme() {
        "http" | "https" if parsed.has_host() => Ok(url.trim_end_matches('/').to_owned()),
        _ => Err(refuse("expected http:// or https:// and a host".to_owned())),
    }
}

/// An answer of this type, or the error that came instead.
async fn decode<T: serde::de::DeserializeOwned>(answer: reqwest::Response) -> Result<T, ClientError> {
    let url = answer.url().clone();
    let answer = ok(answer).await?;
    let bytes = answer
        .bytes()
        .await
        .map_err(|error| ClientError::unreachable(&url, error))?;
    serde_json::from_slice(&bytes).map_err(|error| ClientError::Unreadable {
        url: error::without_secrets(&url),
        why: error.to_string(),
    })
}

/// The answer when it is a success; else its problem document, or as much of it as tells.
async fn ok(answer: reqwest::Response) -> Result<reqwest::Response, ClientError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let url = answer.url().clone();
    let body = answer
        .bytes()
        .await
        .map_err(|error| ClientError::unreachable(&url, error))?;
    match serde_json::from_slice::<Problem>(&body) {
        Ok(mut problem) => {
            problem.status = status.as_u16();
            Err(ClientError::Problem(Box::new(problem)))
        }
        Err(_) => Err(ClientError::Unexpected {
            url: error::without_secrets(&url),
            status: status.as_u16(),
            excerpt: String::from_utf8_lossy(&body).chars().take(EXCERPT_CHARS).collect(),
        }),
    }
}
