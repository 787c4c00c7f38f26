//! Clusters: described, listed, shown, changed, removed.

use axum::Json as Answered;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use thirdboot_api::ProblemType;
use thirdboot_api::control::{ClusterSpec as Described, ClusterView, Page};
use thirdboot_lifecycle::{Cluster, ClusterName, ClusterSpec, changed_after_begin, check_cluster};
use thirdboot_store::{Actor, ClusterError, ClusterState};

use super::auth::{Admin, Viewer};
use super::cluster_view::view;
use super::fitting::{address_hosts, fits_hosts};
use super::once::{Made, Once};
use super::query::Query;
use super::version::{IfMatch, tag_of};
use crate::App;
use crate::boot::Json;
use crate::cluster::{Tokens, seal_tokens};
use crate::path::Path;
use crate::problem::{Answer, Failure};

/// How often a change is made anew when hosts joined meanwhile.
const MAX_TRIES: u32 = 20;

/// Adds a cluster.
///
/// Its tokens are made now and never shown; the first server that asks begins it.
#[utoipa::path(
    post, path = "/api/v1/clusters", tag = "clusters", operation_id = "create_cluster", security(("token" = ["admin"])),
    request_body = Described,
    responses((
        status = 201, description = "The cluster as it was added", body = ClusterView,
        headers(("ETag" = String, description = "Names this version of the description"), ("Location" = String)),
    )),
    extensions(("x-problems" = json!(["already-taken"])), ("x-idempotent" = json!(true))),
)]
pub(super) async fn create(
    State(app): State<App>,
    Admin(by): Admin,
    once: Once,
    Json(spec): Json<Described>,
) -> Answer<Made> {
    let (keep, made) = once.answered(&app, &by, "create_cluster", &spec).await?;
    if let Some(made) = made {
        return Ok(made);
    }
    let done = added(&app, &by, &spec).await;
    keep.after(&app, done).await
}

async fn added(app: &App, by: &Actor, spec: &Described) -> Result<Made, Failure> {
    let spec = described(spec)?;
    fits_hosts(app, &spec).await?;
    let tokens = Tokens::generate().map_err(Failure::internal)?;
    let state = ClusterState {
        version: 0,
        tokens: seal_tokens(&app.secrets, &spec.name, &tokens)?,
        cluster: Cluster::new(spec),
        kubeconfig: None,
    };
    let added = app.store.add_cluster(state).await?;
    address_hosts(app, &added.cluster.spec, by).await?;
    tracing::info!(cluster = %added.cluster.spec.name, %by, "cluster added");
    app.look_at_clusters.notify_one();
    let path = format!("/api/v1/clusters/{}", added.cluster.spec.name);
    Ok(Made::at(path, &view(app, &added).await?)?.tagged(tag_of(&added.cluster.spec)))
}

/// Lists clusters by name.
#[utoipa::path(
    get, path = "/api/v1/clusters", tag = "clusters", operation_id = "list_clusters", security(("token" = ["viewer"])),
    responses((status = 200, description = "Every cluster", body = Page<ClusterView>)),
    extensions(("x-problems" = json!(["malformed"]))),
)]
pub(super) async fn list(State(app): State<App>, _: Viewer, query: Query) -> Answer<Answered<Page<ClusterView>>> {
    query.only(&[])?;
    let mut items = Vec::new();
    for state in app.store.clusters().await? {
        items.push(view(&app, &state).await?);
    }
    Ok(Answered(Page {
        items,
        next_cursor: None,
    }))
}

/// Shows a cluster with its hosts.
#[utoipa::path(
    get, path = "/api/v1/clusters/{name}", tag = "clusters", operation_id = "get_cluster", security(("token" = ["viewer"])),
    params(("name" = String, Path, description = "The cluster's name", example = "prod")),
    responses((status = 200, description = "The cluster", body = ClusterView)),
)]
pub(super) async fn show(State(app): State<App>, _: Viewer, Path(name): Path<String>) -> Answer {
    let state = named(&app, &name).await?;
    shown(StatusCode::OK, &app, &state).await
}

/// Replaces a cluster's description.
///
/// What all servers share cannot change once a server may have begun the cluster.
#[utoipa::path(
    put, path = "/api/v1/clusters/{name}", tag = "clusters", operation_id = "update_cluster", security(("token" = ["admin"])),
    params(
        ("name" = String, Path, description = "The cluster's name", example = "prod"),
        ("If-Match" = String, Header, description = "The `etag` that the change was made from"),
    ),
    request_body = Described,
    responses((status = 200, description = "The cluster as it is now", body = ClusterView)),
    extensions(("x-problems" = json!(["precondition-failed", "precondition-required", "refused"]))),
)]
pub(super) async fn update(
    State(app): State<App>,
    Admin(by): Admin,
    Path(name): Path<String>,
    if_match: IfMatch,
    Json(spec): Json<Described>,
) -> Answer {
    let spec = described(&spec)?;
    for _ in 0..MAX_TRIES {
        let state = named(&app, &name).await?;
        is_current(&state, &if_match)?;
        if spec.name != state.cluster.spec.name {
            return Err(Failure::field(
                "name",
                "a cluster keeps its name: expected the one in the path",
            ));
        }
        if let Some(field) = changed_after_begin(&state.cluster.spec, &spec).filter(|_| state.cluster.may_have_begun())
        {
            let detail = "every server shares it, and a server may have begun the cluster with it";
            return Err(thirdboot_api::Problem::new(ProblemType::Refused, detail)
                .at(field)
                .into());
        }
        fits_hosts(&app, &spec).await?;
        let changed = ClusterState {
            cluster: Cluster {
                spec: spec.clone(),
                ..state.cluster.clone()
            },
            ..state
        };
        match app.store.save_cluster(changed, false).await {
            Ok(saved) => {
                address_hosts(&app, &spec, &by).await?;
                tracing::info!(cluster = %name, %by, "cluster changed");
                return shown(StatusCode::OK, &app, &saved).await;
            }
            // A host joined meanwhile: the description may still be the one that was seen.
            Err(ClusterError::Outdated { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::new(
        ProblemType::Changed,
        "the cluster keeps changing: try again",
    ))
}

/// Removes a cluster.
///
/// Refused as long as hosts belong to it. Its tokens and its kubeconfig are forgotten.
#[utoipa::path(
    delete, path = "/api/v1/clusters/{name}", tag = "clusters", operation_id = "delete_cluster", security(("token" = ["admin"])),
    params(
        ("name" = String, Path, description = "The cluster's name", example = "prod"),
        ("If-Match" = String, Header, description = "The `etag` that the decision was made on"),
    ),
    responses((status = 204, description = "It is gone")),
    extensions(("x-problems" = json!(["precondition-failed", "precondition-required", "refused"]))),
)]
pub(super) async fn delete(
    State(app): State<App>,
    Admin(by): Admin,
    Path(name): Path<String>,
    if_match: IfMatch,
) -> Answer<StatusCode> {
    let state = named(&app, &name).await?;
    is_current(&state, &if_match)?;
    app.store
        .remove_cluster(&state.cluster.spec.name, state.version)
        .await?;
    app.clusters.forget(&state.cluster.spec.name);
    // A look under way forgets what it saw of the others, too.
    app.look_at_clusters.notify_one();
    tracing::info!(cluster = %name, %by, "cluster removed");
    Ok(StatusCode::NO_CONTENT)
}

/// The cluster of that name.
pub(super) async fn named(app: &App, name: &str) -> Result<ClusterState, Failure> {
    let shown: String = name.chars().take(80).collect();
    let none = || Failure::new(ProblemType::NotFound, format!("there is no cluster {shown:?}"));
    let name: ClusterName = name.parse().map_err(|_| none())?;
    app.store.cluster(&name).await?.ok_or_else(none)
}

pub(super) async fn shown(status: StatusCode, app: &App, state: &ClusterState) -> Answer<Response> {
    let mut response = (status, Answered(view(app, state).await?)).into_response();
    if let Ok(etag) = HeaderValue::from_str(&tag_of(&state.cluster.spec)) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(response)
}

fn is_current(state: &ClusterState, if_match: &IfMatch) -> Result<(), Failure> {
    if_match.check_tag("cluster", &tag_of(&state.cluster.spec), true)
}

/// The cluster that is described. The domain's types check themselves as they are read.
fn described(spec: &Described) -> Result<ClusterSpec, Failure> {
    let value = serde_json::to_value(spec).map_err(Failure::internal)?;
    let spec: ClusterSpec = serde_path_to_error::deserialize(value)
        // A key that is none has no name there.
        .map_err(|error| {
            Failure::field(
                error.path().to_string().trim_end_matches(".?"),
                error.inner().to_string(),
            )
        })?;
    check_cluster(&spec).map_err(|error| Failure::field(error.field, error.why))?;
    for (name, text) in &spec.manifests {
        if let Err(why) = is_yaml(text) {
            return Err(Failure::field(format!("manifests.{name}"), why));
        }
    }
    Ok(spec)
}

/// k3s says in its log alone that it could not read a manifest.
fn is_yaml(text: &str) -> Result<(), String> {
    let documents: Vec<serde_json::Value> =
        serde_saphyr::from_multiple(text).map_err(|error| format!("it is no YAML: {error}"))?;
    let is_object = |document: &serde_json::Value| {
        document.is_null() || (document["apiVersion"].is_string() && document["kind"].is_string())
    };
    match documents.iter().position(|document| !is_object(document)) {
        Some(at) => Err(format!(
            "document {} of it is no Kubernetes object: expected apiVersion and kind",
            at + 1
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
