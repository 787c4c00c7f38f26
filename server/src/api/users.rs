//! People who sign in to the pages: added, listed, taken away.

use axum::Json as Answered;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use thirdboot_api::ProblemType;
use thirdboot_api::control::{Page, PasswordBody, UserSpec, UserView};
use thirdboot_store::{StoreError, User};

use super::auth::Admin;
use super::tokens::{shown, stored};
use crate::App;
use crate::boot::Json;
use crate::path::Path;
use crate::people::{check_name, check_password};
use crate::problem::{Answer, Failure};

/// Lists everybody who may sign in, by name.
#[utoipa::path(
    get, path = "/api/v1/users", tag = "access", operation_id = "list_users", security(("token" = ["admin"])),
    responses((status = 200, description = "All of them", body = Page<UserView>)),
)]
pub(super) async fn list(State(app): State<App>, _: Admin) -> Answer<Answered<Page<UserView>>> {
    let users = app.store.users().await?;
    Ok(Answered(Page {
        items: users.iter().map(view).collect(),
        next_cursor: None,
    }))
}

/// Adds somebody who may sign in.
///
/// Takes no Idempotency-Key: what would be kept of the request could be used to guess at the password.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "access", operation_id = "create_user", security(("token" = ["admin"])),
    request_body = UserSpec,
    responses((
        status = 201, description = "The user as added", body = UserView, headers(("Location" = String)),
    )),
    extensions(("x-problems" = json!(["already-taken"]))),
)]
pub(super) async fn create(State(app): State<App>, Admin(by): Admin, Json(spec): Json<UserSpec>) -> Answer<Response> {
    let user = described(&app, &spec, Some(by.to_string())).await?;
    app.store.add_user(user.clone()).await?;
    // Somebody can sign in now.
    app.people.set_up.close();
    tracing::info!(user = user.name, role = %spec.role, %by, "user added");
    let location = [(header::LOCATION, format!("/api/v1/users/{}", user.name))];
    Ok((StatusCode::CREATED, location, Answered(view(&user))).into_response())
}

/// Makes the first admin, if nobody can sign in yet.
pub(crate) async fn create_first(app: &App, spec: &UserSpec) -> Result<(), Failure> {
    let user = described(app, spec, None).await?;
    match app.store.add_first_user(user).await {
        Err(StoreError::Taken { .. }) => {
            let detail = "somebody was first: sign in, or ask them for a user";
            Err(Failure::new(ProblemType::Refused, detail))
        }
        added => Ok(added?),
    }
}

async fn described(app: &App, spec: &UserSpec, by: Option<String>) -> Result<User, Failure> {
    check_name(&spec.name)?;
    check_password(&spec.password)?;
    let now = app.store.now();
    Ok(User {
        name: spec.name.clone(),
        role: stored(spec.role),
        password_hash: app.people.passwords.hash(&spec.password).await?,
        created_at: now,
        created_by: by,
        password_set_at: now,
    })
}

/// Takes a user away: their sessions end at once. The answer is who it was.
#[utoipa::path(
    delete, path = "/api/v1/users/{name}", tag = "access", operation_id = "delete_user", security(("token" = ["admin"])),
    params(("name" = String, Path, description = "The user's name", example = "ann")),
    responses((status = 200, description = "Who it was", body = UserView)),
)]
pub(super) async fn remove(
    State(app): State<App>,
    Admin(by): Admin,
    Path(name): Path<String>,
) -> Answer<Answered<UserView>> {
    let user = named(&app, &name).await?;
    if !app.store.remove_user(&name).await? {
        return Err(nobody(&name));
    }
    tracing::info!(user = user.name, %by, "user removed");
    Ok(Answered(view(&user)))
}

/// Sets a user's password: their sessions end at once.
#[utoipa::path(
    put, path = "/api/v1/users/{name}/password", tag = "access", operation_id = "set_password",
    security(("token" = ["admin"])),
    params(("name" = String, Path, description = "The user's name", example = "ann")),
    request_body = PasswordBody,
    responses((status = 200, description = "The user", body = UserView)),
)]
pub(super) async fn set_password(
    State(app): State<App>,
    Admin(by): Admin,
    Path(name): Path<String>,
    Json(body): Json<PasswordBody>,
) -> Answer<Answered<UserView>> {
    check_password(&body.password)?;
    named(&app, &name).await?;
    let hash = app.people.passwords.hash(&body.password).await?;
    if !app.store.set_password(&name, hash).await? {
        return Err(nobody(&name));
    }
    tracing::info!(user = name, %by, "password set");
    named(&app, &name).await.map(|user| Answered(view(&user)))
}

async fn named(app: &App, name: &str) -> Result<User, Failure> {
    app.store.user(name).await?.ok_or_else(|| nobody(name))
}

fn nobody(name: &str) -> Failure {
    let shown: String = name.chars().take(80).collect();
    Failure::new(ProblemType::NotFound, format!("there is no user {shown:?}"))
}

fn view(user: &User) -> UserView {
    UserView {
        name: user.name.clone(),
        role: shown(user.role),
        created_at: user.created_at,
        created_by: user.created_by.clone(),
        password_set_at: user.password_set_at,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Method;
    use serde_json::{Value, json};

    use crate::testing::TestApp;

    const PASSWORD: &str = "correct horse battery";

    fn ann() -> Value {
        json!({"name": "ann", "role": "operator", "password": PASSWORD})
    }

    #[tokio::test]
    async fn a_user_is_added_listed_and_taken_away() {
        let site = TestApp::new().await;
        let added = site.api_post("/api/v1/users", &ann()).await;
        assert_eq!(
            (added.status.as_u16(), added.header("location")),
            (201, "/api/v1/users/ann")
        );
        let listed = site.api_get("/api/v1/users").await;
        assert_eq!(listed.json()["items"], json!([added.json()]));
        assert_eq!(added.json()["created_by"], "admin");
        for secret in [PASSWORD, "argon2"] {
            assert!(!listed.text().contains(secret), "{}", listed.text());
        }
        let again = site.api_post("/api/v1/users", &ann()).await;
        assert_eq!(again.problem(), (409, "already-taken".into(), "name".into()));
        let gone = site.api_delete("/api/v1/users/ann").await;
        assert_eq!((gone.status.as_u16(), gone.json()["name"].as_str()), (200, Some("ann")));
        assert_eq!(site.api_delete("/api/v1/users/ann").await.problem().0, 404);
    }

    #[tokio::test]
    async fn what_is_no_user_is_refused_and_the_field_is_named() {
        let site = TestApp::new().await;
        for (field, value) in [
            ("name", json!("a b")),
            ("role", json!("root")),
            ("password", json!("too short")),
            ("shell", json!("/bin/sh")),
        ] {
            let mut user = ann();
            user[field] = value;
            let problem = site.api_post("/api/v1/users", &user).await.problem();
            assert_eq!((problem.0, problem.2.as_str()), (422, field));
        }
        let body = Body::from(json!({"password": "short"}).to_string());
        let short = site
            .api_as(&site.token, Method::PUT, "/api/v1/users/ann/password", body)
            .await;
        assert_eq!(short.problem().2, "password");
    }

    #[tokio::test]
    async fn no_password_is_logged() {
        let (logged, _guard) = crate::testing::Logged::start();
        let site = TestApp::new().await;
        site.api_post("/api/v1/users", &ann()).await;
        let text = logged.text();
        assert!(text.contains("user added"), "{text}");
        assert!(!text.contains(PASSWORD) && !text.contains("argon2id"), "{text}");
    }
}
