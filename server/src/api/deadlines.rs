//! When silence is too long: read by everybody, set by admins, in force at once for every run.

use std::collections::BTreeMap;

use axum::Json as Answered;
use axum::extract::State;
use thirdboot_api::control::{AlertLimitsPatch, AlertLimitsView, Change, DeadlinesPatch, DeadlinesView, StageDeadline};
use thirdboot_lifecycle::{AlertLimits, Deadline, Deadlines, Stage};
use thirdboot_store::{AlertsChange, Timing, TimingChange};

use super::auth::{Admin, Viewer};
use crate::App;
use crate::boot::Json;
use crate::problem::{Answer, Failure};

/// What a deadline may be, in seconds: shorter than any report's retry it would only make noise.
const LIMITS_S: std::ops::RangeInclusive<u32> = 10..=30 * 24 * 3600;

/// Shows when silence is too long.
#[utoipa::path(
    get, path = "/api/v1/settings/deadlines", tag = "settings", operation_id = "get_deadlines", security(("token" = ["viewer"])),
    responses((status = 200, description = "What is in force", body = DeadlinesView)),
)]
pub(super) async fn show(State(app): State<App>, _: Viewer) -> Answered<DeadlinesView> {
    Answered(view(&app.store.timing()))
}

/// Changes when silence is too long, at once and for runs under way.
///
/// What is left out stays; null brings a default back.
#[utoipa::path(
    patch, path = "/api/v1/settings/deadlines", tag = "settings", operation_id = "change_deadlines", security(("token" = ["admin"])),
    request_body = DeadlinesPatch,
    responses((status = 200, description = "What is in force now", body = DeadlinesView)),
)]
pub(super) async fn change(
    State(app): State<App>,
    Admin(by): Admin,
    Json(patch): Json<DeadlinesPatch>,
) -> Answer<Answered<DeadlinesView>> {
    let stages = patch
        .stages
        .iter()
        .map(|(name, deadline)| stage_change(name, *deadline))
        .collect::<Result<BTreeMap<_, _>, _>>()?;
    let alerts = match patch.alerts {
        Change::None => AlertsChange::None,
        Change::Reset => AlertsChange::Reset,
        Change::To(patch) => AlertsChange::To(limits(app.store.timing().alerts, patch)?),
    };
    let timing = app
        .store
        .change_timing(TimingChange { stages, alerts }, by.clone())
        .await?;
    tracing::info!(%by, "deadlines changed");
    app.nudge.now();
    Ok(Answered(view(&timing)))
}

fn stage_change(name: &str, deadline: Option<StageDeadline>) -> Result<(Stage, Option<Deadline>), Failure> {
    let shown: String = name.chars().take(40).collect();
    let field = |end: &str| format!("stages.{shown}{end}");
    let timed = |stage: &Stage| Deadlines::default().of(*stage).is_some();
    let stage = Stage::named(name).filter(timed).ok_or_else(|| {
        let names: Vec<&str> = Stage::ALL.into_iter().filter(timed).map(Stage::as_str).collect();
        Failure::field(
            field(""),
            format!("no stage with deadlines: expected one of {}", names.join(", ")),
        )
    })?;
    let Some(StageDeadline { stall_s, give_up_s }) = deadline else {
        return Ok((stage, None));
    };
    in_range(stall_s).map_err(|expected| Failure::field(field(".stall_s"), expected))?;
    if let Some(give_up_s) = give_up_s {
        in_range(give_up_s).map_err(|expected| Failure::field(field(".give_up_s"), expected))?;
        if give_up_s <= stall_s {
            let expected = format!("expected more than stall_s ({stall_s}), or null for never");
            return Err(Failure::field(field(".give_up_s"), expected));
        }
    }
    Ok((stage, Some(Deadline { stall_s, give_up_s })))
}

fn limits(mut limits: AlertLimits, patch: AlertLimitsPatch) -> Result<AlertLimits, Failure> {
    for (name, wanted, limit) in [
        ("not_back_s", patch.not_back_s, &mut limits.not_back_s),
        ("lock_held_s", patch.lock_held_s, &mut limits.lock_held_s),
        ("conflict_s", patch.conflict_s, &mut limits.conflict_s),
    ] {
        if let Some(seconds) = wanted {
            in_range(seconds).map_err(|expected| Failure::field(format!("alerts.{name}"), expected))?;
            *limit = seconds;
        }
    }
    Ok(limits)
}

fn in_range(seconds: u32) -> Result<(), String> {
    if LIMITS_S.contains(&seconds) {
        return Ok(());
    }
    Err(format!("expected {} to {} seconds", LIMITS_S.start(), LIMITS_S.end()))
}

fn view(timing: &Timing) -> DeadlinesView {
    let stages = Stage::ALL.into_iter().filter_map(|stage| {
        let Deadline { stall_s, give_up_s } = timing.stages.of(stage)?;
        Some((stage.as_str().to_owned(), StageDeadline { stall_s, give_up_s }))
    });
    DeadlinesView {
        stages: stages.collect(),
        alerts: AlertLimitsView {
            not_back_s: timing.alerts.not_back_s,
            lock_held_s: timing.alerts.lock_held_s,
            conflict_s: timing.alerts.conflict_s,
        },
        set: timing
            .set
            .stages
            .keys()
            .map(|stage| stage.as_str().to_owned())
            .collect(),
        alerts_set: timing.set.alerts.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Method;
    use serde_json::json;
    use thirdboot_store::{AccessRole, Token};

    use crate::testing::TestApp;

    const PATH: &str = "/api/v1/settings/deadlines";

    #[tokio::test]
    async fn a_deadline_holds_at_once_and_after_a_restart() {
        let site = TestApp::new().await;
        site.armed("a1", 1).await;
        site.script(1).await;
        let set = site
            .api_patch(
                PATH,
                &json!({"stages": {"netbooting": {"stall_s": 30, "give_up_s": null}}}),
            )
            .await
            .json();
        assert_eq!(set["stages"]["netbooting"], json!({"stall_s": 30, "give_up_s": null}));
        assert_eq!(
            (&set["set"], &set["stages"]["live"]["stall_s"]),
            (&json!(["netbooting"]), &json!(600))
        );
        site.wait(1);
        crate::reconciler::carry_out_what_is_due(site.app.store.as_ref()).await;
        let shown = site.api_get("/api/v1/hosts/a1").await.json();
        assert_eq!(shown["run"]["stalled"], true, "{shown}");
        let site = site.restarted().await;
        assert_eq!(site.api_get(PATH).await.json(), set);
        let back = site
            .api_patch(PATH, &json!({"stages": {"netbooting": null}}))
            .await
            .json();
        assert_eq!(
            (&back["set"], &back["stages"]["netbooting"]["stall_s"]),
            (&json!([]), &json!(600))
        );
    }

    #[tokio::test]
    async fn limits_of_alerts_are_set_one_by_one() {
        let site = TestApp::new().await;
        let set = site
            .api_patch(PATH, &json!({"alerts": {"not_back_s": 60}}))
            .await
            .json();
        assert_eq!(
            (&set["alerts"]["not_back_s"], &set["alerts"]["lock_held_s"]),
            (&json!(60), &json!(3600))
        );
        let set = site
            .api_patch(PATH, &json!({"alerts": {"lock_held_s": 90}}))
            .await
            .json();
        assert_eq!(
            (&set["alerts"]["not_back_s"], &set["alerts_set"]),
            (&json!(60), &json!(true))
        );
        let back = site.api_patch(PATH, &json!({"alerts": null})).await.json();
        assert_eq!(
            (&back["alerts"]["not_back_s"], &back["alerts_set"]),
            (&json!(900), &json!(false))
        );
    }

    #[tokio::test]
    async fn a_deadline_that_cannot_be_is_refused_and_nothing_changes() {
        let site = TestApp::new().await;
        let before = site.api_get(PATH).await.json();
        let live =
            |stall_s: i64, give_up_s: i64| json!({"stages": {"live": {"stall_s": stall_s, "give_up_s": give_up_s}}});
        for (body, field) in [
            (live(9, 100), "stages.live.stall_s"),
            (live(100, 100), "stages.live.give_up_s"),
            (live(100, 9_999_999), "stages.live.give_up_s"),
            (live(-1, 100), "stages.live.stall_s"),
            (json!({"stages": {"ready": null}}), "stages.ready"),
            (json!({"stages": {"lives": null}}), "stages.lives"),
            (json!({"stages": {"live": {"stall": 60}}}), "stages.live.stall"),
            (json!({"alerts": {"not_back_s": 0}}), "alerts.not_back_s"),
            (json!({"stage": {}}), "stage"),
        ] {
            let reply = site.api_patch(PATH, &body).await;
            let (status, _, at) = reply.problem();
            assert_eq!((status, at.as_str()), (422, field), "{}", reply.text());
        }
        assert_eq!(site.api_get(PATH).await.json(), before);
    }

    #[tokio::test]
    async fn only_an_admin_sets_them() {
        let site = TestApp::new().await;
        let operator = Token {
            name: "olga".into(),
            role: AccessRole::Operator,
            sha256: crate::api::token_sha256("tb_api_operator"),
            created_at: site.app.store.now(),
        };
        site.app.store.add_token(operator).await.unwrap();
        let patch = site
            .api_as("tb_api_operator", Method::PATCH, PATH, Body::from("{}"))
            .await;
        assert_eq!(patch.problem().0, 403);
        assert_eq!(
            site.api_as("tb_api_operator", Method::GET, PATH, Body::empty())
                .await
                .status,
            200
        );
    }
}
