//! A database that is not the one the epoch file was last written for: nothing may be wiped by what it remembers.

use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;
use thirdboot_store::{HostId, StoreError, Submission, SubmitError, Timing};

use crate::OpenOptions;
use crate::batch::Batch;
use crate::clusters;
use crate::epoch::Mark;
use crate::error::unavailable;
use crate::meta::Meta;
use crate::pending;
use crate::rows::unsigned;
use crate::submit::submit;
use crate::users;

const WHY: &str = "the database is not the one that issued permits last: it was restored, or is another one";

/// Takes back every open permit, ends every session and link of a person, and begins the new epoch, in one transaction.
/// A crash before the epoch file is written only means that the next start finds nothing left to take back.
pub(crate) async fn void_permits(
    connection: &mut SqliteConnection,
    options: &OpenOptions,
    timing: &Arc<Timing>,
    mark: Mark,
) -> Result<(Meta, u64), StoreError> {
    let (clock, defaults) = (&options.clock, &options.deadlines);
    let mut batch = Batch::begin(connection, clock, Arc::clone(timing), defaults, &options.limits).await?;
    let open: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM hosts WHERE stage IN ('armed', 'netbooting', 'live', 'installing')")
            .fetch_all(&mut *batch.connection)
            .await
            .map_err(|error| unavailable(&error))?;
    let mut voided = 0;
    for id in open {
        let id = HostId(unsigned("hosts", &id, id)?);
        let before = batch.meta.mark.permit_seq;
        let submission = Submission::VoidPermit { why: WHY.to_owned() };
        match submit(&mut batch, id, &submission).await? {
            Ok(_) => voided += batch.meta.mark.permit_seq - before,
            Err(SubmitError::Store(error)) => return Err(error),
            // A run without a permit has nothing to take back.
            Err(_) => {}
        }
        // A fleet does not fit into memory twice.
        pending::flush(&mut batch).await?;
        batch.hosts.clear();
    }
    clusters::after_restore(batch.connection).await?;
    users::after_restore(batch.connection).await?;
    batch.meta.mark = Mark {
        permit_seq: batch.meta.mark.permit_seq.max(mark.permit_seq),
        ..mark
    };
    let committed = batch.commit().await?;
    Ok((committed.meta, voided))
}
