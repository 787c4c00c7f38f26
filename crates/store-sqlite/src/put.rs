//! A whole inventory in one go: hosts are added and described anew, all or none.

use thirdboot_store::{Actor, HostId, PutError, PutHost, StoreError, Submission, SubmitError};

use crate::batch::Batch;
use crate::error::unavailable;
use crate::script::Script;
use crate::{hosts, pending, submit};

/// Takes them all, or none. The outer error is the whole transaction's.
pub(crate) async fn put_hosts(
    batch: &mut Batch<'_>,
    puts: &[PutHost],
    by: &Actor,
) -> Result<Result<(), PutError>, StoreError> {
    // What is pending was asked for by others: it must not be taken back with this.
    pending::flush(batch).await?;
    let meta = batch.meta.clone();
    run(batch, "SAVEPOINT inventory").await?;
    let mut touched = Vec::new();
    for (at, put) in puts.iter().enumerate() {
        if let Err(why) = put_one(batch, put, by, &mut touched).await? {
            // Lines of the log wait for the end of the batch; rows were written.
            batch.pending = pending::Pending::default();
            run(batch, "ROLLBACK TO inventory").await?;
            run(batch, "RELEASE inventory").await?;
            batch.meta = meta;
            for id in touched {
                batch.hosts.remove(&id);
            }
            return Ok(Err(PutError { at, why }));
        }
    }
    pending::flush(batch).await?;
    run(batch, "RELEASE inventory").await?;
    Ok(Ok(()))
}

async fn put_one(
    batch: &mut Batch<'_>,
    put: &PutHost,
    by: &Actor,
    touched: &mut Vec<HostId>,
) -> Result<Result<(), SubmitError>, StoreError> {
    match put {
        PutHost::Add(host) => {
            let added = hosts::add(batch, vec![(**host).clone()], by, None).await?;
            Ok(added.map(drop).map_err(Into::into))
        }
        PutHost::Update {
            id,
            expected_version,
            host,
        } => {
            touched.push(*id);
            let update = Submission::Update {
                host: host.clone(),
                expected_version: *expected_version,
                by: by.clone(),
            };
            Ok(submit::submit(batch, *id, &update).await?.map(drop))
        }
    }
}

async fn run(batch: &mut Batch<'_>, statement: &'static str) -> Result<(), StoreError> {
    let mut script = Script::new();
    script.add(statement);
    script
        .run(batch.connection)
        .await
        .map(|_| ())
        .map_err(|error| unavailable(&error))
}
