//! A host's runs, and the boots that prove them.

use axum::Json as Answered;
use axum::extract::State;
use thirdboot_api::ProblemType;
use thirdboot_api::control::{BootDetail, ClaimedView, InstalledView, Page, RunDetail, RunView, SeenView};
use thirdboot_lifecycle::{Boot, Run, RunNumber, Seen};

use super::auth::Viewer;
use super::hosts::named;
use super::query::Query;
use super::view::{diagnosis, run_view};
use crate::App;
use crate::path::Path;
use crate::problem::{Answer, Failure};

/// Lists a host's runs, the latest first.
#[utoipa::path(
    get, path = "/api/v1/hosts/{name}/runs", tag = "watching", operation_id = "list_runs", security(("token" = ["viewer"])),
    params(
        ("name" = String, Path, description = "The host's name", example = "node-1"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Rows of a part; 100 when left out"),
        ("cursor" = Option<u32>, Query, description = "`next_cursor` of the part before"),
    ),
    responses((status = 200, description = "A part of the runs", body = Page<RunView>)),
)]
pub(super) async fn list(
    State(app): State<App>,
    _: Viewer,
    Path(name): Path<String>,
    query: Query,
) -> Answer<Answered<Page<RunView>>> {
    let query = query.only(&["limit", "cursor"])?;
    let (limit, before) = (query.limit()?, query.get::<u32>("cursor")?);
    let runs = runs_of(&app, &name).await?;
    let timing = app.store.timing();
    let mut items: Vec<RunView> = runs
        .iter()
        .filter(|run| before.is_none_or(|before| run.number.0 < before))
        .map(|run| run_view(run, &timing.stages))
        .collect();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|run| run.number.to_string());
    Ok(Answered(Page { items, next_cursor }))
}

/// Shows a run with every boot and its evidence.
#[utoipa::path(
    get, path = "/api/v1/hosts/{name}/runs/{number}", tag = "watching", operation_id = "get_run", security(("token" = ["viewer"])),
    params(
        ("name" = String, Path, description = "The host's name", example = "node-1"),
        ("number" = u32, Path, description = "The run's number", example = 1),
    ),
    responses((status = 200, description = "The run", body = RunDetail)),
)]
pub(super) async fn show(
    State(app): State<App>,
    _: Viewer,
    Path((name, number)): Path<(String, String)>,
) -> Answer<Answered<RunDetail>> {
    let state = named(&app, &name).await?;
    let runs = app.store.runs(state.id).await?;
    let run = numbered(&runs, &name, &number)?;
    // What the provider says is of now, and so of the last run.
    let is_last = state.run.as_ref().is_some_and(|last| last.number == run.number);
    let observed = state.observed.as_ref().filter(|_| is_last);
    Ok(Answered(RunDetail {
        run: run_view(run, &app.store.timing().stages),
        evidence: boots_of(run),
        diagnosis: diagnosis(run, observed, app.store.now()),
    }))
}

/// Lists a run's boots, each with what proves it.
#[utoipa::path(
    get, path = "/api/v1/hosts/{name}/boots", tag = "watching", operation_id = "list_boots", security(("token" = ["viewer"])),
    params(
        ("name" = String, Path, description = "The host's name", example = "node-1"),
        ("run" = Option<u32>, Query, description = "Of this run; of the last one when left out"),
    ),
    responses((status = 200, description = "All of them", body = Page<BootDetail>)),
)]
pub(super) async fn boots(
    State(app): State<App>,
    _: Viewer,
    Path(name): Path<String>,
    query: Query,
) -> Answer<Answered<Page<BootDetail>>> {
    let query = query.only(&["run"])?;
    let number: Option<u32> = query.get("run")?;
    let runs = runs_of(&app, &name).await?;
    let run = match number {
        Some(number) => Some(numbered(&runs, &name, &number.to_string())?),
        None => runs.first(),
    };
    Ok(Answered(Page {
        items: run.map_or_else(Vec::new, boots_of),
        next_cursor: None,
    }))
}

async fn runs_of(app: &App, name: &str) -> Result<Vec<Run>, Failure> {
    let state = named(app, name).await?;
    Ok(app.store.runs(state.id).await?)
}

fn numbered<'a>(runs: &'a [Run], name: &str, number: &str) -> Result<&'a Run, Failure> {
    let shown: String = number.chars().take(20).collect();
    let wanted = number.parse().ok().map(RunNumber);
    runs.iter()
        .find(|run| Some(run.number) == wanted)
        .ok_or_else(|| Failure::new(ProblemType::NotFound, format!("{name} has no run {shown:?}")))
}

/// Every boot of a run with what proves it. What was fetched belongs to boot 1 before it has a name.
fn boots_of(run: &Run) -> Vec<BootDetail> {
    let evidence = &run.evidence;
    let mut boots: Vec<BootDetail> = evidence
        .boots
        .iter()
        .enumerate()
        .map(|(at, boot)| boot_detail(run, boot, &evidence.boots[..at]))
        .collect();
    let first = boots.iter().position(|boot| boot.role == 1);
    let was_fetched = evidence.script.is_some() || !evidence.fetched.is_empty();
    let first = match first {
        None if was_fetched => {
            let silent = BootDetail {
                run: run.number.0,
                role: 1,
                first_seen: evidence.script.map(|seen| seen.first),
                ..BootDetail::default()
            };
            boots.insert(0, silent);
            Some(0)
        }
        first => first,
    };
    if let Some(boot) = first.and_then(|at| boots.get_mut(at)) {
        boot.script = evidence.script.map(seen);
        boot.fetched = evidence
            .fetched
            .iter()
            .map(|(what, times)| (what.as_str().to_owned(), seen(*times)))
            .collect();
    }
    if let Some(boot) = boots.iter_mut().rev().find(|boot| boot.role == 3) {
        boot.network = evidence
            .network
            .as_ref()
            .and_then(|facts| serde_json::to_value(facts).ok());
        boot.network_differs.clone_from(&evidence.network_differs);
    }
    boots
}

fn boot_detail(run: &Run, boot: &Boot, before: &[Boot]) -> BootDetail {
    let evidence = &run.evidence;
    let claimed = evidence
        .claimed
        .as_ref()
        .filter(|claimed| boot.role == 1 && claimed.boot_id == boot.boot_id);
    let staged = evidence
        .staged
        .as_ref()
        .filter(|staged| boot.role == 2 && staged.boot_id == boot.boot_id);
    BootDetail {
        run: run.number.0,
        role: boot.role,
        is_repeat: before.iter().any(|other| other.role == boot.role),
        boot_id: Some(boot.boot_id.to_string()),
        first_seen: Some(boot.first_seen),
        os_version: boot.os_version.clone(),
        deployment: boot.deployment.clone(),
        claimed: claimed.map(|claimed| ClaimedView {
            at: claimed.at,
            attempt: claimed.attempt,
            disk: claimed.disk.path.clone(),
            serial: claimed.disk.serial.clone(),
            size_bytes: claimed.disk.size_bytes,
        }),
        // The boot that was granted the claim is the one that wrote.
        installed: evidence
            .installed
            .as_ref()
            .filter(|_| claimed.is_some())
            .map(|installed| InstalledView {
                image: installed.image.clone(),
                version: installed.version.clone(),
                disk_serial: installed.disk_serial.clone(),
                config_sha256: installed.config_sha256.clone(),
            }),
        staged: staged.map(|staged| staged.deployment.clone()),
        ..BootDetail::default()
    }
}

fn seen(seen: Seen) -> SeenView {
    SeenView {
        first: seen.first,
        last: seen.last,
        count: seen.count,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::secrets::Purpose;
    use crate::testing::{BOOT_ID, TestApp};

    #[tokio::test]
    async fn three_boots_are_shown_with_what_proves_them() {
        let site = TestApp::new().await;
        site.networked("a1", 1, json!({})).await;
        let run = site.api_get("/api/v1/hosts/a1/runs/1").await.json();
        assert_eq!((&run["number"], &run["stage"]), (&json!(1), &json!("networked")));
        let roles: Vec<&Value> = run["evidence"]
            .as_array()
            .unwrap()
            .iter()
            .map(|boot| &boot["role"])
            .collect();
        // The report of the network came from the boot that sample hosts speak of: a repeat.
        assert_eq!(roles, [1, 2, 3, 3]);
        let (live, second, third) = (&run["evidence"][0], &run["evidence"][1], &run["evidence"][3]);
        assert_eq!(
            (&live["boot_id"], &live["claimed"]["disk"]),
            (&json!(BOOT_ID), &json!("/dev/disk/by-id/d1"))
        );
        assert_eq!(live["script"]["count"], 1);
        assert!(live["installed"].is_object(), "{live}");
        assert_eq!(
            (&second["deployment"], &second["staged"]),
            (&json!("base"), &json!("layered"))
        );
        assert_eq!(
            (&third["is_repeat"], &third["network"]["addresses"][0]["address"]),
            (&json!(true), &json!("192.0.2.10/24"))
        );
        let boots = site.api_get("/api/v1/hosts/a1/boots").await.json();
        assert_eq!(boots["items"], run["evidence"]);
    }

    #[tokio::test]
    async fn what_was_fetched_is_evidence_before_the_machine_speaks() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        assert_eq!(site.api_get("/api/v1/hosts/a1/boots").await.json()["items"], json!([]));
        site.script(1).await;
        site.get(&format!("/ignition/{}/live.ign", site.secret(Purpose::Conf, host, 1)))
            .await;
        site.until("a1", |run| !run.evidence.fetched.is_empty()).await;
        let boots = site.api_get("/api/v1/hosts/a1/boots?run=1").await.json();
        let live = &boots["items"][0];
        assert_eq!((&live["role"], &live["boot_id"]), (&json!(1), &json!(null)));
        assert_eq!(live["fetched"]["live-config"]["count"], 1);
    }

    #[tokio::test]
    async fn runs_are_listed_the_latest_first() {
        let site = TestApp::new().await;
        site.host("a0", 9).await;
        assert_eq!(site.api_get("/api/v1/hosts/a0/runs").await.json()["items"], json!([]));
        site.armed("a1", 1).await;
        for _ in 0..2 {
            site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await;
            site.arm("a1").await;
        }
        let numbers = async |query: &str| -> Vec<Value> {
            let page = site.api_get(&format!("/api/v1/hosts/a1/runs{query}")).await.json();
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|run| run["number"].clone())
                .collect()
        };
        assert_eq!(numbers("").await, [3, 2, 1]);
        assert_eq!(numbers("?limit=2").await, [3, 2]);
        assert_eq!(numbers("?limit=2&cursor=2").await, [1]);
        let old = site.api_get("/api/v1/hosts/a1/runs/2").await.json();
        assert_eq!(old["failed"]["cause"], "cancelled by admin");
    }

    #[tokio::test]
    async fn what_never_was_is_404() {
        let site = TestApp::new().await;
        site.armed("a1", 1).await;
        for path in [
            "a1/runs/2",
            "a1/runs/x",
            "a1/runs/-1",
            "none/runs",
            "none/boots",
            "a1/boots?run=7",
        ] {
            assert_eq!(
                site.api_get(&format!("/api/v1/hosts/{path}")).await.problem().0,
                404,
                "{path}"
            );
        }
        for (query, field) in [
            ("runs?limit=0", "limit"),
            ("runs?cursor=x", "cursor"),
            ("boots?run=x", "run"),
            ("boots?x=1", "x"),
        ] {
            let (status, _, at) = site.api_get(&format!("/api/v1/hosts/a1/{query}")).await.problem();
            assert_eq!((status, at.as_str()), (422, field));
        }
    }
}
