//! `POST /v1/join` and `POST /v1/cluster`: the third boot asks for its place in a cluster.
//!
//! A stand-in until clusters are kept: a host whose network is proven is told that there is nothing to join, in the
//! answer's final form, and the hand-out is recorded as it will be.

use axum::Json as Answered;
use axum::extract::{Request, State};
use thirdboot_api::boot::{ClusterBody, JoinAnswer, JoinBody, JoinKind};
use thirdboot_api::{Problem, ProblemType};
use thirdboot_lifecycle::{SecretKind, Stage};
use thirdboot_store::Submission;

use super::bearer::{Speaker, heard};
use super::facts;
use crate::App;
use crate::problem::{Answer, Failure};

pub(super) async fn join(State(app): State<App>, request: Request) -> Answer<Answered<JoinAnswer>> {
    let (speaker, body): (_, JoinBody) = heard(&app, &[SecretKind::Host], request).await?;
    speaker.speaks_of(body.run)?;
    let boot_id = facts::boot_id(&body.boot_id)?;
    may_join(&speaker)?;
    let run = speaker.run;
    let was_handed_out = speaker
        .state
        .run
        .as_ref()
        .is_some_and(|run| run.stage == Stage::Joining);
    if !was_handed_out {
        app.store
            .submit(speaker.state.id, Submission::JoinHandedOut { run, boot_id })
            .await?;
    }
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

pub(super) async fn cluster(State(app): State<App>, request: Request) -> Answer {
    let (speaker, body): (_, ClusterBody) = heard(&app, &[SecretKind::Host], request).await?;
    speaker.speaks_of(body.run)?;
    facts::boot_id(&body.boot_id)?;
    Err(Failure::new(
        ProblemType::Refused,
        "this host holds no init grant: it began no cluster",
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::secrets::Purpose;
    use crate::testing::{BOOT_ID, TestApp};

    #[tokio::test]
    async fn a_proven_host_is_told_that_there_is_nothing_to_join_until_it_is_ready() {
        let site = TestApp::new().await;
        let host = site
            .networked("a1", 1, json!({"role": "agent", "cluster": "sample"}))
            .await
            .id;
        let secret = site.secret(Purpose::Host, host, 1);
        let body = json!({"run": 1, "boot_id": BOOT_ID});
        for _ in 0..2 {
            let answer = site.post("/v1/join", &secret, &body).await.json();
            assert_eq!(
                answer,
                json!({"kind": "none", "node_name": "a1", "config": "", "downloads": []})
            );
            assert_eq!(site.state("a1").await.run.unwrap().stage.as_str(), "joining");
        }
        site.tell(host, Purpose::Host, 7, "ready", json!({})).await;
        let late = site.post("/v1/join", &secret, &body).await;
        assert_eq!(late.problem(), (409, "refused".into(), String::new()));
    }

    #[tokio::test]
    async fn wrong_role_stage_run_or_secret_joins_nothing() {
        let site = TestApp::new().await;
        let runner = site.networked("r1", 1, json!({})).await.id;
        let body = json!({"run": 1, "boot_id": BOOT_ID});
        let refused = site
            .post("/v1/join", &site.secret(Purpose::Host, runner, 1), &body)
            .await;
        assert!(
            refused.json()["detail"].as_str().unwrap().contains("runner"),
            "{}",
            refused.text()
        );
        let early = site.armed("a2", 2).await.id;
        assert_eq!(
            site.post("/v1/join", &site.secret(Purpose::Host, early, 1), &body)
                .await
                .problem()
                .0,
            409
        );
        assert_eq!(
            site.post("/v1/join", &site.secret(Purpose::Live, early, 1), &body)
                .await
                .problem()
                .0,
            401
        );
        let other_run = json!({"run": 2, "boot_id": BOOT_ID});
        let (status, _, field) = site
            .post("/v1/join", &site.secret(Purpose::Host, early, 1), &other_run)
            .await
            .problem();
        assert_eq!((status, field.as_str()), (422, "run"));
    }

    #[tokio::test]
    async fn nobody_holds_an_init_grant_yet() {
        let site = TestApp::new().await;
        let host = site
            .networked("s1", 1, json!({"role": "server", "cluster": "sample"}))
            .await
            .id;
        let body = json!({"run": 1, "boot_id": BOOT_ID, "kubeconfig": "apiVersion: v1", "ca_sha256": "c0".repeat(32)});
        let reply = site
            .post("/v1/cluster", &site.secret(Purpose::Host, host, 1), &body)
            .await;
        assert_eq!(reply.problem().0, 409);
    }
}
