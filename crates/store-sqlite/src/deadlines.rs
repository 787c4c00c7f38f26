//! When a run is due was reckoned by the deadlines of its last change. Under other deadlines all of it is reckoned anew.

use sqlx::sqlite::SqliteConnection;
use thirdboot_lifecycle::{Deadlines, due_at};
use thirdboot_store::{HostState, StoreError};

use crate::error::unavailable;
use crate::read::{self, json};
use crate::script::Script;

/// Rows that are held in memory at once.
const AT_ONCE: u32 = 500;

/// Sees to it that every due time is by these deadlines. All of it or nothing: a start that is cut short begins anew.
pub(crate) async fn renew(connection: &mut SqliteConnection, deadlines: &Deadlines) -> Result<(), StoreError> {
    let known: Option<String> = sqlx::query_scalar("SELECT deadlines FROM meta")
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| unavailable(&error))?;
    let present = json(deadlines);
    if known.as_ref() == Some(&present) {
        return Ok(());
    }
    run(connection, |script| script.add("BEGIN IMMEDIATE")).await?;
    let mut last = 0;
    loop {
        let rows = read::unended_after(&mut *connection, last, AT_ONCE)
            .await
            .map_err(|error| unavailable(&error))?;
        let Some(end) = rows.last() else { break };
        last = end.id;
        let dues: Vec<_> = rows
            .into_iter()
            // A row that cannot be read is named when somebody asks for it.
            .filter_map(|row| HostState::try_from(row).ok())
            .filter_map(|state| Some((state.id.0, due_at(state.run.as_ref()?, deadlines)?.as_millisecond())))
            .collect();
        run(connection, |script| {
            script
                .add("UPDATE hosts SET due_at = n.value ->> 1 FROM json_each(?) AS n WHERE hosts.id = n.value ->> 0")
                .bind(json(&dues))
        })
        .await?;
    }
    run(connection, |script| {
        script.add("UPDATE meta SET deadlines = ?").bind(present).add("COMMIT")
    })
    .await
}

async fn run(
    connection: &mut SqliteConnection,
    statements: impl FnOnce(&mut Script) -> &mut Script,
) -> Result<(), StoreError> {
    let mut script = Script::new();
    statements(&mut script);
    script
        .run(connection)
        .await
        .map(|_| ())
        .map_err(|error| unavailable(&error))
}
