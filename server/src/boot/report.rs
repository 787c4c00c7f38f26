//! `POST /v1/report`: what a host says of itself.

use axum::Json as Answered;
use axum::extract::State;
use axum::http::HeaderMap;
use thirdboot_api::boot::{MAX_LOG_BYTES, ReportBody, StageAnswer};
use thirdboot_lifecycle::{Report, RunNumber, SecretKind};
use thirdboot_store::{Answer as Stored, Submission};

use super::Json;
use super::bearer::Speaker;
use super::facts;
use crate::App;
use crate::problem::{Answer, Failure};
use crate::secrets::redact;

/// A message is a line for people; what is longer belongs into `log`.
const MAX_MESSAGE_CHARS: usize = 2000;

pub(super) async fn report(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Json<ReportBody>, Failure>,
) -> Answer<Answered<StageAnswer>> {
    let speaker = Speaker::of(&app, &headers, &[SecretKind::Host, SecretKind::Live]).await?;
    let Json(body) = body?;
    speaker.speaks_of(body.run)?;
    let (report, log) = read(body)?;
    speaker.may_speak()?;
    let submission = Submission::Report {
        by: speaker.kind,
        report: Box::new(report),
        log,
    };
    match app.store.submit(speaker.state.id, submission).await? {
        Stored::Recorded(stage) => Ok(Answered(StageAnswer {
            stage: stage.as_str().into(),
        })),
        other => Err(Failure::internal(format!("a report was answered with {other:?}"))),
    }
}

fn read(body: ReportBody) -> Result<(Report, Option<String>), Failure> {
    if body.log.as_ref().is_some_and(|log| log.len() > MAX_LOG_BYTES) {
        return Err(Failure::field("log", format!("a log has at most {MAX_LOG_BYTES} bytes: send its tail")));
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
    Ok((report, body.log.map(|log| clean_log(&log))))
}

fn clean_message(message: &str) -> String {
    redact(message).trim().chars().take(MAX_MESSAGE_CHARS).collect()
}

/// Redacted first: a secret that the cut would halve is gone by then. The end of a log tells more than its beginning.
fn clean_log(log: &str) -> String {
    let clean = redact(log);
    let over = clean.len().saturating_sub(MAX_LOG_BYTES);
    let start = (over..=clean.len()).find(|at| clean.is_char_boundary(*at)).unwrap_or(clean.len());
    clean[start..].to_owned()
}
