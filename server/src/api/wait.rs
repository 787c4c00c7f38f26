//! Waiting for a run to get somewhere, or for the reason why it will not.

use std::time::{Duration, Instant};

use axum::Json as Answered;
use axum::extract::State;
use thirdboot_api::ProblemType;
use thirdboot_api::control::{WaitAnswer, WaitOutcome};
use thirdboot_lifecycle::{RunNumber, Stage};
use thirdboot_store::HostState;

use super::auth::Viewer;
use super::events::MAX_WAIT_S;
use super::hosts::named;
use super::query::Query;
use super::view::{stage, view};
use crate::App;
use crate::path::Path;
use crate::problem::{Answer, Failure};

/// How long a request waits when it does not say, in seconds.
const DEFAULT_WAIT_S: u64 = 30;

/// What is waited for.
struct Wanted {
    stage: Stage,
    /// The run that must get there; none means the one that is current when it is looked at.
    run: Option<RunNumber>,
}

/// Waits for a run to get somewhere.
///
/// Ends early when it failed or was cancelled, with stage, cause and advice. A stall is told and ends nothing: a late
/// report takes it off.
#[utoipa::path(
    get, path = "/api/v1/hosts/{name}/wait", tag = "watching", operation_id = "wait_for_host", security(("token" = ["viewer"])),
    params(
        ("name" = String, Path, description = "The host's name", example = "node-1"),
        ("for" = Option<String>, Query, description = "The stage that is waited for; `ready` when left out", example = "ready"),
        ("run" = Option<u32>, Query, description = "The run that must get there; the current one when left out"),
        ("timeout" = Option<u64>, Query, minimum = 0, maximum = 55, description = "Seconds; 30 when left out"),
    ),
    responses((status = 200, description = "How the wait ended", body = WaitAnswer)),
)]
pub(super) async fn wait(
    State(app): State<App>,
    _: Viewer,
    Path(name): Path<String>,
    query: Query,
) -> Answer<Answered<WaitAnswer>> {
    let query = query.only(&["for", "run", "timeout"])?;
    let wanted = Wanted {
        stage: wanted_stage(&query)?,
        run: query.get::<u32>("run")?.map(RunNumber),
    };
    let timeout_s = query.get::<u64>("timeout")?.unwrap_or(DEFAULT_WAIT_S);
    if timeout_s > MAX_WAIT_S {
        let expected = format!("expected 0 to {MAX_WAIT_S} seconds: ask again after that");
        return Err(Failure::field("timeout", expected));
    }
    let until = Instant::now() + Duration::from_secs(timeout_s);
    let id = named(&app, &name).await?.id;
    let mut following = app.followers.follow(app.store.as_ref(), Some(id)).await;
    loop {
        let seen = app.store.changed(0, Duration::ZERO).await;
        let state = app.store.host_by_id(id).await?;
        let state = state.ok_or_else(|| Failure::new(ProblemType::NotFound, "the host was deleted meanwhile"))?;
        if let Some(outcome) = outcome(&wanted, &state) {
            return Ok(Answered(answer(&app, &wanted, &state, outcome, seen)));
        }
        if !following.changed(until).await {
            // Once more: it may have happened at the last moment.
            let state = app.store.host_by_id(id).await?.unwrap_or(state);
            let outcome = outcome(&wanted, &state).unwrap_or(WaitOutcome::Timeout);
            return Ok(Answered(answer(&app, &wanted, &state, outcome, seen)));
        }
    }
}

fn wanted_stage(query: &Query) -> Result<Stage, Failure> {
    let Some(name) = query.get::<String>("for")? else {
        return Ok(Stage::Ready);
    };
    Stage::named(&name).ok_or_else(|| {
        let names: Vec<&str> = Stage::ALL.into_iter().map(Stage::as_str).collect();
        Failure::field("for", format!("expected one of {}", names.join(", ")))
    })
}

/// How the wait ends, if it does now.
fn outcome(wanted: &Wanted, state: &HostState) -> Option<WaitOutcome> {
    let run = state.run.as_ref()?;
    match wanted.run {
        Some(number) if run.number > number => return Some(WaitOutcome::Superseded),
        // Not armed yet.
        Some(number) if run.number < number => return None,
        _ => {}
    }
    match run.stage {
        here if here == wanted.stage => Some(WaitOutcome::Reached),
        Stage::Failed => Some(WaitOutcome::Failed),
        Stage::Cancelled => Some(WaitOutcome::Cancelled),
        // Whoever waits for a failure waits in vain once the run is ready.
        Stage::Ready if wanted.stage > Stage::Ready => None,
        here => (wanted.stage < here).then_some(WaitOutcome::Reached),
    }
}

fn answer(app: &App, wanted: &Wanted, state: &HostState, outcome: WaitOutcome, seen: u64) -> WaitAnswer {
    let shown = view(state, app);
    let ended = shown.run.as_ref().and_then(|run| run.failed.as_ref());
    let diagnosis = shown.diagnosis.as_ref();
    WaitAnswer {
        host: shown.name,
        outcome,
        waited_for: stage(wanted.stage),
        stage: ended
            .map(|ended| ended.stage.clone())
            .or_else(|| shown.run.as_ref().map(|run| run.stage.clone())),
        cause: diagnosis.map(|diagnosis| diagnosis.cause.clone()),
        says: diagnosis
            .map(|diagnosis| diagnosis.says.clone())
            .or_else(|| ended.map(|ended| ended.cause.clone())),
        advice: diagnosis
            .map(|diagnosis| diagnosis.advice.clone())
            .filter(|advice| !advice.is_empty()),
        stalled: shown.run.as_ref().is_some_and(|run| run.stalled),
        diagnosis: shown.diagnosis.clone(),
        run: shown.run,
        alerts: shown.alerts,
        seen,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::secrets::Purpose;
    use crate::testing::TestApp;

    async fn waited(site: &TestApp, query: &str) -> Value {
        site.api_get(&format!("/api/v1/hosts/a1/wait?{query}")).await.json()
    }

    #[tokio::test]
    async fn a_wait_ends_when_the_run_gets_there_or_beyond() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let (answer, ()) = tokio::join!(waited(&site, "for=live&timeout=50"), async {
            site.script(1).await;
            site.tell(host, Purpose::Live, 1, "live", json!({})).await;
        });
        assert_eq!(
            (&answer["outcome"], &answer["stage"]),
            (&json!("reached"), &json!("live"))
        );
        let beyond = waited(&site, "for=netbooting&timeout=0").await;
        assert_eq!(
            (&beyond["outcome"], &beyond["stage"]),
            (&json!("reached"), &json!("live"))
        );
    }

    #[tokio::test]
    async fn a_failure_ends_it_early_with_stage_cause_and_advice() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let (answer, ()) = tokio::join!(waited(&site, "timeout=50"), async {
            site.script(1).await;
            let why = json!({"message": "disk is busy"});
            site.tell(host, Purpose::Live, 1, "install-failed", why).await;
        });
        assert_eq!(
            (&answer["outcome"], &answer["stage"]),
            (&json!("failed"), &json!("netbooting"))
        );
        assert_eq!(
            (&answer["cause"], &answer["waited_for"]),
            (&json!("host-failed"), &json!("ready"))
        );
        assert!(answer["says"].as_str().unwrap().contains("disk is busy"), "{answer}");
        assert!(!answer["advice"].as_str().unwrap().is_empty(), "{answer}");
    }

    #[tokio::test]
    async fn a_cancel_ends_it_early() {
        let site = TestApp::new().await;
        site.armed("a1", 1).await;
        let nothing = json!({});
        let (answer, _) = tokio::join!(
            waited(&site, "timeout=50"),
            site.api_post_yielded("/api/v1/hosts/a1/cancel", &nothing)
        );
        assert_eq!(
            (&answer["outcome"], &answer["says"]),
            (&json!("cancelled"), &json!("cancelled by admin"))
        );
    }

    #[tokio::test]
    async fn a_stall_is_told_and_does_not_end_it() {
        let site = TestApp::new().await;
        site.armed("a1", 1).await;
        site.script(1).await;
        site.wait(11);
        crate::reconciler::carry_out_what_is_due(site.app.store.as_ref()).await;
        let answer = waited(&site, "timeout=0").await;
        assert_eq!(
            (&answer["outcome"], &answer["stalled"]),
            (&json!("timeout"), &json!(true))
        );
        assert_eq!(answer["cause"], "kernel-not-fetched");
        assert_eq!(answer["diagnosis"]["cause"], "kernel-not-fetched");
    }

    #[tokio::test]
    async fn a_run_can_be_named() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        assert_eq!(waited(&site, "timeout=0").await["outcome"], "timeout");
        site.arm("a1").await;
        site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await;
        assert_eq!(waited(&site, "run=2&timeout=0").await["outcome"], "timeout");
        site.arm("a1").await;
        assert_eq!(waited(&site, "run=1&timeout=0").await["outcome"], "superseded");
        assert_eq!(waited(&site, "run=2&for=armed&timeout=0").await["outcome"], "reached");
        site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await;
        assert_eq!(waited(&site, "for=cancelled&timeout=0").await["outcome"], "reached");
    }

    #[tokio::test]
    async fn what_cannot_be_waited_for_is_refused() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        for (query, field) in [
            ("for=redy", "for"),
            ("timeout=56", "timeout"),
            ("timeout=soon", "timeout"),
            ("run=x", "run"),
            ("stage=ready", "stage"),
        ] {
            let (status, _, at) = site.api_get(&format!("/api/v1/hosts/a1/wait?{query}")).await.problem();
            assert_eq!((status, at.as_str()), (422, field));
        }
        assert_eq!(site.api_get("/api/v1/hosts/none/wait").await.problem().0, 404);
    }
}
