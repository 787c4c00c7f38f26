//! `POST /v1/report`: what a host says of itself.

use axum::Json as Answered;
use axum::extract::{Request, State};
use thirdboot_api::boot::{MAX_LOG_BYTES, ReportBody, StageAnswer};
use thirdboot_lifecycle::{Report, RunNumber, Said, SecretKind};
use thirdboot_store::{Answer as Stored, Submission, SubmitError};

use super::bearer::heard;
use super::facts;
use crate::App;
use crate::metrics::EventLabels;
use crate::observe;
use crate::problem::{Answer, Failure};
use crate::secrets::redact;

/// A message is a line for people; what is longer belongs into `log`.
const MAX_MESSAGE_CHARS: usize = 2000;

pub(super) async fn report(State(app): State<App>, request: Request) -> Answer<Answered<StageAnswer>> {
    let (speaker, body): (_, ReportBody) = heard(&app, &[SecretKind::Host, SecretKind::Live], request).await?;
    speaker.speaks_of(body.run)?;
    let (report, log) = read(body)?;
    speaker.may_speak()?;
    let event = report.said.kind().as_str();
    let submission = Submission::Report {
        by: speaker.kind,
        report: Box::new(report),
        log,
    };
    let stored = app.store.submit(speaker.state.id, submission).await;
    let outcome = match &stored {
        Ok(_) => "recorded",
        Err(SubmitError::Refused(_)) => "refused",
        Err(_) => "failed",
    };
    app.metrics.reports.get_or_create(&EventLabels { event, outcome }).inc();
    match stored? {
        Stored::Recorded(stage) => {
            if speaker.state.run.as_ref().is_some_and(|run| run.stage != stage) {
                observe::reached(stage.as_str());
                tracing::info!(event, "the run moved on");
                if speaker.state.host.provider.is_some() {
                    app.platforms.nudge.now();
                }
            }
            Ok(Answered(StageAnswer {
                stage: stage.as_str().into(),
            }))
        }
        other => Err(Failure::internal(format!("a report was answered with {other:?}"))),
    }
}

fn read(body: ReportBody) -> Result<(Report, Option<String>), Failure> {
    if body.log.as_ref().is_some_and(|log| log.len() > MAX_LOG_BYTES) {
        return Err(Failure::field(
            "log",
            format!("a log has at most {MAX_LOG_BYTES} bytes: send its tail"),
        ));
    }
    // Counted in 63 bits by every store.
    if i64::try_from(body.seq).is_err() {
        return Err(Failure::field("seq", "expected a number below 2^63"));
    }
    let said = facts::said(&body)?;
    let report = Report {
        run: RunNumber(body.run),
        boot_id: facts::boot_id(&body.boot_id)?,
        seq: body.seq,
        said,
        message: body.message.map(|message| clean_message(&message)),
    };
    // What an inspection found is what it was for.
    let log = match (&report.said, body.log) {
        (Said::Note { inspection: true }, None) => serde_json::to_string_pretty(&body.facts).ok(),
        (_, log) => log,
    };
    Ok((report, log.map(|log| clean_log(&log))))
}

fn clean_message(message: &str) -> String {
    redact(message).trim().chars().take(MAX_MESSAGE_CHARS).collect()
}

/// Redacted first: a secret that the cut would halve is gone by then. The end of a log tells more than its beginning.
fn clean_log(log: &str) -> String {
    let clean = redact(log);
    let over = clean.len().saturating_sub(MAX_LOG_BYTES);
    let start = (over..=clean.len())
        .find(|at| clean.is_char_boundary(*at))
        .unwrap_or(clean.len());
    clean[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Method;
    use serde_json::{Value, json};

    use crate::secrets::Purpose;
    use crate::testing::TestApp;

    #[tokio::test]
    async fn a_host_reports_its_way_to_ready() {
        let site = TestApp::new().await;
        let host = site.networked("a1", 1, json!({})).await.id;
        assert_eq!(site.tell(host, Purpose::Host, 7, "ready", json!({})).await, "ready");
        let booted = json!({"facts": {"os_version": "43", "deployment": "x", "addresses": ["192.0.2.10/24"]}});
        assert_eq!(site.tell(host, Purpose::Host, 8, "booted", booted).await, "ready");
        let observed = site.state("a1").await.observed.unwrap();
        assert_eq!(observed.network.unwrap().addresses.len(), 1);
    }

    #[tokio::test]
    async fn the_same_report_again_is_answered_alike_and_recorded_once() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        site.tell(host, Purpose::Live, 1, "live", json!({})).await;
        site.post("/v1/claim", &site.secret(Purpose::Live, host, 1), &TestApp::claim(1, 1))
            .await;
        assert_eq!(site.tell(host, Purpose::Live, 1, "live", json!({})).await, "live");
        let events = site.api_get("/api/v1/hosts/a1/events").await.json();
        let lives = events["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event["event"] == "live");
        assert_eq!(lives.count(), 1);
    }

    #[tokio::test]
    async fn a_refused_report_says_what_was_expected() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let reply = site
            .post(
                "/v1/report",
                &site.secret(Purpose::Host, host, 1),
                &TestApp::report(1, "ready", &json!({})),
            )
            .await;
        assert_eq!(reply.problem(), (409, "refused".into(), String::new()));
        let problem = reply.json();
        assert!(
            problem["expected"].as_array().unwrap().contains(&json!("live")),
            "{problem}"
        );
        assert_eq!(problem["stage"], "armed");
    }

    #[tokio::test]
    async fn a_run_that_is_over_takes_nothing_more() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await;
        let reply = site
            .post(
                "/v1/report",
                &site.secret(Purpose::Live, host, 1),
                &TestApp::report(1, "live", &json!({})),
            )
            .await;
        assert_eq!(reply.problem(), (409, "run-over".into(), String::new()));
        site.arm("a1").await;
        let reply = site
            .post(
                "/v1/report",
                &site.secret(Purpose::Live, host, 1),
                &TestApp::report(2, "live", &json!({})),
            )
            .await;
        assert_eq!(reply.problem(), (409, "run-over".into(), String::new()));
    }

    #[tokio::test]
    async fn the_previous_system_may_speak_until_the_new_run_claims() {
        let site = TestApp::new().await;
        let host = site.networked("a1", 1, json!({})).await.id;
        site.tell(host, Purpose::Host, 7, "ready", json!({})).await;
        site.arm("a1").await;
        let old = site.secret(Purpose::Host, host, 1);
        let booted = |seq| TestApp::report(seq, "booted", &json!({"facts": {"os_version": "43"}}));
        assert_eq!(site.post("/v1/report", &old, &booted(8)).await.status, 200);
        let mut claim = TestApp::claim(1, 2);
        claim["disk"]["previous"] = json!({"host": "a1", "run": 1});
        claim["disks"] = json!([claim["disk"].clone()]);
        let granted = site
            .post("/v1/claim", &site.secret(Purpose::Live, host, 2), &claim)
            .await;
        assert_eq!(granted.status, 200, "{}", granted.text());
        assert_eq!(site.post("/v1/report", &old, &booted(9)).await.problem().1, "run-over");
    }

    #[tokio::test]
    async fn secrets_in_messages_and_logs_are_not_kept() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let secret = site.secret(Purpose::Host, host, 1);
        let more = json!({"message": format!("curl -H {secret}"), "log": format!("config: {secret}\nend")});
        site.tell(host, Purpose::Live, 1, "install-failed", more).await;
        let events = site.api_get("/api/v1/hosts/a1/events").await.text();
        assert!(
            events.contains("tb_host_[redacted]") && !events.contains(&secret),
            "{events}"
        );
        assert!(!site.api_get("/api/v1/hosts/a1").await.text().contains(&secret));
    }

    #[tokio::test]
    async fn malformed_reports_name_their_field_and_change_nothing() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let (live, installed) = (site.secret(Purpose::Live, host, 1), site.secret(Purpose::Host, host, 1));
        let cases: [(&str, Value, &str); 9] = [
            ("run", json!(7), "run"),
            ("boot_id", json!("b"), "boot_id"),
            ("seq", json!(-1), "seq"),
            ("seq", json!(u64::MAX), "seq"),
            ("event", json!("melting"), "event"),
            ("percent", json!(101), "percent"),
            ("at", json!("yesterday"), "at"),
            ("log", json!("x".repeat(64 * 1024 + 1)), "log"),
            ("mood", json!("good"), "mood"),
        ];
        for (name, value, field) in cases {
            let mut report = TestApp::report(1, "installing", &json!({}));
            report[name] = value;
            let (status, _, at) = site.post("/v1/report", &live, &report).await.problem();
            assert_eq!((status, at.as_str()), (422, field), "{name}");
        }
        let reply = site
            .post(
                "/v1/report",
                &installed,
                &TestApp::report(1, "layered", &json!({"facts": {}})),
            )
            .await;
        assert_eq!(reply.problem(), (422, "malformed".into(), "facts.deployment".into()));
        let events = site.api_get("/api/v1/hosts/a1/events").await.json();
        assert!(
            events["items"]
                .as_array()
                .unwrap()
                .iter()
                .all(|event| event["by"] != "host"),
            "{events}"
        );
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_413_and_an_unknown_secret_401() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let live = site.secret(Purpose::Live, host, 1);
        let large = TestApp::report(1, "live", &json!({"message": "x".repeat(1 << 20)}));
        assert_eq!(site.post("/v1/report", &live, &large).await.problem().0, 413);
        for wrong in [
            "",
            "x",
            &site.secret(Purpose::Boot, host, 0),
            &site.secret(Purpose::Conf, host, 1),
        ] {
            let reply = site
                .post("/v1/report", wrong, &TestApp::report(1, "live", &json!({})))
                .await;
            assert_eq!(reply.problem().0, 401);
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
        let reply = site
            .boot_request(Method::GET, "/v1/report", &[], "127.0.0.1", Body::empty())
            .await;
        assert_eq!((reply.problem().0, reply.header("allow")), (405, "POST"));
    }
}
