//! A report is recorded once and answered alike for ever.

use std::collections::HashMap;

use sqlx::sqlite::SqliteConnection;
use thirdboot_lifecycle::{BootId, RunNumber};
use thirdboot_store::{Answer, HostId, ReportAnswer, ReportKey, StoreError, Submission, SubmitError};

use crate::error::{impossible, unavailable};
use crate::read::json;
use crate::rows::{parse, unsigned};

#[derive(sqlx::FromRow)]
struct ReportRow {
    host_id: i64,
    run: i64,
    boot_id: String,
    seq: i64,
    answer: String,
}

impl ReportRow {
    fn name(&self) -> String {
        format!("{}/{}/{}/{}", self.host_id, self.run, self.boot_id, self.seq)
    }

    fn key(&self) -> Result<ReportKey, StoreError> {
        let run = u32::try_from(self.run).map_err(|_| impossible("reports", &self.name(), "its run is no run"))?;
        let boot_id =
            BootId::stated(&self.boot_id).ok_or_else(|| impossible("reports", &self.name(), "its boot is no boot"))?;
        Ok(ReportKey {
            host: HostId(unsigned("reports", &self.name(), self.host_id)?),
            run: RunNumber(run),
            boot_id,
            seq: self.seq.cast_unsigned(),
        })
    }
}

/// Kept answers. One that cannot be read is found out, and named, by whoever reports the same again.
pub(crate) type Answers = HashMap<ReportKey, KeptAnswer>;

/// The JSON of an answer as it was read, or the answer that was just given.
pub(crate) enum KeptAnswer {
    Read { row: String, json: String },
    Given(ReportAnswer),
}

impl KeptAnswer {
    pub(crate) fn again(&self, submission: &Submission) -> Result<Answer, SubmitError> {
        match self {
            Self::Read { row, json } => parse::<ReportAnswer>("reports", row, json)?.again(submission),
            Self::Given(answer) => answer.again(submission),
        }
    }
}

/// How those of these reports were answered that came before.
pub(crate) async fn answers(on: &mut SqliteConnection, keys: &[ReportKey]) -> Result<Answers, StoreError> {
    let list: Vec<_> = keys
        .iter()
        .map(|key| (key.host.0, key.run.0, key.boot_id.as_str(), key.seq.cast_signed()))
        .collect();
    let rows: Vec<ReportRow> = sqlx::query_as(
        "SELECT r.host_id, r.run, r.boot_id, r.seq, r.answer FROM json_each(?) AS k CROSS JOIN reports AS r \
         ON r.host_id = k.value ->> 0 AND r.run = k.value ->> 1 AND r.boot_id = k.value ->> 2 AND r.seq = k.value ->> 3",
    )
    .bind(json(&list))
    .fetch_all(on)
    .await
    .map_err(|error| unavailable(&error))?;
    rows.into_iter()
        .map(|row| {
            let (key, name) = (row.key()?, row.name());
            Ok((
                key,
                KeptAnswer::Read {
                    row: name,
                    json: row.answer,
                },
            ))
        })
        .collect()
}
