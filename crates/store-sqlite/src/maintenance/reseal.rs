//! Everything that is sealed in the database, sealed anew: after the master key was rotated.

use std::path::Path;

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use thirdboot_lifecycle::{ClusterName, RunNumber};
use thirdboot_store::{DocumentKind, HostId};

use super::{MaintenanceError, failed};
use crate::error::impossible;
use crate::rows::unsigned;
use crate::script::Script;
use crate::{lock, open};

/// Something sealed, and what it is bound to.
#[derive(Debug, Clone, Copy)]
pub enum Sealed<'a> {
    /// A document of a run.
    Document {
        /// Whose.
        host: HostId,
        /// Of which run.
        run: RunNumber,
        /// Which.
        kind: DocumentKind,
        /// As it stands in the database.
        sealed: &'a [u8],
    },
    /// What was answered to a request with an Idempotency-Key.
    Answer {
        /// Who asked.
        caller: &'a str,
        /// The key.
        key: &'a str,
        /// As it stands in the database.
        sealed: &'a [u8],
    },
    /// What is secret of a cluster.
    Cluster {
        /// Whose.
        name: &'a ClusterName,
        /// Its kubeconfig, or its tokens.
        is_kubeconfig: bool,
        /// As it stands in the database.
        sealed: &'a [u8],
    },
}

/// Replaces whatever is sealed by what `seal` makes of it, all in one transaction; returns how much. No server may use the
/// database meanwhile.
///
/// # Errors
/// When it is in use, or `seal` refuses one: nothing is changed then.
pub async fn reseal(
    db_path: &Path,
    mut seal: impl FnMut(Sealed<'_>) -> Result<Vec<u8>, String> + Send,
) -> Result<u64, MaintenanceError> {
    let _lock = lock::take(db_path).await?;
    let mut connection = open::migrated(&open::writing(db_path)).await?;
    let documents: Vec<(i64, i64, String, Vec<u8>)> =
        sqlx::query_as("SELECT host_id, run, kind, sealed FROM documents ORDER BY host_id, kind")
            .fetch_all(&mut connection)
            .await
            .map_err(|error| failed(&error))?;
    let mut script = Script::new();
    script.add("BEGIN IMMEDIATE");
    let mut count = 0;
    for (host, run, name, sealed) in documents {
        let row = format!("{host}/{name}");
        let kind = [DocumentKind::Live, DocumentKind::Assets, DocumentKind::Network]
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| impossible("documents", &row, "its kind is none"))?;
        let number = u32::try_from(run).map_err(|_| impossible("documents", &row, "its run is no run"))?;
        let renewed = seal(Sealed::Document {
            host: HostId(unsigned("documents", &row, host)?),
            run: RunNumber(number),
            kind,
            sealed: &sealed,
        })
        .map_err(|why| impossible("documents", &row, why))?;
        script
            .add("UPDATE documents SET sealed = ? WHERE host_id = ? AND kind = ?")
            .bind(renewed)
            .bind(host)
            .bind(kind.as_str());
        count += 1;
    }
    count += installed(&mut connection, &mut script, &mut seal).await?;
    count += answers(&mut connection, &mut script, &mut seal).await?;
    count += clusters(&mut connection, &mut script, &mut seal).await?;
    script.add("COMMIT");
    script.run(&mut connection).await.map_err(|error| failed(&error))?;
    drop(connection.close().await);
    Ok(count)
}

/// What machines were installed with outlives the other documents of a run.
async fn installed(
    connection: &mut SqliteConnection,
    script: &mut Script,
    seal: &mut (impl FnMut(Sealed<'_>) -> Result<Vec<u8>, String> + Send),
) -> Result<u64, MaintenanceError> {
    let rows: Vec<(i64, i64, Vec<u8>)> =
        sqlx::query_as("SELECT host_id, run, sealed FROM installed_documents ORDER BY host_id, run")
            .fetch_all(connection)
            .await
            .map_err(|error| failed(&error))?;
    let mut count = 0;
    for (host, run, sealed) in rows {
        let table = "installed_documents";
        let row = format!("{host}/{run}");
        let number = u32::try_from(run).map_err(|_| impossible(table, &row, "its run is no run"))?;
        let renewed = seal(Sealed::Document {
            host: HostId(unsigned(table, &row, host)?),
            run: RunNumber(number),
            kind: DocumentKind::Installed,
            sealed: &sealed,
        })
        .map_err(|why| impossible(table, &row, why))?;
        script
            .add("UPDATE installed_documents SET sealed = ? WHERE host_id = ? AND run = ?")
            .bind(renewed)
            .bind(host)
            .bind(run);
        count += 1;
    }
    Ok(count)
}

async fn answers(
    connection: &mut SqliteConnection,
    script: &mut Script,
    seal: &mut (impl FnMut(Sealed<'_>) -> Result<Vec<u8>, String> + Send),
) -> Result<u64, MaintenanceError> {
    let rows: Vec<(String, String, Vec<u8>)> =
        sqlx::query_as("SELECT caller, key, sealed FROM kept_answers ORDER BY caller, key")
            .fetch_all(connection)
            .await
            .map_err(|error| failed(&error))?;
    let mut count = 0;
    for (caller, key, sealed) in rows {
        let answer = Sealed::Answer {
            caller: &caller,
            key: &key,
            sealed: &sealed,
        };
        let renewed = seal(answer).map_err(|why| impossible("kept_answers", &caller, why))?;
        script
            .add("UPDATE kept_answers SET sealed = ? WHERE caller = ? AND key = ?")
            .bind(renewed)
            .bind(caller)
            .bind(key);
        count += 1;
    }
    Ok(count)
}

async fn clusters(
    connection: &mut SqliteConnection,
    script: &mut Script,
    seal: &mut (impl FnMut(Sealed<'_>) -> Result<Vec<u8>, String> + Send),
) -> Result<u64, MaintenanceError> {
    let rows: Vec<(String, Vec<u8>, Option<Vec<u8>>)> =
        sqlx::query_as("SELECT name, tokens, kubeconfig FROM clusters ORDER BY name")
            .fetch_all(connection)
            .await
            .map_err(|error| failed(&error))?;
    let mut count = 0;
    for (row, tokens, kubeconfig) in rows {
        let name: ClusterName = row
            .parse()
            .map_err(|_| impossible("clusters", &row, "its name is no name"))?;
        let mut renew = |is_kubeconfig: bool, sealed: &[u8]| {
            count += 1;
            let sealed = Sealed::Cluster {
                name: &name,
                is_kubeconfig,
                sealed,
            };
            seal(sealed).map_err(|why| impossible("clusters", &row, why))
        };
        let tokens = renew(false, &tokens)?;
        let kubeconfig = kubeconfig.map(|sealed| renew(true, &sealed)).transpose()?;
        script
            .add("UPDATE clusters SET tokens = ?, kubeconfig = ? WHERE name = ?")
            .bind(tokens)
            .bind(kubeconfig)
            .bind(row);
    }
    Ok(count)
}
