//! One submission inside a transaction: load, apply, write.

use std::sync::Arc;

use thirdboot_lifecycle::Host;
use thirdboot_store::{
    Answer, Applied, Change, Context, HostId, HostState, Move, ReportKey, StoreError, Submission, SubmitError, apply,
};

use crate::batch::Batch;
use crate::leasing::Leasing;
use crate::reports::KeptAnswer;
use crate::{pending, read, save};

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
    let timing = Arc::clone(&batch.timing);
    let context = Context {
        now: batch.now,
        deadlines: &timing.stages,
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

/// Writes the change, or notes it for the end of the batch, and keeps the host as it is now.
async fn keep(
    batch: &mut Batch<'_>,
    state: HostState,
    mut change: Change,
    key: Option<ReportKey>,
) -> Result<Result<(), StoreError>, StoreError> {
    if change.remove {
        return Box::pin(remove(batch, state)).await;
    }
    if let Some(host) = change.host.as_mut().filter(|host| may_be_owed(&state.host, host))
        && let Err(error) = Leasing::beside(std::slice::from_ref(host))
            .lease(batch, Some(state.id), host)
            .await?
    {
        batch.hosts.insert(state.id, state);
        return Ok(Err(error));
    }
    if save::can_be_refused(&state, &change) {
        if batch.pending.has_row(state.id) {
            batch.hosts.insert(state.id, state.clone());
            pending::flush(batch).await?;
        }
        if let Err(error) = save::write(batch, &state, &change).await? {
            // Whatever else went wrong, the row may not be what was remembered.
            if matches!(error, StoreError::Taken { .. }) {
                batch.hosts.insert(state.id, state);
            } else {
                batch.hosts.remove(&state.id);
            }
            return Ok(Err(error));
        }
    } else if save::touches_row(&change) {
        batch.pending.row(&state, change.observed.is_some());
    }
    for entry in change.log.drain(..) {
        batch.meta.last_event += 1;
        batch.pending.event(batch.meta.last_event, state.id, &entry);
    }
    if let (Some(key), Some(answer)) = (key, change.report_answer.take()) {
        batch.pending.report(&key, &answer);
        batch.answers.insert(key, KeptAnswer::Given(answer));
    }
    if let (Some(before), Some(now)) = (&state.run, &change.run)
        && before.number == now.number
        && before.stage != now.stage
    {
        batch.moves.push(Move {
            from: before.stage,
            to: now.stage,
            after: batch.now.duration_since(before.entered_at),
        });
    }
    if change.closes_permit {
        batch.meta.mark.permit_seq += 1;
    }
    let state = save::changed(state, change);
    batch.hosts.insert(state.id, state);
    Ok(Ok(()))
}

/// Whether pools are asked for addresses: not when a brake or a label changes, which must not fail for want of one.
fn may_be_owed(before: &Host, now: &Host) -> bool {
    before == now || (&before.network, &before.cluster, before.role) != (&now.network, &now.cluster, now.role)
}

/// Removes the host. What is pending of it is written first: it refers to the host's row.
async fn remove(batch: &mut Batch<'_>, state: HostState) -> Result<Result<(), StoreError>, StoreError> {
    pending::flush(batch).await?;
    save::remove(batch, state).await
}
