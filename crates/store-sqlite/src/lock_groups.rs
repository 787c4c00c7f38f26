//! Settings of the groups that share reboot locks: a row for each that somebody said something of.

use sqlx::SqliteExecutor;
use thirdboot_lifecycle::{GroupName, GroupSettings};
use thirdboot_store::{StoreError, Versioned};

use crate::batch::Batch;
use crate::error::{impossible, unavailable};
use crate::read::json;
use crate::rows::{parse, unsigned};

/// A change of a group's settings.
#[derive(Debug)]
pub(crate) struct PutGroup {
    pub(crate) name: GroupName,
    /// None means the built-in ones.
    pub(crate) settings: Option<GroupSettings>,
    /// What the change was made from.
    pub(crate) seen: GroupSettings,
}

/// Writes a group's settings. Their version; none when they are not what was seen.
pub(crate) async fn put(batch: &mut Batch<'_>, wanted: &PutGroup) -> Result<Option<u64>, StoreError> {
    let PutGroup {
        name,
        settings: to,
        seen,
    } = wanted;
    if settings(&mut *batch.connection, name).await?.value != *seen {
        return Ok(None);
    }
    let query = match to {
        Some(settings) => sqlx::query_scalar(
            "INSERT INTO lock_groups (name, version, settings) VALUES (?, 1, ?) ON CONFLICT (name) \
             DO UPDATE SET version = version + 1, settings = excluded.settings RETURNING version",
        )
        .bind(name.as_str())
        .bind(json(settings)),
        None => sqlx::query_scalar("DELETE FROM lock_groups WHERE name = ? RETURNING 0").bind(name.as_str()),
    };
    let version: Option<i64> = query
        .fetch_optional(&mut *batch.connection)
        .await
        .map_err(|error| unavailable(&error))?;
    unsigned("lock_groups", name, version.unwrap_or_default()).map(Some)
}

/// A group's settings; the built-in ones where nobody said anything else.
pub(crate) async fn settings(
    on: impl SqliteExecutor<'_>,
    name: &GroupName,
) -> Result<Versioned<GroupSettings>, StoreError> {
    let row: Option<(i64, String)> = sqlx::query_as("SELECT version, settings FROM lock_groups WHERE name = ?")
        .bind(name.as_str())
        .fetch_optional(on)
        .await
        .map_err(|error| unavailable(&error))?;
    row.map_or_else(
        || {
            Ok(Versioned {
                version: 0,
                value: GroupSettings::default(),
            })
        },
        |(version, text)| versioned(name, version, &text),
    )
}

fn versioned(name: &GroupName, version: i64, text: &str) -> Result<Versioned<GroupSettings>, StoreError> {
    Ok(Versioned {
        version: unsigned("lock_groups", name, version)?,
        value: parse("lock_groups", name, text)?,
    })
}

/// All of them, by name.
pub(crate) async fn all(on: impl SqliteExecutor<'_>) -> Result<Vec<(GroupName, Versioned<GroupSettings>)>, StoreError> {
    let rows: Vec<(String, i64, String)> =
        sqlx::query_as("SELECT name, version, settings FROM lock_groups ORDER BY name")
            .fetch_all(on)
            .await
            .map_err(|error| unavailable(&error))?;
    rows.into_iter()
        .map(|(name, version, text)| {
            let name: GroupName = name
                .parse()
                .map_err(|_| impossible("lock_groups", &name, "it is no name"))?;
            let settings = versioned(&name, version, &text)?;
            Ok((name, settings))
        })
        .collect()
}
