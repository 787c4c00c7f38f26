//! Package repositories: added, replaced, listed, forgotten.

use axum::Json as Answered;
use axum::extract::State;
use serde_json::json;
use thirdboot_api::ProblemType;
use thirdboot_api::control::{Page, RepositorySpec, RepositoryView};
use thirdboot_lifecycle::{Repository, RepositoryName};
use thirdboot_store::Versioned;

use super::auth::{Admin, Viewer};
use super::describe::read;
use super::view::same;
use crate::App;
use crate::boot::Json;
use crate::path::Path;
use crate::problem::{Answer, Failure};

/// A repository serves this many roles at most: there are no more.
const MAX_ROLES: usize = 16;

/// Lists package repositories by name.
#[utoipa::path(
    get, path = "/api/v1/repositories", tag = "packages", operation_id = "list_repositories", security(("token" = ["viewer"])),
    responses((status = 200, description = "All of them", body = Page<RepositoryView>)),
)]
pub(super) async fn list(State(app): State<App>, _: Viewer) -> Answer<Answered<Page<RepositoryView>>> {
    let repositories = app.store.repositories().await?;
    Ok(Answered(Page {
        items: repositories.iter().map(view).collect(),
        next_cursor: None,
    }))
}

/// Shows a package repository.
#[utoipa::path(
    get, path = "/api/v1/repositories/{name}", tag = "packages", operation_id = "get_repository", security(("token" = ["viewer"])),
    params(("name" = String, Path, description = "The repository's name", example = "k3s")),
    responses((status = 200, description = "The repository", body = RepositoryView)),
)]
pub(super) async fn show(
    State(app): State<App>,
    _: Viewer,
    Path(name): Path<String>,
) -> Answer<Answered<RepositoryView>> {
    named(&app, &name).await.map(|repository| Answered(view(&repository)))
}

/// Adds a package repository, or replaces the one of that name.
///
/// Hosts get it when they are armed the next time.
#[utoipa::path(
    put, path = "/api/v1/repositories/{name}", tag = "packages", operation_id = "put_repository", security(("token" = ["admin"])),
    params(("name" = String, Path, description = "Its name: an RFC 1123 label", example = "k3s")),
    request_body = RepositorySpec,
    responses((status = 200, description = "The repository as it is now", body = RepositoryView)),
)]
pub(super) async fn put(
    State(app): State<App>,
    Admin(by): Admin,
    Path(name): Path<String>,
    Json(spec): Json<RepositorySpec>,
) -> Answer<Answered<RepositoryView>> {
    if spec.roles.len() > MAX_ROLES {
        return Err(Failure::field("roles", format!("expected at most {MAX_ROLES}")));
    }
    let value: Repository = read(
        "",
        &json!({"name": name, "url": spec.url, "gpg_key": spec.gpg_key, "roles": spec.roles}),
    )?;
    value
        .check_key()
        .map_err(|error| Failure::field("gpg_key", error.to_string()))?;
    let version = app.store.put_repository(value.clone()).await?;
    tracing::info!(repository = %value.name, version, %by, "repository kept");
    Ok(Answered(view(&Versioned { version, value })))
}

/// Forgets a package repository.
///
/// Hosts that have it keep it until they are installed anew.
#[utoipa::path(
    delete, path = "/api/v1/repositories/{name}", tag = "packages", operation_id = "remove_repository", security(("token" = ["admin"])),
    params(("name" = String, Path, description = "The repository's name", example = "k3s")),
    responses((status = 200, description = "What it was", body = RepositoryView)),
)]
pub(super) async fn remove(
    State(app): State<App>,
    Admin(by): Admin,
    Path(name): Path<String>,
) -> Answer<Answered<RepositoryView>> {
    let repository = named(&app, &name).await?;
    if !app.store.remove_repository(&repository.value.name).await? {
        return Err(none(&name));
    }
    tracing::info!(repository = name, %by, "repository forgotten");
    Ok(Answered(view(&repository)))
}

fn none(name: &str) -> Failure {
    let shown: String = name.chars().take(80).collect();
    Failure::new(ProblemType::NotFound, format!("there is no repository {shown:?}"))
}

async fn named(app: &App, name: &str) -> Result<Versioned<Repository>, Failure> {
    let name: RepositoryName = name.parse().map_err(|_| none(name))?;
    let all = app.store.repositories().await?;
    let found = all.into_iter().find(|repository| repository.value.name == name);
    found.ok_or_else(|| none(name.as_str()))
}

fn view(repository: &Versioned<Repository>) -> RepositoryView {
    let Versioned { version, value } = repository;
    RepositoryView {
        name: value.name.to_string(),
        url: value.url.to_string(),
        gpg_key: value.gpg_key.clone(),
        roles: value.roles.iter().map(same).collect(),
        version: *version,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Method;
    use serde_json::{Value, json};

    use crate::api::beside::Beside;
    use crate::testing::{Reply, TestApp};

    const KEY: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxgQEAAAB\n-----END PGP PUBLIC KEY BLOCK-----\n";

    async fn put(site: &TestApp, path: &str, body: &Value) -> Reply {
        site.api_as(&site.token, Method::PUT, path, Body::from(body.to_string()))
            .await
    }

    #[tokio::test]
    async fn a_repository_is_added_replaced_listed_and_forgotten() {
        let site = TestApp::new().await;
        let mut spec = json!({"url": "https://packages.example.net/k3s", "gpg_key": KEY, "roles": ["agent"]});
        assert_eq!(put(&site, "/api/v1/repositories/k3s", &spec).await.json()["version"], 1);
        spec["url"] = json!("https://packages.example.net/k3s-2");
        assert_eq!(put(&site, "/api/v1/repositories/k3s", &spec).await.json()["version"], 2);
        let listed = site.api_get("/api/v1/repositories").await.json();
        assert_eq!(listed["items"][0]["url"], spec["url"]);
        let removed = site
            .api_as(&site.token, Method::DELETE, "/api/v1/repositories/k3s", Body::empty())
            .await;
        assert_eq!(removed.status, 200, "{}", removed.text());
        assert_eq!(site.api_get("/api/v1/repositories/k3s").await.problem().0, 404);
        let again = site
            .api_as(&site.token, Method::DELETE, "/api/v1/repositories/k3s", Body::empty())
            .await;
        assert_eq!(again.problem().0, 404);
    }

    #[tokio::test]
    async fn what_is_no_repository_is_refused_by_field() {
        let site = TestApp::new().await;
        for (path, name, value, field) in [
            ("a_b", "url", json!("https://x/y"), "name"),
            ("ok", "url", json!("https://me:pw@x/y"), "url"),
            ("ok", "url", json!("/etc/x"), "url"),
            ("ok", "gpg_key", json!("https://x/key"), "gpg_key"),
            ("ok", "gpg_key", json!(KEY.replace("PUBLIC", "PRIVATE")), "gpg_key"),
            ("ok", "roles", json!(["boss"]), "roles[0]"),
            ("ok", "key", json!("x"), "key"),
        ] {
            let mut spec = json!({"url": "https://packages.example.net/k3s", "gpg_key": KEY});
            spec[name] = value;
            let reply = put(&site, &format!("/api/v1/repositories/{path}"), &spec).await;
            let (status, _, at) = reply.problem();
            assert_eq!((status, at.as_str()), (422, field), "{}", reply.text());
            assert!(!reply.text().contains("me:pw"));
        }
    }

    #[tokio::test]
    async fn a_host_has_its_roles_packages_and_repositories() {
        let site = TestApp::new().await;
        let spec = json!({"url": "https://packages.example.net/k3s", "gpg_key": KEY, "roles": ["agent"]});
        put(&site, "/api/v1/repositories/k3s", &spec).await;
        put(
            &site,
            "/api/v1/roles/agent",
            &json!({"packages": ["k3s-selinux", "htop"]}),
        )
        .await;
        let state = site
            .host_with("a1", 1, json!({"role": "agent", "packages": ["vim", "htop"]}))
            .await;
        let runner = site.host("a2", 2).await;
        let beside = Beside::of(&site.app, &state).await.unwrap();
        assert_eq!(
            beside.sources.packages(&state.host.packages),
            ["k3s-selinux", "htop", "vim"]
        );
        assert_eq!(beside.sources.repositories[0].name.as_str(), "k3s");
        let beside = Beside::of(&site.app, &runner).await.unwrap();
        assert_eq!(beside.sources.repositories, [], "it is not for runners");
        assert_eq!(beside.sources.packages(&runner.host.packages), [""; 0]);
    }
}
