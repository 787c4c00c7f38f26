//! Tokens of the control plane, by their hashes.

use jiff::Timestamp;
use sqlx::SqliteExecutor;
use thirdboot_store::{KeptAnswer, ListedToken, Revocation, StoreError, Token};

use crate::answers;
use crate::batch::Batch;
use crate::error::{is_unique_violation, unavailable};
use crate::rows::{ListedTokenRow, TokenRow};
use crate::script::Script;

/// Keeps a token's hash and the answer to whoever asked for it.
pub(crate) async fn add(
    batch: &mut Batch<'_>,
    token: &Token,
    by: Option<&str>,
    answer: Option<&KeptAnswer>,
) -> Result<Result<(), StoreError>, StoreError> {
    let mut script = Script::new();
    script
        .add("INSERT INTO tokens (name, role, sha256, created_at, created_by) VALUES (?, ?, ?, ?, ?)")
        .bind(token.name.clone())
        .bind(token.role.as_str())
        .bind(token.sha256.clone())
        .bind(token.created_at.as_millisecond())
        .bind(by.map(ToOwned::to_owned));
    let scripts = std::iter::once(script).chain(answer.map(answers::script));
    let Err(error) = batch.write(scripts).await? else {
        return Ok(Ok(()));
    };
    if !is_unique_violation(&error) {
        return Ok(Err(unavailable(&error)));
    }
    let used = match answer {
        Some(answer) => answers::used(batch, &answer.caller, &answer.key).await?,
        None => None,
    };
    Ok(Err(used.unwrap_or_else(|| StoreError::Taken {
        field: "name",
        value: token.name.clone(),
        owner: "another token".to_owned(),
    })))
}

/// Takes a token away, but not the last admin's.
pub(crate) async fn revoke(batch: &mut Batch<'_>, name: &str) -> Result<Revocation, StoreError> {
    let done = sqlx::query(
        "DELETE FROM tokens WHERE name = ? AND (role <> 'admin' OR (SELECT count(*) FROM tokens WHERE role = 'admin') > 1)",
    )
    .bind(name)
    .execute(&mut *batch.connection)
    .await
    .map_err(|error| unavailable(&error))?;
    if done.rows_affected() > 0 {
        return Ok(Revocation::Revoked);
    }
    let is_there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM tokens WHERE name = ?)")
        .bind(name)
        .fetch_one(&mut *batch.connection)
        .await
        .map_err(|error| unavailable(&error))?;
    Ok(if is_there {
        Revocation::LastAdmin
    } else {
        Revocation::Unknown
    })
}

/// Notes that it was used.
pub(crate) async fn note_use(batch: &mut Batch<'_>, name: &str, at: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE tokens SET last_used_at = max(coalesce(last_used_at, ?1), ?1) WHERE name = ?2")
        .bind(at.as_millisecond())
        .bind(name)
        .execute(&mut *batch.connection)
        .await
        .map(|_| ())
        .map_err(|error| unavailable(&error))
}

/// Every token, by name.
pub(crate) async fn list(on: impl SqliteExecutor<'_>) -> Result<Vec<ListedToken>, StoreError> {
    let rows: Vec<ListedTokenRow> =
        sqlx::query_as("SELECT name, role, created_at, created_by, last_used_at FROM tokens ORDER BY name")
            .fetch_all(on)
            .await
            .map_err(|error| unavailable(&error))?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The token with that hash.
pub(crate) async fn with_hash(on: impl SqliteExecutor<'_>, sha256: &str) -> Result<Option<Token>, StoreError> {
    let row: Option<TokenRow> = sqlx::query_as("SELECT name, role, sha256, created_at FROM tokens WHERE sha256 = ?")
        .bind(sha256)
        .fetch_optional(on)
        .await
        .map_err(|error| unavailable(&error))?;
    row.map(TryInto::try_into).transpose()
}

/// Whether there is any.
pub(crate) async fn any(on: impl SqliteExecutor<'_>) -> Result<bool, StoreError> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM tokens)")
        .fetch_one(on)
        .await
        .map_err(|error| unavailable(&error))
}
