//! What every host of a role has beside its own.

use axum::Json as Answered;
use axum::extract::State;
use thirdboot_api::ProblemType;
use thirdboot_api::control::{self, Page, RoleSpec, RoleView};
use thirdboot_lifecycle::{Role, RoleDefaults};
use thirdboot_render::check_packages;
use thirdboot_store::Versioned;

use super::auth::{Admin, Viewer};
use super::view::same;
use crate::App;
use crate::boot::Json;
use crate::path::Path;
use crate::problem::{Answer, Failure};

/// As many as a host can have of its own.
const MAX_PACKAGES: usize = 64;

/// Lists what every host of each role has.
#[utoipa::path(
    get, path = "/api/v1/roles", tag = "packages", operation_id = "list_roles", security(("token" = ["viewer"])),
    responses((status = 200, description = "Every role", body = Page<RoleView>)),
)]
pub(super) async fn list(State(app): State<App>, _: Viewer) -> Answer<Answered<Page<RoleView>>> {
    let mut items = Vec::new();
    for role in [Role::Server, Role::Agent, Role::Runner] {
        items.push(view(role, app.store.role_defaults(role).await?));
    }
    Ok(Answered(Page {
        items,
        next_cursor: None,
    }))
}

/// Shows what every host of a role has.
#[utoipa::path(
    get, path = "/api/v1/roles/{role}", tag = "packages", operation_id = "get_role", security(("token" = ["viewer"])),
    params(("role" = control::Role, Path, description = "The role", example = "agent")),
    responses((status = 200, description = "The role", body = RoleView)),
)]
pub(super) async fn show(State(app): State<App>, _: Viewer, Path(role): Path<String>) -> Answer<Answered<RoleView>> {
    let role = named(&role)?;
    Ok(Answered(view(role, app.store.role_defaults(role).await?)))
}

/// Replaces what every host of a role has.
///
/// Hosts get it when they are armed the next time.
#[utoipa::path(
    put, path = "/api/v1/roles/{role}", tag = "packages", operation_id = "put_role", security(("token" = ["admin"])),
    params(("role" = control::Role, Path, description = "The role", example = "agent")),
    request_body = RoleSpec,
    responses((status = 200, description = "The role as it is now", body = RoleView)),
)]
pub(super) async fn put(
    State(app): State<App>,
    Admin(by): Admin,
    Path(role): Path<String>,
    Json(spec): Json<RoleSpec>,
) -> Answer<Answered<RoleView>> {
    let role = named(&role)?;
    if spec.packages.len() > MAX_PACKAGES {
        return Err(Failure::field("packages", format!("expected at most {MAX_PACKAGES}")));
    }
    check_packages("packages", &spec.packages)
        .map_err(|error| Failure::field(error.field().unwrap_or("packages"), error.to_string()))?;
    let value = RoleDefaults {
        packages: spec.packages,
    };
    let version = app.store.put_role_defaults(role, value.clone()).await?;
    tracing::info!(role = role.as_str(), version, %by, "role defaults kept");
    Ok(Answered(view(role, Versioned { version, value })))
}

fn named(text: &str) -> Result<Role, Failure> {
    serde_json::from_value(text.into()).map_err(|_| {
        let shown: String = text.chars().take(80).collect();
        let detail = format!("there is no role {shown:?}: expected server, agent or runner");
        Failure::new(ProblemType::NotFound, detail)
    })
}

fn view(role: Role, defaults: Versioned<RoleDefaults>) -> RoleView {
    RoleView {
        role: same(&role),
        packages: defaults.value.packages,
        version: defaults.version,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Method;
    use serde_json::json;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn a_role_has_what_is_built_in_until_somebody_says_otherwise() {
        let site = TestApp::new().await;
        let listed = site.api_get("/api/v1/roles").await.json();
        let packages: Vec<_> = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|role| &role["packages"])
            .collect();
        assert_eq!(packages, [&json!(["k3s-selinux"]), &json!(["k3s-selinux"]), &json!([])]);
        let put = async |path: &str, body: serde_json::Value| {
            let body = Body::from(body.to_string());
            site.api_as(&site.token, Method::PUT, path, body).await
        };
        let kept = put("/api/v1/roles/runner", json!({"packages": ["htop"]})).await;
        assert_eq!(
            kept.json(),
            json!({"role": "runner", "packages": ["htop"], "version": 1})
        );
        assert_eq!(site.api_get("/api/v1/roles/runner").await.json(), kept.json());
        let reply = put("/api/v1/roles/runner", json!({"packages": ["htop", "a b"]})).await;
        assert_eq!(reply.problem(), (422, "malformed".into(), "packages[1]".into()));
        assert_eq!(
            put("/api/v1/roles/boss", json!({"packages": []})).await.problem().0,
            404
        );
    }
}
