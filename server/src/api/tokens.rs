//! Tokens: made, listed, taken away.

use axum::Json as Answered;
use axum::extract::State;
use axum::http::StatusCode;
use thirdboot_api::ProblemType;
use thirdboot_api::control::{AccessRole as Role, CallerView, Page, TokenCreated, TokenSpec, TokenView};
use thirdboot_store::{AccessRole, ListedToken, Revocation, Token};

use super::auth::{Admin, Caller, new_token, token_sha256};
use super::once::{Made, Once};
use crate::App;
use crate::boot::Json;
use crate::path::Path;
use crate::problem::{Answer, Failure};

/// Names of tokens are at most this long.
const MAX_NAME_CHARS: usize = 64;
/// Names in logs that are no token's.
const RESERVED: [&str; 2] = ["host", "server"];

/// Makes a token, and shows it this once.
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "access", operation_id = "create_token", security(("token" = ["admin"])),
    request_body = TokenSpec,
    responses((status = 201, description = "The token; it is not shown again", body = TokenCreated)),
    extensions(("x-problems" = json!(["already-taken"])), ("x-idempotent" = json!(true))),
)]
pub(super) async fn create(
    State(app): State<App>,
    Admin(by): Admin,
    once: Once,
    Json(spec): Json<TokenSpec>,
) -> Answer<Made> {
    let name = checked(&spec.name)?;
    let (keep, made) = once.answered(&app, &by, "create_token", &spec).await?;
    if let Some(made) = made {
        return Ok(made);
    }
    let text = new_token().map_err(Failure::internal)?;
    let token = Token {
        name: name.to_owned(),
        role: stored(spec.role),
        sha256: token_sha256(&text),
        created_at: app.store.now(),
    };
    let created = TokenCreated {
        name: name.to_owned(),
        role: spec.role,
        token: text,
        created_at: token.created_at,
    };
    let made = Made::at(format!("/api/v1/tokens/{name}"), &created)?;
    let answer = keep.answer(&app, &made)?;
    match app.store.create_token(token, by.to_string(), answer).await {
        Ok(()) => {
            tracing::info!(token = name, role = %spec.role, %by, "token made");
            Ok(made)
        }
        Err(error) => keep.raced(&app, &error).await?.ok_or_else(|| error.into()),
    }
}

fn checked(name: &str) -> Result<&str, Failure> {
    let is_fit = |c: u8| c.is_ascii_alphanumeric() || b"._@-".contains(&c);
    let begins_well = name.bytes().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if !begins_well || name.len() > MAX_NAME_CHARS || !name.bytes().all(is_fit) {
        let expected = "expected 1 to 64 characters of A-Z a-z 0-9 . _ @ -, the first a letter or digit";
        return Err(Failure::field("name", expected));
    }
    if RESERVED.contains(&name) {
        let detail = format!("{name:?} is what the log calls somebody else: expected another name");
        return Err(Failure::field("name", detail));
    }
    Ok(name)
}

/// Lists every token, by name. The tokens themselves are not kept.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "access", operation_id = "list_tokens", security(("token" = ["admin"])),
    responses((status = 200, description = "All of them", body = Page<TokenView>)),
)]
pub(super) async fn list(State(app): State<App>, _: Admin) -> Answer<Answered<Page<TokenView>>> {
    let tokens = app.store.tokens().await?;
    Ok(Answered(Page {
        items: tokens.into_iter().map(|token| view(&app, token)).collect(),
        next_cursor: None,
    }))
}

fn view(app: &App, token: ListedToken) -> TokenView {
    TokenView {
        last_used_at: token.last_used_at.max(app.token_uses.last(&token.name)),
        name: token.name,
        role: shown(token.role),
        created_at: token.created_at,
        created_by: token.created_by,
    }
}

/// Takes a token away: whoever has it is a stranger from now on.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{name}", tag = "access", operation_id = "revoke_token",
    security(("token" = ["admin"])),
    params(("name" = String, Path, description = "The token's name", example = "ci")),
    responses((status = 204, description = "It is gone")),
    extensions(("x-problems" = json!(["refused"]))),
)]
pub(super) async fn revoke(State(app): State<App>, Admin(by): Admin, Path(name): Path<String>) -> Answer<StatusCode> {
    match app.store.revoke_token(&name).await? {
        Revocation::Revoked => {
            app.token_uses.forget(&name);
            tracing::info!(token = name, %by, "token revoked");
            Ok(StatusCode::NO_CONTENT)
        }
        Revocation::Unknown => {
            let shown: String = name.chars().take(80).collect();
            Err(Failure::new(
                ProblemType::NotFound,
                format!("there is no token {shown:?}"),
            ))
        }
        Revocation::LastAdmin => {
            let detail = "it is the last token of an admin: make another one first, or nobody could";
            Err(Failure::new(ProblemType::Refused, detail))
        }
    }
}

/// As whom the server sees the caller.
#[utoipa::path(
    get, path = "/api/v1/whoami", tag = "access", operation_id = "whoami", security(("token" = ["viewer"])),
    responses((status = 200, description = "Name and role of the token", body = CallerView)),
)]
pub(super) async fn whoami(caller: Caller) -> Answered<CallerView> {
    Answered(CallerView {
        name: caller.by.to_string(),
        role: shown(caller.role),
    })
}

/// The role in the store's words.
pub(super) fn stored(role: Role) -> AccessRole {
    match role {
        Role::Viewer => AccessRole::Viewer,
        Role::Operator => AccessRole::Operator,
        Role::Admin => AccessRole::Admin,
    }
}

/// The role in the API's words.
pub(super) fn shown(role: AccessRole) -> Role {
    match role {
        AccessRole::Viewer => Role::Viewer,
        AccessRole::Operator => Role::Operator,
        AccessRole::Admin => Role::Admin,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Method;
    use serde_json::{Value, json};

    use crate::testing::TestApp;

    async fn made(site: &TestApp, name: &str, role: &str) -> String {
        let reply = site
            .api_post("/api/v1/tokens", &json!({"name": name, "role": role}))
            .await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        assert_eq!(reply.header("location"), format!("/api/v1/tokens/{name}"));
        reply.json()["token"].as_str().unwrap().to_owned()
    }

    async fn revoke(site: &TestApp, name: &str) -> u16 {
        let path = format!("/api/v1/tokens/{name}");
        let reply = site.api_as(&site.token, Method::DELETE, &path, Body::empty()).await;
        reply.status.as_u16()
    }

    async fn listed(site: &TestApp) -> Vec<Value> {
        let list = site.api_get("/api/v1/tokens").await.json();
        list["items"].as_array().unwrap().clone()
    }

    #[tokio::test]
    async fn a_token_is_shown_once_works_is_listed_and_dies_when_revoked() {
        let site = TestApp::new().await;
        let token = made(&site, "ci", "operator").await;
        let me = site.api_as(&token, Method::GET, "/api/v1/whoami", Body::empty()).await;
        assert_eq!(me.json(), json!({"name": "ci", "role": "operator"}));
        let list = site.api_get("/api/v1/tokens").await;
        assert!(!list.text().contains("tb_api_"), "{}", list.text());
        let names: Vec<Value> = listed(&site).await.iter().map(|token| token["name"].clone()).collect();
        assert_eq!(names, ["admin", "ci"]);
        let ci = listed(&site).await[1].clone();
        assert_eq!((&ci["role"], &ci["created_by"]), (&json!("operator"), &json!("admin")));
        assert_eq!(ci["last_used_at"], site.app.store.now().to_string());
        assert_eq!(revoke(&site, "ci").await, 204);
        let me = site.api_as(&token, Method::GET, "/api/v1/whoami", Body::empty()).await;
        assert_eq!(me.status, 401);
        assert_eq!(revoke(&site, "ci").await, 404);
        // Its name is free, and nothing of the old one sticks to it.
        made(&site, "ci", "viewer").await;
        assert_eq!(listed(&site).await[1]["last_used_at"], json!(null));
    }

    #[tokio::test]
    async fn a_use_is_known_after_a_restart() {
        let site = TestApp::new().await;
        let token = made(&site, "ci", "viewer").await;
        site.api_as(&token, Method::GET, "/api/v1/whoami", Body::empty()).await;
        let used = site.app.store.now();
        // Ends what is queued, the note among it.
        let site = site.restarted().await;
        site.wait(5);
        assert_eq!(listed(&site).await[1]["last_used_at"], used.to_string());
    }

    #[tokio::test]
    async fn the_last_admin_cannot_lock_everybody_out() {
        let site = TestApp::new().await;
        assert_eq!(revoke(&site, "admin").await, 409);
        made(&site, "second", "admin").await;
        assert_eq!(revoke(&site, "second").await, 204);
        assert_eq!(revoke(&site, "admin").await, 409);
    }

    #[tokio::test]
    async fn a_name_that_cannot_be_is_refused() {
        let site = TestApp::new().await;
        for (body, status, field) in [
            (json!({"name": "", "role": "viewer"}), 422, "name"),
            (json!({"name": "a b", "role": "viewer"}), 422, "name"),
            (json!({"name": "-a", "role": "viewer"}), 422, "name"),
            (json!({"name": "server", "role": "viewer"}), 422, "name"),
            (json!({"name": "x".repeat(65), "role": "viewer"}), 422, "name"),
            (json!({"name": "a", "role": "root"}), 422, "role"),
            (json!({"name": "a"}), 422, "role"),
            (json!({"name": "a", "role": "viewer", "ttl": 1}), 422, "ttl"),
            (json!({"name": "admin", "role": "viewer"}), 409, "name"),
        ] {
            let problem = site.api_post("/api/v1/tokens", &body).await.problem();
            assert_eq!((problem.0, problem.2.as_str()), (status, field), "{body}");
        }
    }
}
