//! How many hosts stand where.

use async_trait::async_trait;
use thirdboot_lifecycle::Stage;
use thirdboot_store::{Census, Counts, StoreError};

use crate::SqliteStore;
use crate::error::{impossible, unavailable};
use crate::rows::unsigned;

#[async_trait]
impl Counts for SqliteStore {
    async fn census(&self) -> Result<Census, StoreError> {
        // Both are answered by indexes.
        let rows: Vec<(Option<String>, i64)> = sqlx::query_as("SELECT stage, count(*) FROM hosts GROUP BY stage")
            .fetch_all(&self.readers)
            .await
            .map_err(|error| unavailable(&error))?;
        let (stalled, held, retired): (i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM hosts WHERE stalled = 1), (SELECT count(*) FROM hosts WHERE held = 1), \
             (SELECT count(*) FROM hosts WHERE retired = 1)",
        )
        .fetch_one(&self.readers)
        .await
        .map_err(|error| unavailable(&error))?;
        let number = |value| unsigned("hosts", &"all", value);
        let mut census = Census {
            stalled: number(stalled)?,
            held: number(held)?,
            retired: number(retired)?,
            ..Census::default()
        };
        for (stage, count) in rows {
            let count = number(count)?;
            census.hosts += count;
            let Some(name) = stage else { continue };
            let stage = Stage::named(&name).ok_or_else(|| impossible("hosts", &name, "it is in no stage"))?;
            census.runs.insert(stage, count);
        }
        Ok(census)
    }
}
