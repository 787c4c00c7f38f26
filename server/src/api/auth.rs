//! Who asks, and whether they may: a bearer token, looked up by its hash.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use thirdboot_api::ProblemType;
use thirdboot_store::{AccessRole, Actor, Token};

use crate::App;
use crate::boot::bearer_token;
use crate::problem::Failure;
use crate::secrets::random_text;

/// A new API token: it is redacted wherever a host's secret is.
///
/// # Errors
/// When the system has no random numbers.
pub fn new_token() -> anyhow::Result<String> {
    Ok(format!("tb_api_{}", random_text()?))
}

/// What is kept of a token. It is random, so that a slow hash would add nothing.
pub fn token_sha256(token: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(token))
}

async fn caller(parts: &Parts, app: &App, needed: AccessRole) -> Result<Actor, Failure> {
    let text = bearer_token(&parts.headers).ok_or_else(unauthorized)?;
    let token: Token = app.store.token(&token_sha256(text)).await?.ok_or_else(unauthorized)?;
    if token.role < needed {
        let detail = format!(
            "this needs the role {}, the token has {}",
            needed.as_str(),
            token.role.as_str()
        );
        return Err(Failure::new(ProblemType::Forbidden, detail));
    }
    Ok(Actor::Token(token.name))
}

fn unauthorized() -> Failure {
    Failure::new(
        ProblemType::Unauthorized,
        "expected `Authorization: Bearer` with an API token",
    )
}

/// Somebody who may see state.
#[derive(Debug)]
pub(super) struct Viewer;

/// Somebody who may arm, hold and read boot URLs, by the name of their token.
#[derive(Debug)]
pub(super) struct Operator(pub(super) Actor);

impl FromRequestParts<App> for Viewer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        caller(parts, app, AccessRole::Viewer).await.map(|_| Self)
    }
}

impl FromRequestParts<App> for Operator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        caller(parts, app, AccessRole::Operator).await.map(Self)
    }
}
