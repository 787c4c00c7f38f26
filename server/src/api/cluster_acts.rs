//! What an admin does to a cluster beside describing it: kubeconfig, the right to begin, tokens.

use std::net::IpAddr;

use axum::Json as Answered;
use axum::extract::State;
use axum::http::StatusCode;
use thirdboot_api::ProblemType;
use thirdboot_api::control::{ClusterView, Kubeconfig, MoveInitBody, RotateTokenBody, RotationView};
use thirdboot_lifecycle::{Init, Role, Stage, move_init, take_kubeconfig};
use thirdboot_store::{Actor, ClusterError, ClusterState, Submission};

use super::auth::Admin;
use super::clusters::{named, shown};
use super::hosts;
use super::trail::Audit;
use crate::App;
use crate::boot::Json;
use crate::cluster::{Access, Tokens, open_access, open_tokens, place, seal_access, seal_tokens};
use crate::path::Path;
use crate::problem::{Answer, Failure};

/// How often a change is made anew when hosts joined meanwhile.
const MAX_TRIES: u32 = 20;

/// Shows a cluster's kubeconfig.
///
/// A secret: whoever has it is the cluster's admin.
#[utoipa::path(
    get, path = "/api/v1/clusters/{name}/kubeconfig", tag = "clusters", operation_id = "get_kubeconfig", security(("token" = ["admin"])),
    params(("name" = String, Path, description = "The cluster's name", example = "prod")),
    responses((status = 200, description = "Its kubeconfig", body = Kubeconfig)),
)]
pub(super) async fn kubeconfig(
    State(app): State<App>,
    Admin(by): Admin,
    audit: Audit,
    Path(name): Path<String>,
) -> Answer<Answered<Kubeconfig>> {
    let state = named(&app, &name).await?;
    let Some(sealed) = &state.kubeconfig else {
        let detail = format!("no kubeconfig of {name} was handed in: its first server does once it runs");
        return Err(Failure::new(ProblemType::NotFound, detail));
    };
    let access = open_access(&app.secrets, &state.cluster.spec.name, sealed)?;
    let server = api_url(&app, &state).await?;
    audit.secret_read(&app).await?;
    tracing::info!(cluster = %name, %by, "kubeconfig read");
    Ok(Answered(Kubeconfig {
        kubeconfig: access.kubeconfig(&name, &server),
    }))
}

/// Where people reach the API: the first name of the certificate, or a server that is ready.
async fn api_url(app: &App, state: &ClusterState) -> Result<String, Failure> {
    let spec = &state.cluster.spec;
    let url = |host: &str| match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) => format!("https://[{v6}]:6443"),
        _ => format!("https://{host}:6443"),
    };
    if let Some(name) = spec.tls_san.first() {
        return Ok(url(name));
    }
    let hosts = app.store.hosts_of(&spec.name).await?;
    let address = hosts.iter().find_map(|host| {
        let run = host
            .run
            .as_ref()
            .filter(|run| run.role == Role::Server && run.stage == Stage::Ready)?;
        place(spec, &host.host, run).ok()?.node_ips.first().copied()
    });
    Ok(address.map_or_else(|| url("127.0.0.1"), |address| url(&address.to_string())))
}

/// Hands in the kubeconfig of a cluster that runs.
///
/// To renew it, or to tell a database that was put back of a cluster it does not know.
#[utoipa::path(
    put, path = "/api/v1/clusters/{name}/kubeconfig", tag = "clusters", operation_id = "set_kubeconfig", security(("token" = ["admin"])),
    params(("name" = String, Path, description = "The cluster's name", example = "prod")),
    request_body = Kubeconfig,
    responses((status = 200, description = "The cluster as it is now", body = ClusterView)),
    extensions(("x-problems" = json!(["refused"]))),
)]
pub(super) async fn set_kubeconfig(
    State(app): State<App>,
    Admin(by): Admin,
    Path(name): Path<String>,
    Json(body): Json<Kubeconfig>,
) -> Answer {
    let access = Access::read(&body.kubeconfig).map_err(|error| Failure::field("kubeconfig", error.to_string()))?;
    let changed = change(&app, &name, |state: &ClusterState| {
        let cluster_name = &state.cluster.spec.name;
        // A bundle's hash is not that of its file.
        let ca = match state.cluster.ca_sha256() {
            Some(known) if access.is_pinned_by(known) => known.to_owned(),
            _ => access.ca_sha256(),
        };
        Ok(ClusterState {
            kubeconfig: Some(seal_access(&app.secrets, cluster_name, &access)?),
            cluster: take_kubeconfig(&state.cluster, &ca, app.store.now())
                .map_err(|refused| Failure::new(ProblemType::Refused, refused.to_string()))?,
            ..state.clone()
        })
    });
    let saved = changed.await?;
    tracing::info!(cluster = %name, %by, "kubeconfig handed in by an admin");
    app.look_at_clusters.notify_one();
    shown(StatusCode::OK, &app, &saved).await
}

/// Gives the right to begin the cluster to another server.
///
/// What was begun before is void: its CA, its kubeconfig and its tokens. Runs that were joining it are cancelled. Nothing
/// begins as long as a known server answers on port 6443.
#[utoipa::path(
    post, path = "/api/v1/clusters/{name}/move-init", tag = "clusters", operation_id = "move_init", security(("token" = ["admin"])),
    params(("name" = String, Path, description = "The cluster's name", example = "prod")),
    request_body = MoveInitBody,
    responses((status = 200, description = "The cluster as it is now", body = ClusterView)),
    extensions(("x-problems" = json!(["refused"]))),
)]
pub(super) async fn move_right(
    State(app): State<App>,
    Admin(by): Admin,
    Path(name): Path<String>,
    Json(body): Json<MoveInitBody>,
) -> Answer {
    if body.confirm != name {
        let detail = "repeat the cluster's name to confirm: what was begun before is void";
        return Err(Failure::field("confirm", detail));
    }
    let to = hosts::named(&app, &body.to).await.map_err(|failure| {
        if failure.problem().is(ProblemType::NotFound) {
            Failure::field("to", "there is no such host")
        } else {
            failure
        }
    })?;
    if to.host.role != Role::Server || to.host.cluster.as_ref().is_none_or(|cluster| cluster.as_str() != name) {
        return Err(Failure::field("to", format!("expected a server of {name}")));
    }
    let mut revoked = Vec::new();
    let changed = change(&app, &name, |state: &ClusterState| {
        let cluster = move_init(&state.cluster, to.id.0, &to.host.name)
            .map_err(|refused| Failure::new(ProblemType::Refused, refused.to_string()))?;
        revoked.clone_from(&cluster.revoked);
        let tokens = Tokens::generate().map_err(Failure::internal)?;
        Ok(ClusterState {
            tokens: seal_tokens(&app.secrets, &state.cluster.spec.name, &tokens)?,
            kubeconfig: None,
            cluster,
            ..state.clone()
        })
    });
    let saved = changed.await?;
    // Nobody begins on what was seen before this.
    app.clusters.forget(&saved.cluster.spec.name);
    // All of them, whatever becomes of one: asking again would be refused.
    let mut cancelled = Ok(());
    for holder in revoked {
        let done = cancel(&app, &holder, &by).await;
        cancelled = cancelled.and(done);
    }
    tracing::warn!(cluster = %name, to = %body.to, %by, "the right to begin the cluster was moved");
    app.look_at_clusters.notify_one();
    cancelled?;
    shown(StatusCode::OK, &app, &saved).await
}

/// A run that is joining what is void now would become ready in another cluster.
async fn cancel(app: &App, holder: &thirdboot_lifecycle::Holder, by: &Actor) -> Result<(), Failure> {
    let id = thirdboot_store::HostId(holder.host);
    let Some(state) = app.store.host_by_id(id).await? else {
        return Ok(());
    };
    if state
        .run
        .is_some_and(|run| run.number == holder.run && !run.stage.is_end())
    {
        match app.store.submit(id, Submission::Cancel { by: by.clone() }).await {
            Ok(_) | Err(thirdboot_store::SubmitError::Refused(_) | thirdboot_store::SubmitError::NoSuchHost) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Changes a cluster's tokens.
///
/// Before a server may have begun the cluster at once. Later in two steps, since the servers must take the new ones:
/// nobody joins between them.
#[utoipa::path(
    post, path = "/api/v1/clusters/{name}/rotate-token", tag = "clusters", operation_id = "rotate_token", security(("token" = ["admin"])),
    params(("name" = String, Path, description = "The cluster's name", example = "prod")),
    request_body = RotateTokenBody,
    responses((status = 200, description = "What is left to be done, with the tokens that it needs", body = RotationView)),
    extensions(("x-problems" = json!(["refused"]))),
)]
pub(super) async fn rotate_token(
    State(app): State<App>,
    Admin(by): Admin,
    audit: Audit,
    Path(name): Path<String>,
    Json(body): Json<RotateTokenBody>,
) -> Answer<Answered<RotationView>> {
    if body.finish && body.abandon {
        return Err(Failure::field("abandon", "expected finish or abandon, not both"));
    }
    let mut told = None;
    let changed = change(&app, &name, |state: &ClusterState| {
        let cluster_name = &state.cluster.spec.name;
        let tokens = open_tokens(&app.secrets, cluster_name, &state.tokens)?;
        let (tokens, rotating, view) = rotated(state, &tokens, &body)?;
        told = Some(view);
        let mut cluster = state.cluster.clone();
        cluster.rotating = rotating;
        Ok(ClusterState {
            tokens: seal_tokens(&app.secrets, cluster_name, &tokens)?,
            cluster,
            ..state.clone()
        })
    });
    changed.await?;
    tracing::info!(cluster = %name, %by, finish = body.finish, abandon = body.abandon, "tokens are changed");
    let told = told.ok_or_else(|| Failure::internal("a rotation that tells nothing"))?;
    if !told.finished {
        // The request itself is in the audit as every change is; that tokens were shown is said beside it.
        audit.secret_read(&app).await?;
    }
    Ok(Answered(told))
}

/// The tokens from now on, whether a rotation is under way, and what to tell.
fn rotated(
    state: &ClusterState,
    tokens: &Tokens,
    body: &RotateTokenBody,
) -> Result<(Tokens, bool, RotationView), Failure> {
    let name = &state.cluster.spec.name;
    let refuse = |why: String| Err(Failure::new(ProblemType::Refused, why));
    let finished = |next: String| RotationView {
        finished: true,
        old_server_token: None,
        new_server_token: None,
        new_agent_token: None,
        next,
    };
    let Init::Done { .. } = &state.cluster.init else {
        if state.cluster.may_have_begun() {
            return refuse(format!(
                "a server may be beginning {name} with its tokens: wait until it is ready"
            ));
        }
        let new = Tokens::generate().map_err(Failure::internal)?;
        return Ok((
            new,
            false,
            finished("nobody has the old tokens: nothing is left to be done".to_owned()),
        ));
    };
    match (&tokens.next, body) {
        (Some(next), RotateTokenBody { finish: true, .. }) => {
            let new = Tokens::clone(next);
            Ok((new, false, finished(format!("hosts join {name} with the new tokens"))))
        }
        (Some(_), RotateTokenBody { abandon: true, .. }) => {
            let mut old = tokens.clone();
            old.next = None;
            Ok((old, false, finished(format!("hosts join {name} with the old tokens"))))
        }
        (None, RotateTokenBody { finish: true, .. } | RotateTokenBody { abandon: true, .. }) => {
            refuse(format!("the tokens of {name} are not being changed"))
        }
        (next, _) => {
            let new = match next {
                // Asked again: the same tokens, or the servers would have others than these.
                Some(next) => Tokens::clone(next),
                None => Tokens::generate().map_err(Failure::internal)?,
            };
            let view = RotationView {
                finished: false,
                old_server_token: Some(tokens.server.clone()),
                new_server_token: Some(new.server.clone()),
                new_agent_token: Some(new.agent.clone()),
                next: format!(
                    "on one server: k3s token rotate --token OLD --new-token NEW; on every server set token and agent-token in /etc/rancher/k3s/config.yaml and restart k3s, one after another; then finish with `thirdboot cluster rotate-token {name} --finish`"
                ),
            };
            let mut both = tokens.clone();
            both.next = Some(Box::new(new));
            Ok((both, true, view))
        }
    }
}

/// Changes a cluster, anew if a host was faster. A change that begins or voids something is marked as such.
async fn change(
    app: &App,
    name: &str,
    mut make: impl FnMut(&ClusterState) -> Result<ClusterState, Failure>,
) -> Result<ClusterState, Failure> {
    for _ in 0..MAX_TRIES {
        let state = named(app, name).await?;
        let changed = make(&state)?;
        let begins = changed.cluster.init != state.cluster.init;
        match app.store.save_cluster(changed, begins).await {
            Ok(saved) => return Ok(saved),
            Err(ClusterError::Outdated { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::new(
        ProblemType::Changed,
        "the cluster keeps changing: try again",
    ))
}
