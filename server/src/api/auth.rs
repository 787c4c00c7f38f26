//! Who asks, and whether they may: a bearer token, looked up by its hash, or a person at the pages.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use thirdboot_api::ProblemType;
use thirdboot_store::{AccessRole, Actor, Token};

use super::trail::Trail;
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

/// Whose credentials these are. The one place that knows what credentials there are.
async fn identified(parts: &Parts, app: &App) -> Result<Caller, Failure> {
    // A page asks on behalf of who is signed in: from inside, so that no header can say the same.
    if let Some(caller) = parts.extensions.get::<Caller>() {
        Trail::note(parts, caller);
        return Ok(caller.clone());
    }
    let text = bearer_token(&parts.headers).ok_or_else(unauthorized)?;
    let token: Token = app.store.token(&token_sha256(text)).await?.ok_or_else(unauthorized)?;
    app.token_uses.used(&app.store, &token.name);
    let caller = Caller {
        by: Actor::Token(token.name),
        role: token.role,
    };
    Trail::note(parts, &caller);
    Ok(caller)
}

async fn caller(parts: &Parts, app: &App, needed: AccessRole) -> Result<Actor, Failure> {
    let caller = identified(parts, app).await?;
    caller.require(needed)?;
    Ok(caller.by)
}

fn unauthorized() -> Failure {
    Failure::new(
        ProblemType::Unauthorized,
        "expected `Authorization: Bearer` with an API token",
    )
}

/// Whoever asks, where the role decides over a part of the answer only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// By the name of the token, or the person's.
    pub(crate) by: Actor,
    /// What they may do.
    pub(crate) role: AccessRole,
}

impl Caller {
    /// Refuses a lower role.
    pub(crate) fn require(&self, needed: AccessRole) -> Result<(), Failure> {
        if self.role >= needed {
            return Ok(());
        }
        let detail = format!(
            "this needs the role {}, yours is {}",
            needed.as_str(),
            self.role.as_str()
        );
        Err(Failure::new(ProblemType::Forbidden, detail))
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        identified(parts, app).await
    }
}

/// Somebody who may see state.
#[derive(Debug)]
pub(super) struct Viewer;

/// Somebody who may arm, hold and read boot URLs, by the name of their token.
#[derive(Debug)]
pub(super) struct Operator(pub(super) Actor);

/// Somebody who may write templates, tokens and clusters, and change what holds for everybody, by the name of their
/// token.
#[derive(Debug)]
pub(super) struct Admin(pub(super) Actor);

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

impl FromRequestParts<App> for Admin {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        caller(parts, app, AccessRole::Admin).await.map(Self)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;
    use axum::body::Body;
    use axum::http::Method;

    #[tokio::test]
    async fn health_needs_no_token_and_readiness_tells_of_the_store() {
        let site = TestApp::new().await;
        assert_eq!(site.api_as("", Method::GET, "/readyz", Body::empty()).await.status, 200);
        site.app.store.close().await;
        assert_eq!(
            site.api_as("", Method::GET, "/readyz", Body::empty()).await.problem().0,
            503
        );
        assert_eq!(
            site.api_as("", Method::GET, "/healthz", Body::empty()).await.status,
            200
        );
    }

    #[tokio::test]
    async fn the_first_start_leaves_a_token_that_only_the_owner_reads() {
        use std::os::unix::fs::PermissionsExt as _;
        let site = TestApp::new().await;
        let file = site.path("data/admin-token");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), site.token);
        let first = site.token.clone();
        let site = site.restarted().await;
        assert_eq!(site.token, first);
        assert_eq!(site.api_get("/api/v1/hosts").await.status, 200);
    }
}
