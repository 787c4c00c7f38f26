//! Clusters: a row each, guarded by its version.

use sqlx::sqlite::SqliteConnection;
use sqlx::{Sqlite, SqliteExecutor};
use thirdboot_lifecycle::{Cluster, ClusterName};
use thirdboot_store::{ClusterError, ClusterState, HostState, StoreError};

use crate::batch::Batch;
use crate::error::{is_unique_violation, unavailable};
use crate::pending;
use crate::read::json;
use crate::rows::{HostRow, parse, signed, unsigned};
use crate::script::Script;

#[derive(sqlx::FromRow)]
struct ClusterRow {
    name: String,
    version: i64,
    cluster: String,
    tokens: Vec<u8>,
    kubeconfig: Option<Vec<u8>>,
}

impl TryFrom<ClusterRow> for ClusterState {
    type Error = StoreError;

    fn try_from(row: ClusterRow) -> Result<Self, StoreError> {
        Ok(Self {
            version: unsigned("clusters", &row.name, row.version)?,
            cluster: parse::<Cluster>("clusters", &row.name, &row.cluster)?,
            tokens: row.tokens,
            kubeconfig: row.kubeconfig,
        })
    }
}

/// Adds it. The inner error is this change's alone.
pub(crate) async fn add(
    batch: &mut Batch<'_>,
    state: &ClusterState,
) -> Result<Result<ClusterState, StoreError>, StoreError> {
    let state = ClusterState {
        version: 1,
        ..state.clone()
    };
    let mut script = Script::new();
    script
        .add("INSERT INTO clusters (name, version, cluster, tokens, kubeconfig) VALUES (?, 1, ?, ?, ?)")
        .bind(state.cluster.spec.name.to_string())
        .bind(json(&state.cluster))
        .bind(state.tokens.clone())
        .bind(state.kubeconfig.clone());
    Ok(batch.write([script]).await?.map(|()| state.clone()).map_err(|error| {
        if is_unique_violation(&error) {
            StoreError::Taken {
                field: "name",
                value: state.cluster.spec.name.to_string(),
                owner: "another cluster".to_owned(),
            }
        } else {
            unavailable(&error)
        }
    }))
}

/// Replaces it, if it is still what its maker saw.
pub(crate) async fn save(
    batch: &mut Batch<'_>,
    state: &ClusterState,
    begins: bool,
) -> Result<Result<ClusterState, ClusterError>, StoreError> {
    let name = &state.cluster.spec.name;
    if let Err(refused) = is_current(batch, name, state.version).await? {
        return Ok(Err(refused));
    }
    let mut script = Script::new();
    script
        .add("UPDATE clusters SET version = version + 1, cluster = ?, tokens = ?, kubeconfig = ? WHERE name = ?")
        .bind(json(&state.cluster))
        .bind(state.tokens.clone())
        .bind(state.kubeconfig.clone())
        .bind(name.to_string());
    if let Err(error) = batch.write([script]).await? {
        return Ok(Err(ClusterError::Store(unavailable(&error))));
    }
    if begins {
        batch.meta.mark.permit_seq += 1;
    }
    Ok(Ok(ClusterState {
        version: state.version + 1,
        ..state.clone()
    }))
}

/// Removes it, if no host belongs to it.
pub(crate) async fn remove(
    batch: &mut Batch<'_>,
    name: &ClusterName,
    expected: u64,
) -> Result<Result<(), ClusterError>, StoreError> {
    if let Err(refused) = is_current(batch, name, expected).await? {
        return Ok(Err(refused));
    }
    // Hosts of this very batch count, too.
    pending::flush(batch).await?;
    let host: Option<String> =
        sqlx::query_scalar("SELECT name FROM hosts WHERE host ->> '$.cluster' = ? ORDER BY name LIMIT 1")
            .bind(name.as_str())
            .fetch_optional(&mut *batch.connection)
            .await
            .map_err(|error| unavailable(&error))?;
    if let Some(host) = host {
        return Ok(Err(ClusterError::InUse(host)));
    }
    let mut script = Script::new();
    script.add("DELETE FROM clusters WHERE name = ?").bind(name.to_string());
    let removed = batch.write([script]).await?;
    Ok(removed.map_err(|error| ClusterError::Store(unavailable(&error))))
}

async fn is_current(
    batch: &mut Batch<'_>,
    name: &ClusterName,
    expected: u64,
) -> Result<Result<(), ClusterError>, StoreError> {
    let version: Option<i64> = sqlx::query_scalar("SELECT version FROM clusters WHERE name = ?")
        .bind(name.as_str())
        .fetch_optional(&mut *batch.connection)
        .await
        .map_err(|error| unavailable(&error))?;
    Ok(match version {
        None => Err(ClusterError::NoSuchCluster),
        Some(current) if signed(expected) == current => Ok(()),
        Some(current) => Err(ClusterError::Outdated {
            current: unsigned("clusters", name, current)?,
            expected,
        }),
    })
}

/// The cluster of that name.
pub(crate) async fn named(on: impl SqliteExecutor<'_>, name: &ClusterName) -> Result<Option<ClusterState>, StoreError> {
    let row: Option<ClusterRow> =
        sqlx::query_as("SELECT name, version, cluster, tokens, kubeconfig FROM clusters WHERE name = ?")
            .bind(name.as_str())
            .fetch_optional(on)
            .await
            .map_err(|error| unavailable(&error))?;
    row.map(TryInto::try_into).transpose()
}

/// Every cluster, in the order of their names.
pub(crate) async fn all<'e>(on: impl SqliteExecutor<'e, Database = Sqlite>) -> Result<Vec<ClusterState>, StoreError> {
    let rows: Vec<ClusterRow> =
        sqlx::query_as("SELECT name, version, cluster, tokens, kubeconfig FROM clusters ORDER BY name")
            .fetch_all(on)
            .await
            .map_err(|error| unavailable(&error))?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The hosts of a cluster, in the order of their names.
pub(crate) async fn hosts(on: impl SqliteExecutor<'_>, name: &ClusterName) -> Result<Vec<HostState>, StoreError> {
    let rows: Vec<HostRow> = sqlx::query_as(
        "SELECT id, version, host, run, observed FROM hosts WHERE host ->> '$.cluster' = ? ORDER BY name",
    )
    .bind(name.as_str())
    .fetch_all(on)
    .await
    .map_err(|error| unavailable(&error))?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// What an older copy remembers of clusters is doubtful: see `Cluster::after_restore`.
pub(crate) async fn after_restore(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    for state in all(&mut *connection).await? {
        let restored = state.cluster.clone().after_restore();
        if restored == state.cluster {
            continue;
        }
        let mut script = Script::new();
        script
            .add("UPDATE clusters SET version = version + 1, cluster = ? WHERE name = ?")
            .bind(json(&restored))
            .bind(state.cluster.spec.name.to_string());
        script.run(connection).await.map_err(|error| unavailable(&error))?;
    }
    Ok(())
}
