//! How requests with an Idempotency-Key were answered.

use sqlx::SqliteExecutor;
use thirdboot_store::{IDEMPOTENCY_KEY, KeptAnswer, StoreError};

use crate::batch::Batch;
use crate::error::{is_unique_violation, unavailable};
use crate::rows::time;
use crate::script::Script;

/// Keeps it.
pub(crate) async fn keep(batch: &mut Batch<'_>, answer: &KeptAnswer) -> Result<Result<(), StoreError>, StoreError> {
    Ok(batch.write([script(answer)]).await?.map_err(|error| {
        if is_unique_violation(&error) {
            taken(answer)
        } else {
            unavailable(&error)
        }
    }))
}

/// What keeps it beside something else.
pub(crate) fn script(answer: &KeptAnswer) -> Script {
    let mut script = Script::new();
    script
        .add("INSERT INTO kept_answers (caller, key, request_sha256, at, sealed) VALUES (?, ?, ?, ?, ?)")
        .bind(answer.caller.clone())
        .bind(answer.key.clone())
        .bind(answer.request_sha256.clone())
        .bind(answer.at.as_millisecond())
        .bind(answer.sealed.clone());
    script
}

/// Whether this key was used already.
pub(crate) async fn used(batch: &mut Batch<'_>, caller: &str, key: &str) -> Result<Option<StoreError>, StoreError> {
    let kept = find(&mut *batch.connection, caller, key).await?;
    Ok(kept.map(|kept| taken(&kept)))
}

fn taken(answer: &KeptAnswer) -> StoreError {
    StoreError::Taken {
        field: IDEMPOTENCY_KEY,
        value: answer.key.clone(),
        owner: "an earlier request".to_owned(),
    }
}

/// The answer that was kept for this key of this caller.
pub(crate) async fn find(
    on: impl SqliteExecutor<'_>,
    caller: &str,
    key: &str,
) -> Result<Option<KeptAnswer>, StoreError> {
    let row: Option<(String, i64, Vec<u8>)> =
        sqlx::query_as("SELECT request_sha256, at, sealed FROM kept_answers WHERE caller = ? AND key = ?")
            .bind(caller)
            .bind(key)
            .fetch_optional(on)
            .await
            .map_err(|error| unavailable(&error))?;
    row.map(|(request_sha256, at, sealed)| {
        Ok(KeptAnswer {
            caller: caller.to_owned(),
            key: key.to_owned(),
            request_sha256,
            at: time("kept_answers", &key, at)?,
            sealed,
        })
    })
    .transpose()
}
