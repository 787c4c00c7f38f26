//! Hosts are added, and own their names and identifiers alone.

use std::collections::BTreeMap;

use thirdboot_lifecycle::{Host, HostName};
use thirdboot_store::{Actor, AnswerKey, HostId, HostState, LogEntry, RenderAnswer, StoreError};

use crate::addresses;
use crate::answers;
use crate::batch::Batch;
use crate::error::{is_unique_violation, unavailable};
use crate::leasing::Leasing;
use crate::read::{Key, json, keys_of};
use crate::rows::signed;
use crate::script::Script;
use crate::search;

/// Hosts that are inserted by one script.
const AT_ONCE: usize = 200;

/// Adds them all with an address from each pool of their VLANs, and keeps the answer; or none of it. The outer error is
/// the whole transaction's.
pub(crate) async fn add(
    batch: &mut Batch<'_>,
    mut hosts: Vec<Host>,
    by: &Actor,
    answer: Option<(AnswerKey, RenderAnswer)>,
) -> Result<Result<Vec<HostState>, StoreError>, StoreError> {
    // Before anything else: of the same request again everything is taken.
    if let Some((key, _)) = &answer
        && let Some(used) = answers::used(batch, &key.caller, &key.key).await?
    {
        return Ok(Err(used));
    }
    if let Some(taken) = twice(&hosts) {
        return Ok(Err(taken));
    }
    let mut leasing = Leasing::beside(&hosts);
    let mut rows = Vec::with_capacity(hosts.len());
    for host in &mut hosts {
        if let Err(error) = leasing.lease(batch, None, host).await? {
            return Ok(Err(error));
        }
        let of_cluster = leasing.pool_of(batch, host).await?;
        rows.push(addresses::rows_of(host, of_cluster.as_deref()));
    }
    let (first_id, first_event) = (batch.meta.mark.last_host + 1, batch.meta.last_event + 1);
    let added: Vec<HostState> = (first_id..)
        .zip(hosts)
        .map(|(number, host)| HostState {
            id: HostId(number),
            version: 1,
            host,
            run: None,
            observed: None,
        })
        .collect();
    let answer = match answer.map(|(_, render)| render(&added)).transpose() {
        Ok(answer) => answer,
        Err(error) => return Ok(Err(error)),
    };
    let at_ms = batch.now.as_millisecond();
    let scripts = (first_event..)
        .step_by(AT_ONCE)
        .zip(added.chunks(AT_ONCE).zip(rows.chunks(AT_ONCE)))
        .map(|(event, (some, rows))| insert(some, rows, event, at_ms, by))
        .chain(answer.as_ref().map(answers::script))
        .collect::<Vec<_>>();
    match batch.write(scripts).await? {
        Ok(()) => {
            let count = u64::try_from(added.len()).unwrap_or(0);
            batch.meta.mark.last_host += count;
            batch.meta.last_event += count;
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

/// Whole lists go in as JSON: three statements however many hosts.
fn insert(states: &[HostState], rows: &[Vec<(String, bool)>], first_event: u64, at_ms: i64, by: &Actor) -> Script {
    let hosts: Vec<_> = states
        .iter()
        .map(|state| {
            let host = &state.host;
            (
                state.id.0,
                host.name.as_str(),
                json(host),
                search::text(host),
                search::labels(host),
            )
        })
        .collect();
    let keys: Vec<_> = states
        .iter()
        .flat_map(|state| {
            keys_of(&state.host)
                .into_iter()
                .map(|(kind, value)| (kind, value, state.id.0))
        })
        .collect();
    let addresses: Vec<_> = (states.iter().zip(rows))
        .flat_map(|(state, rows)| {
            rows.iter()
                .map(|(address, leased)| (address.as_str(), state.id.0, *leased))
        })
        .collect();
    let events: Vec<_> = (first_event..)
        .zip(states)
        .map(|(number, state)| (number, state.id.0))
        .collect();
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
    let mut script = Script::new();
    script
        .add(
            "INSERT INTO hosts (id, version, name, host, search, labels) SELECT value ->> 0, 1, value ->> 1, value ->> 2, \
             value ->> 3, value ->> 4 FROM json_each(?)",
        )
        .bind(json(&hosts));
    script
        .add("INSERT INTO identifiers (kind, value, host_id) SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)")
        .bind(json(&keys));
    addresses::insert(&mut script, &addresses);
    script
        .add("INSERT INTO events (number, host_id, at, entry) SELECT value ->> 0, value ->> 1, ?, ? FROM json_each(?)")
        .bind(at_ms)
        .bind(json(&entry))
        .bind(json(&events));
    script
}

/// What two of these hosts both want.
fn twice(hosts: &[Host]) -> Option<StoreError> {
    let mut owners: BTreeMap<Key, &HostName> = BTreeMap::new();
    for host in hosts {
        let addresses = host.network.addresses();
        let addresses = addresses.map(|(_, address)| ("network", address.addr().to_string()));
        for key in std::iter::once(("name", host.name.to_string()))
            .chain(keys_of(host))
            .chain(addresses)
        {
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
        field: match *kind {
            "mac" => "macs",
            "device" => "provider.device",
            field => field,
        },
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
    if let Some((at, owner)) = found {
        let key = usize::try_from(at).ok().and_then(|at| keys.get(at));
        return Ok(key.map(|key| taken_by(key, owner)));
    }
    let address = addresses::owner(batch.connection, id, host).await?;
    Ok(address.map(|(address, owner)| taken_by(&("network", address.to_string()), owner)))
}
