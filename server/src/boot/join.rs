//! `POST /v1/join` and `POST /v1/cluster`: the third boot asks for its place in a cluster.
//!
//! A stand-in until clusters are kept: a host whose network is proven is told that there is nothing to join, in the
//! answer's final form, and the hand-out is recorded as it will be.

use axum::Json as Answered;
use axum::extract::State;
use axum::http::HeaderMap;
use thirdboot_api::boot::{ClusterBody, JoinAnswer, JoinBody, JoinKind};
use thirdboot_api::{Problem, ProblemType};
use thirdboot_lifecycle::{SecretKind, Stage};
use thirdboot_store::Submission;

use super::Json;
use super::bearer::Speaker;
use super::facts;
use crate::App;
use crate::problem::{Answer, Failure};

pub(super) async fn join(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Json<JoinBody>, Failure>,
) -> Answer<Answered<JoinAnswer>> {
    let speaker = Speaker::of(&app, &headers, &[SecretKind::Host]).await?;
    let Json(body) = body?;
    speaker.speaks_of(body.run)?;
    let boot_id = facts::boot_id(&body.boot_id)?;
    may_join(&speaker)?;
    let run = speaker.run;
    app.store
        .submit(speaker.state.id, Submission::JoinHandedOut { run, boot_id })
        .await?;
    Ok(Answered(JoinAnswer {
        kind: JoinKind::None,
        node_name: speaker.state.host.name.to_string(),
        config: String::new(),
        downloads: Vec::new(),
    }))
}

/// The run's own role and stage decide; a run that was replaced joins nothing.
fn may_join(speaker: &Speaker) -> Result<(), Failure> {
    let Some(run) = speaker.state.run.as_ref().filter(|run| run.number == speaker.run) else {
        let detail = format!("run {} is not the host's current run", speaker.run);
        return Err(Failure::new(ProblemType::RunOver, detail));
    };
    if !run.role.joins() {
        return Err(Failure::new(ProblemType::Refused, "a runner joins nothing"));
    }
    match run.stage {
        Stage::Networked | Stage::Joining => Ok(()),
        stage => Err(Problem::new(ProblemType::Refused, format!("the run is {stage}: join material is handed out after the network is proven, and until the host is ready"))
            .in_stage(stage.as_str())
            .expecting_any([Stage::Networked.as_str(), Stage::Joining.as_str()])
            .into()),
    }
}

pub(super) async fn cluster(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Json<ClusterBody>, Failure>,
) -> Answer {
    let speaker = Speaker::of(&app, &headers, &[SecretKind::Host]).await?;
    let Json(body) = body?;
    speaker.speaks_of(body.run)?;
    facts::boot_id(&body.boot_id)?;
    Err(Failure::new(
        ProblemType::Refused,
        "this host holds no init grant: it began no cluster",
    ))
}
