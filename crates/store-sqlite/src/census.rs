//! How many hosts stand where.

use std::collections::BTreeMap;

use async_trait::async_trait;
use thirdboot_lifecycle::Stage;
use thirdboot_store::{Census, Counts, StoreError};

use crate::SqliteStore;
use crate::error::{impossible, unavailable};
use crate::rows::unsigned;

#[async_trait]
impl Counts for SqliteStore {
    async fn census(&self) -> Result<Census, StoreError> {
        // Both are answered by the index on `stage`; only runs that have not ended are looked into.
        let rows: Vec<(Option<String>, i64)> = sqlx::query_as("SELECT stage, count(*) FROM hosts GROUP BY stage")
            .fetch_all(&self.readers)
            .await
            .map_err(|error| unavailable(&error))?;
        let stalled: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM hosts WHERE stage NOT IN ('ready', 'failed', 'cancelled') \
             AND run ->> 'stalled_since' IS NOT NULL",
        )
        .fetch_one(&self.readers)
        .await
        .map_err(|error| unavailable(&error))?;
        let mut census = Census {
            stalled: unsigned("hosts", &"all", stalled)?,
            runs: BTreeMap::new(),
            hosts: 0,
        };
        for (stage, count) in rows {
            let count = unsigned("hosts", &"all", count)?;
            census.hosts += count;
            let Some(name) = stage else { continue };
            let stage = Stage::named(&name).ok_or_else(|| impossible("hosts", &name, "it is in no stage"))?;
            census.runs.insert(stage, count);
        }
        Ok(census)
    }
}
