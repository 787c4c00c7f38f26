//! Tokens of the control plane, by their hashes.

use sqlx::SqliteExecutor;
use thirdboot_store::{StoreError, Token};

use crate::batch::Batch;
use crate::error::{is_unique_violation, unavailable};
use crate::rows::TokenRow;
use crate::script::Script;

/// Keeps a token's hash.
pub(crate) async fn add(batch: &mut Batch<'_>, token: &Token) -> Result<Result<(), StoreError>, StoreError> {
    let mut script = Script::new();
    script
        .add("INSERT INTO tokens (name, role, sha256, created_at) VALUES (?, ?, ?, ?)")
        .bind(token.name.clone())
        .bind(token.role.as_str())
        .bind(token.sha256.clone())
        .bind(token.created_at.as_millisecond());
    Ok(batch.write([script]).await?.map_err(|error| {
        if is_unique_violation(&error) {
            StoreError::Taken {
                field: "name",
                value: token.name.clone(),
                owner: "another token".to_owned(),
            }
        } else {
            unavailable(&error)
        }
    }))
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
