//! Hosts are added, and own their names and identifiers alone.

use std::collections::BTreeMap;

use thirdboot_lifecycle::{Host, HostName};
use thirdboot_store::{Actor, HostId, HostState, LogEntry, StoreError};

use crate::batch::Batch;
use crate::error::{is_unique_violation, unavailable};
use crate::read::{Key, json, keys_of};
use crate::rows::signed;
use crate::save;
use crate::script::Script;

/// Adds them all, or none. The outer error is the whole transaction's.
pub(crate) async fn add(
    batch: &mut Batch<'_>,
    hosts: Vec<Host>,
    by: &Actor,
) -> Result<Result<Vec<HostState>, StoreError>, StoreError> {
    if let Some(taken) = twice(&hosts) {
        return Ok(Err(taken));
    }
    let mut script = Script::new();
    let mut added = Vec::with_capacity(hosts.len());
    let (mut number, mut event) = (batch.meta.mark.last_host, batch.meta.last_event);
    for host in hosts {
        number += 1;
        event += 1;
        insert(&mut script, batch, number, event, &host, by);
        added.push(HostState {
            id: HostId(number),
            version: 1,
            host,
            run: None,
            observed: None,
        });
    }
    if added.is_empty() {
        return Ok(Ok(added));
    }
    match batch.write(script).await? {
        Ok(()) => {
            batch.meta.mark.last_host = number;
            batch.meta.last_event = event;
            Ok(Ok(added))
        }
        Err(error) if is_unique_violation(&error) => {
            for state in &added {
                if let Some(taken) = taken(batch, None, &state.host).await? {
                    return Ok(Err(taken));
                }
            }
            Ok(Err(unavailable(&error)))
        }
        Err(error) => Ok(Err(unavailable(&error))),
    }
}

fn insert(script: &mut Script, batch: &Batch<'_>, number: u64, event: u64, host: &Host, by: &Actor) {
    let id = signed(number);
    script
        .add("INSERT INTO hosts (id, version, name, host) VALUES (?, 1, ?, ?)")
        .bind(id)
        .bind(host.name.as_str())
        .bind(json(host));
    save::own(script, id, &keys_of(host));
    let entry = LogEntry {
        event: "added".to_owned(),
        by: by.clone(),
        run: None,
        stage: None,
        refused: None,
        report: None,
        message: None,
        log: None,
    };
    save::event(script, event, id, batch.now.as_millisecond(), &entry);
}

/// What two of these hosts both want.
fn twice(hosts: &[Host]) -> Option<StoreError> {
    let mut owners: BTreeMap<Key, &HostName> = BTreeMap::new();
    for host in hosts {
        for key in std::iter::once(("name", host.name.to_string())).chain(keys_of(host)) {
            if let Some(owner) = owners.get(&key) {
                return Some(taken_by(&key, owner.to_string()));
            }
            owners.insert(key, &host.name);
        }
    }
    None
}

fn taken_by((kind, value): &Key, owner: String) -> StoreError {
    StoreError::Taken {
        field: if *kind == "mac" { "macs" } else { kind },
        value: value.clone(),
        owner,
    }
}

/// What of `host` another host than `id` has already.
pub(crate) async fn taken(
    batch: &mut Batch<'_>,
    id: Option<HostId>,
    host: &Host,
) -> Result<Option<StoreError>, StoreError> {
    let keys: Vec<Key> = std::iter::once(("name", host.name.to_string()))
        .chain(keys_of(host))
        .collect();
    let found: Option<(i64, String)> = sqlx::query_as(
        "SELECT k.key, h.name FROM json_each(?1) AS k CROSS JOIN hosts AS h \
         ON h.id = CASE k.value ->> 0 WHEN 'name' THEN (SELECT id FROM hosts WHERE name = k.value ->> 1) \
         ELSE (SELECT host_id FROM identifiers WHERE kind = k.value ->> 0 AND value = k.value ->> 1) END \
         WHERE h.id IS NOT ?2 ORDER BY k.key LIMIT 1",
    )
    .bind(json(&keys))
    .bind(id.map(|id| signed(id.0)))
    .fetch_optional(&mut *batch.connection)
    .await
    .map_err(|error| unavailable(&error))?;
    Ok(found.and_then(|(at, owner)| keys.get(usize::try_from(at).ok()?).map(|key| taken_by(key, owner))))
}
