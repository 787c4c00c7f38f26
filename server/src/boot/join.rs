//! `POST /v1/join` and `POST /v1/cluster`: the third boot asks for its place in a cluster.

use axum::Json as Answered;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use thirdboot_api::boot::{ClusterBody, JoinAnswer, JoinBody, JoinKind};
use thirdboot_api::{Problem, ProblemType};
use thirdboot_lifecycle::{Holder, Run, SecretKind, Stage, hand_in};
use thirdboot_store::{ClusterError, ClusterState, Submission};

use super::bearer::{Speaker, heard};
use super::{Transport, facts};
use crate::App;
use crate::cluster::{Access, seal_access, seat};
use crate::problem::{Answer, Failure};

/// How often a hand-in is made anew when hosts joined meanwhile.
const MAX_TRIES: u32 = 20;

pub(super) async fn join(State(app): State<App>, request: Request) -> Answer<Answered<JoinAnswer>> {
    let is_secure = Transport::of(&app, request.extensions(), request.headers()) == Transport::Tls;
    let (speaker, body): (_, JoinBody) = heard(&app, &[SecretKind::Host], request).await?;
    speaker.speaks_of(body.run)?;
    let boot_id = facts::boot_id(&body.boot_id)?;
    let run = may_join(&speaker)?;
    let state = &speaker.state;
    if let Some(cluster) = &state.host.cluster {
        return seat(&app, state, run, &boot_id, cluster, is_secure).await.map(Answered);
    }
    if run.stage != Stage::Joining {
        let submission = Submission::JoinHandedOut {
            run: run.number,
            boot_id,
        };
        app.store.submit(state.id, submission).await?;
    }
    Ok(Answered(JoinAnswer {
        kind: JoinKind::None,
        node_name: state.host.name.to_string(),
        config: String::new(),
        downloads: Vec::new(),
    }))
}

/// The run's own role and stage decide; a run that was replaced joins nothing.
fn may_join(speaker: &Speaker) -> Result<&Run, Failure> {
    let Some(run) = speaker.state.run.as_ref().filter(|run| run.number == speaker.run) else {
        let detail = format!("run {} is not the host's current run", speaker.run);
        return Err(Failure::new(ProblemType::RunOver, detail));
    };
    if !run.role.joins() {
        return Err(Failure::new(ProblemType::Refused, "a runner joins nothing"));
    }
    match run.stage {
        Stage::Networked | Stage::Joining => Ok(run),
        stage => Err(Problem::new(ProblemType::Refused, format!("the run is {stage}: join material is handed out after the network is proven, and until the host is ready"))
            .in_stage(stage.as_str())
            .expecting_any([Stage::Networked.as_str(), Stage::Joining.as_str()])
            .into()),
    }
}

pub(super) async fn cluster(State(app): State<App>, request: Request) -> Answer<StatusCode> {
    let (speaker, body): (_, ClusterBody) = heard(&app, &[SecretKind::Host], request).await?;
    speaker.speaks_of(body.run)?;
    facts::boot_id(&body.boot_id)?;
    let from = Holder {
        host: speaker.state.id.0,
        name: speaker.state.host.name.clone(),
        run: speaker.run,
    };
    let refuse = |why: &str| Failure::new(ProblemType::Refused, why);
    let none = || refuse("this host holds no init grant: it began no cluster");
    let name = speaker.state.host.cluster.as_ref().ok_or_else(none)?;
    let mut sealed = None;
    for _ in 0..MAX_TRIES {
        let kept = app.store.cluster(name).await?.ok_or_else(none)?;
        let refused = |error: thirdboot_lifecycle::BeginRefused| refuse(&error.to_string());
        // Who may not hand in is told so, whatever the body holds.
        let next = hand_in(&kept.cluster, &from, &body.ca_sha256, app.store.now()).map_err(refused)?;
        let kubeconfig = match &sealed {
            Some(sealed) => Vec::clone(sealed),
            None => seal_access(&app.secrets, name, &checked(&body)?)?,
        };
        sealed = Some(kubeconfig.clone());
        let changed = ClusterState {
            cluster: next,
            kubeconfig: Some(kubeconfig),
            ..kept
        };
        match app.store.save_cluster(changed, true).await {
            Ok(_) => {
                tracing::info!(cluster = %name, host = %from.name, run = %from.run, "the cluster has begun");
                app.look_at_clusters.notify_one();
                return Ok(StatusCode::OK);
            }
            Err(ClusterError::Outdated { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::unavailable(
        "the cluster keeps changing",
        "a hand-in lost every race",
    ))
}

/// The kubeconfig must be of the CA that joiners will pin.
fn checked(body: &ClusterBody) -> Result<Access, Failure> {
    let is_hash = body.ca_sha256.len() == 64 && body.ca_sha256.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hash {
        return Err(Failure::field(
            "ca_sha256",
            "expected 64 lower-case hex digits: the SHA-256 of server-ca.crt",
        ));
    }
    let access = Access::read(&body.kubeconfig).map_err(|error| Failure::field("kubeconfig", error.to_string()))?;
    if !access.is_pinned_by(&body.ca_sha256) {
        return Err(Failure::field(
            "ca_sha256",
            "it is not the hash of the CA in the kubeconfig",
        ));
    }
    Ok(access)
}

#[cfg(test)]
mod tests;
