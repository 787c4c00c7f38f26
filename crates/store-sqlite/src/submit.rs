//! One submission inside a transaction: load, apply, write.

use thirdboot_store::{
    Answer, Applied, Change, Context, HostId, HostState, ReportKey, StoreError, Submission, SubmitError, apply,
};

use crate::batch::Batch;
use crate::error::{is_unique_violation, unavailable};
use crate::reports::KeptAnswer;
use crate::script::Script;
use crate::{hosts, read, save};

/// Carries out `submission`. The outer error is the whole transaction's.
pub(crate) async fn submit(
    batch: &mut Batch<'_>,
    id: HostId,
    submission: &Submission,
) -> Result<Result<Answer, SubmitError>, StoreError> {
    let key = submission.report_key(id);
    if let Some(first) = key.as_ref().and_then(|key| batch.answers.get(key)) {
        return Ok(first.again(submission));
    }
    let state = match load(batch, id).await {
        Ok(Some(state)) => state,
        Ok(None) => return Ok(Err(SubmitError::NoSuchHost)),
        Err(error @ StoreError::Unavailable(_)) => return Err(error),
        Err(error) => return Ok(Err(error.into())),
    };
    let others = match submission.identity() {
        Some(identity) => read::others_with(&mut *batch.connection, id, identity).await?,
        None => Vec::new(),
    };
    let context = Context {
        now: batch.now,
        deadlines: batch.deadlines,
        others: &others,
    };
    let Applied { change, answer } = apply(&state, submission, &context);
    match keep(batch, state, change, key).await? {
        Ok(()) => Ok(answer),
        Err(error) => Ok(Err(error.into())),
    }
}

/// The host, out of the batch where it was read or changed before.
async fn load(batch: &mut Batch<'_>, id: HostId) -> Result<Option<HostState>, StoreError> {
    match batch.hosts.remove(&id) {
        Some(state) => Ok(Some(state)),
        None => read::host_by_id(&mut *batch.connection, id).await,
    }
}

/// Writes the change, and keeps the host as it is now for the next submission of the batch.
async fn keep(
    batch: &mut Batch<'_>,
    state: HostState,
    change: Change,
    key: Option<ReportKey>,
) -> Result<Result<(), StoreError>, StoreError> {
    let mut script = Script::new();
    save::write(&mut script, batch, &state, &change, key.as_ref());
    if script.is_empty() {
        batch.hosts.insert(state.id, state);
        return Ok(Ok(()));
    }
    match batch.write([script]).await? {
        Ok(()) => {
            batch.meta.last_event += u64::try_from(change.log.len()).unwrap_or(0);
            if change.closes_permit {
                batch.meta.mark.permit_seq += 1;
            }
            if let (Some(key), Some(answer)) = (key, change.report_answer.clone()) {
                batch.answers.insert(key, KeptAnswer::Given(answer));
            }
            let state = save::changed(state, change);
            batch.hosts.insert(state.id, state);
            Ok(Ok(()))
        }
        Err(error) => {
            let taken = match &change.host {
                Some(host) if is_unique_violation(&error) => hosts::taken(batch, Some(state.id), host).await?,
                _ => None,
            };
            batch.hosts.insert(state.id, state);
            Ok(Err(taken.unwrap_or_else(|| unavailable(&error))))
        }
    }
}
