//! People who sign in to the pages: added, listed, taken away.

use axum::Json as Answered;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::SignedDuration;
use thirdboot_api::ProblemType;
use thirdboot_api::control::{Page, PasswordBody, RoleBody, UserLink, UserSpec, UserView};
use thirdboot_store::{Actor, FIRST_USER, StoreError, User};

use super::auth::Admin;
use super::auth::token_sha256;
use super::tokens::{shown, stored};
use crate::App;
use crate::boot::Json;
use crate::path::Path;
use crate::people::{check_name, check_password};
use crate::problem::{Answer, Failure};
use crate::secrets::random_text;

/// So long somebody has to follow their link.
const LINK: SignedDuration = SignedDuration::from_hours(72);

/// Lists everybody who may sign in, by name.
#[utoipa::path(
    get, path = "/api/v1/users", tag = "access", operation_id = "list_users", security(("token" = ["admin"])),
    responses((status = 200, description = "All of them", body = Page<UserView>)),
)]
pub(super) async fn list(State(app): State<App>, _: Admin) -> Answer<Answered<Page<UserView>>> {
    let users = app.store.users().await?;
    Ok(Answered(Page {
        items: users.iter().map(|user| view(&app, user)).collect(),
        next_cursor: None,
    }))
}

/// Adds somebody who may sign in.
///
/// Without a password they cannot sign in before they followed their link (`create_user_link`).
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
    if user.password_hash.is_some() {
        // Somebody can sign in now.
        app.people.set_up.close();
    }
    tracing::info!(user = user.name, role = %spec.role, %by, "user added");
    let location = [(header::LOCATION, format!("/api/v1/users/{}", user.name))];
    Ok((StatusCode::CREATED, location, Answered(view(&app, &user))).into_response())
}

/// Makes the first admin, if nobody can sign in yet.
pub(crate) async fn create_first(app: &App, spec: &UserSpec) -> Result<(), Failure> {
    let user = described(app, spec, None).await?;
    match app.store.add_first_user(user).await {
        Err(StoreError::Taken { field: FIRST_USER, .. }) => {
            let detail = "somebody was first: sign in, or ask them for a user";
            Err(Failure::new(ProblemType::Refused, detail))
        }
        added => Ok(added?),
    }
}

async fn described(app: &App, spec: &UserSpec, by: Option<String>) -> Result<User, Failure> {
    check_name(&spec.name)?;
    let password_hash = match &spec.password {
        Some(password) => {
            check_password(password)?;
            Some(app.people.passwords.hash(password).await?)
        }
        None => None,
    };
    let now = app.store.now();
    Ok(User {
        name: spec.name.clone(),
        role: stored(spec.role),
        password_set_at: password_hash.as_ref().map(|_| now),
        password_hash,
        created_at: now,
        created_by: by,
        link_expires_at: None,
    })
}

/// Takes a user away: their sessions end at once. The answer is who it was. The last admin stays.
#[utoipa::path(
    delete, path = "/api/v1/users/{name}", tag = "access", operation_id = "delete_user", security(("token" = ["admin"])),
    params(("name" = String, Path, description = "The user's name", example = "ann")),
    responses((status = 200, description = "Who it was", body = UserView)),
    extensions(("x-problems" = json!(["refused"]))),
)]
pub(super) async fn remove(
    State(app): State<App>,
    Admin(by): Admin,
    Path(name): Path<String>,
) -> Answer<Answered<UserView>> {
    let user = named(&app, &name).await?;
    is_another(&by, &name)?;
    if !app.store.remove_user(&name).await? {
        return Err(nobody(&name));
    }
    tracing::info!(user = user.name, %by, "user removed");
    Ok(Answered(view(&app, &user)))
}

/// Sets what a user may do: it counts in their sessions, too. The last admin stays one.
#[utoipa::path(
    put, path = "/api/v1/users/{name}/role", tag = "access", operation_id = "set_role",
    security(("token" = ["admin"])),
    params(("name" = String, Path, description = "The user's name", example = "ann")),
    request_body = RoleBody,
    responses((status = 200, description = "The user", body = UserView)),
    extensions(("x-problems" = json!(["refused"]))),
)]
pub(super) async fn set_role(
    State(app): State<App>,
    Admin(by): Admin,
    Path(name): Path<String>,
    Json(body): Json<RoleBody>,
) -> Answer<Answered<UserView>> {
    named(&app, &name).await?;
    is_another(&by, &name)?;
    if !app.store.set_role(&name, stored(body.role)).await? {
        return Err(nobody(&name));
    }
    tracing::info!(user = name, role = %body.role, %by, "role set");
    named(&app, &name).await.map(|user| Answered(view(&app, &user)))
}

/// Makes a link with which a user chooses their password, once, in the next three days.
///
/// An earlier link of theirs leads nowhere then. Their password and their sessions stay until the link is followed.
#[utoipa::path(
    post, path = "/api/v1/users/{name}/link", tag = "access", operation_id = "create_user_link",
    security(("token" = ["admin"])),
    params(("name" = String, Path, description = "The user's name", example = "ann")),
    responses((status = 200, description = "The link: a secret", body = UserLink)),
    extensions(("x-problems" = json!(["refused"]))),
)]
pub(super) async fn link(
    State(app): State<App>,
    Admin(by): Admin,
    Path(name): Path<String>,
) -> Answer<Answered<UserLink>> {
    // With it a password is set without the present one.
    is_another(&by, &name)?;
    let secret = format!("tb_setup_{}", random_text().map_err(Failure::internal)?);
    let expires_at = app.store.now().saturating_add(LINK).map_err(Failure::internal)?;
    let kept = app.store.set_link(&name, &token_sha256(&secret), expires_at).await?;
    if !kept {
        return Err(nobody(&name));
    }
    tracing::info!(user = name, %by, "a link to choose a password was made");
    Ok(Answered(UserLink {
        path: format!("/set-up/{secret}"),
        expires_at,
    }))
}

/// Whoever could take their own right away would sooner or later leave nobody with it.
fn is_another(by: &Actor, name: &str) -> Result<(), Failure> {
    if matches!(by, Actor::User(own) if own == name) {
        let detail = "this is yourself: have another admin do it";
        return Err(Failure::new(ProblemType::Refused, detail));
    }
    Ok(())
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
    app.people.set_up.close();
    tracing::info!(user = name, %by, "password set");
    named(&app, &name).await.map(|user| Answered(view(&app, &user)))
}

async fn named(app: &App, name: &str) -> Result<User, Failure> {
    app.store.user(name).await?.ok_or_else(|| nobody(name))
}

fn nobody(name: &str) -> Failure {
    let shown: String = name.chars().take(80).collect();
    Failure::new(ProblemType::NotFound, format!("there is no user {shown:?}"))
}

fn view(app: &App, user: &User) -> UserView {
    UserView {
        name: user.name.clone(),
        role: shown(user.role),
        created_at: user.created_at,
        created_by: user.created_by.clone(),
        password_set_at: user.password_set_at,
        link_expires_at: user.link_expires_at.filter(|over| *over > app.store.now()),
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
    async fn who_was_added_without_a_password_follows_a_link() {
        let site = TestApp::new().await;
        let added = site
            .api_post("/api/v1/users", &json!({"name": "bob", "role": "viewer"}))
            .await
            .json();
        assert_eq!(
            (&added["password_set_at"], &added["link_expires_at"]),
            (&Value::Null, &Value::Null)
        );
        let browser = site.browser();
        assert_eq!(
            browser.sign_in("bob", "").await.status,
            401,
            "no password is no empty one"
        );
        let link = site.api_post("/api/v1/users/bob/link", &json!({})).await.json();
        assert!(
            link["path"].as_str().unwrap().starts_with("/set-up/tb_setup_"),
            "{link}"
        );
        let listed = site.api_get("/api/v1/users").await;
        assert_eq!(listed.json()["items"][0]["link_expires_at"], link["expires_at"]);
        assert!(!listed.text().contains("tb_setup_"), "{}", listed.text());
        assert_eq!(
            site.api_post("/api/v1/users/eve/link", &json!({})).await.problem().0,
            404
        );
        site.wait(3 * 24 * 60);
        let listed = site.api_get("/api/v1/users").await.json();
        assert_eq!(listed["items"][0]["link_expires_at"], Value::Null);
    }

    #[tokio::test]
    async fn the_last_admin_stays_whoever_asks() {
        let site = TestApp::new().await;
        for user in [
            json!({"name": "ann", "role": "admin", "password": PASSWORD}),
            json!({"name": "bob", "role": "admin"}),
        ] {
            assert_eq!(site.api_post("/api/v1/users", &user).await.status, 201);
        }
        let lower = async |name: &str| {
            let body = Body::from(json!({"role": "viewer"}).to_string());
            let path = format!("/api/v1/users/{name}/role");
            site.api_as(&site.token, Method::PUT, &path, body).await
        };
        for refused in [lower("ann").await, site.api_delete("/api/v1/users/ann").await] {
            assert_eq!(refused.problem().0, 409, "bob cannot sign in");
            assert!(refused.text().contains("ann is the last admin"), "{}", refused.text());
        }
        let body = Body::from(json!({"password": PASSWORD}).to_string());
        let set = site
            .api_as(&site.token, Method::PUT, "/api/v1/users/bob/password", body)
            .await;
        assert_eq!(set.status, 200);
        assert_eq!(lower("ann").await.status, 200);
        assert_eq!(site.api_delete("/api/v1/users/bob").await.problem().0, 409);
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
