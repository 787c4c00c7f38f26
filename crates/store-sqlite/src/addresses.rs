//! Fixed addresses: each of one host.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use sqlx::sqlite::SqliteConnection;
use sqlx::{SqliteExecutor, SqlitePool};
use thirdboot_lifecycle::{AddressPool, Host, Vlan, address_key};
use thirdboot_store::{HostId, HostState, StoreError};

use crate::batch::Batch;
use crate::error::{impossible, unavailable};
use crate::read::{self, json};
use crate::rows::{self, signed};
use crate::script::Script;

/// Rows that are held in memory at once.
const AT_ONCE: u32 = 500;

/// An address as the database has it.
pub(crate) fn text(key: u128) -> String {
    format!("{key:032x}")
}

/// The address of such a text.
pub(crate) fn parse(text: &str) -> Result<IpAddr, StoreError> {
    let key = u128::from_str_radix(text, 16).map_err(|_| impossible("addresses", &text, "it is no address"))?;
    Ok(IpAddr::V6(Ipv6Addr::from_bits(key)).to_canonical())
}

/// What a host's cluster gives addresses from on its VLAN.
pub(crate) struct ClusterPool {
    vlan: u16,
    pool: AddressPool,
}

impl ClusterPool {
    /// A VLAN's own pool, or that of the host's cluster where they meet.
    pub(crate) fn of_vlan<'a>(of_cluster: Option<&'a Self>, vlan: &'a Vlan) -> Option<&'a AddressPool> {
        let of_cluster = of_cluster.filter(|cluster| cluster.vlan == vlan.id);
        vlan.pool.as_ref().or(of_cluster.map(|cluster| &cluster.pool))
    }
}

/// The pool of the cluster that this server or agent belongs to, as it is in this transaction.
pub(crate) async fn of_cluster(batch: &mut Batch<'_>, host: &Host) -> Result<Option<ClusterPool>, StoreError> {
    let Some(name) = host.cluster.as_ref().filter(|_| host.role.joins()) else {
        return Ok(None);
    };
    let found: Option<(u16, String)> = sqlx::query_as(
        "SELECT cluster ->> '$.spec.vlan', cluster -> '$.spec.pool' FROM clusters \
         WHERE name = ? AND cluster ->> '$.spec.vlan' IS NOT NULL AND cluster ->> '$.spec.pool' IS NOT NULL",
    )
    .bind(name.as_str())
    .fetch_optional(&mut *batch.connection)
    .await
    .map_err(|error| unavailable(&error))?;
    found
        .map(|(vlan, pool)| {
            Ok(ClusterPool {
                vlan,
                pool: rows::parse("clusters", name, &pool)?,
            })
        })
        .transpose()
}

/// A host's fixed addresses, and whether each came from a pool.
pub(crate) fn rows_of(host: &Host, of_cluster: Option<&ClusterPool>) -> Vec<(String, bool)> {
    let plain = host.network.uplink.addresses.iter().map(|address| (*address, false));
    let of_vlans = host.network.vlans.iter().flat_map(|vlan| {
        let pool = ClusterPool::of_vlan(of_cluster, vlan);
        vlan.addresses.iter().map(move |address| {
            let mut ranges = pool.into_iter().flat_map(AddressPool::ranges);
            (*address, ranges.any(|range| range.gives(address.addr())))
        })
    });
    plain
        .chain(of_vlans)
        .map(|(address, leased)| (text(address_key(address.addr())), leased))
        .collect()
}

/// What a new host's addresses are, for a whole list of hosts.
pub(crate) fn insert(script: &mut Script, rows: &[(&str, u64, bool)]) {
    if !rows.is_empty() {
        script
            .add("INSERT INTO addresses (address, host_id, leased) SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)")
            .bind(json(rows));
    }
}

/// Replaces a host's addresses. What a pool gave stays its own.
pub(crate) fn replace(script: &mut Script, id: i64, before: &Host, now: &Host, of_cluster: Option<&ClusterPool>) {
    let rows = rows_of(now, of_cluster);
    if rows == rows_of(before, of_cluster) {
        return;
    }
    script
        .add("DELETE FROM addresses WHERE host_id = ? AND leased = 0")
        .bind(id);
    script
        .add(
            "INSERT INTO addresses (address, host_id, leased) SELECT n.value ->> 0, ?, n.value ->> 1 FROM json_each(?) AS n \
             WHERE NOT EXISTS (SELECT 1 FROM addresses AS a WHERE a.address = n.value ->> 0 AND a.host_id = ?)",
        )
        .bind(id)
        .bind(json(&rows))
        .bind(id);
}

/// One of these addresses that another host than `id` has, and whose it is.
pub(crate) async fn owner(
    on: &mut SqliteConnection,
    id: Option<HostId>,
    host: &Host,
) -> Result<Option<(IpAddr, String)>, StoreError> {
    let texts: Vec<String> = rows_of(host, None).into_iter().map(|(text, _)| text).collect();
    let found: Option<(String, String)> = sqlx::query_as(
        "SELECT a.address, h.name FROM json_each(?1) AS k JOIN addresses AS a ON a.address = k.value \
         JOIN hosts AS h ON h.id = a.host_id WHERE h.id IS NOT ?2 ORDER BY k.key LIMIT 1",
    )
    .bind(json(&texts))
    .bind(id.map(|id| signed(id.0)))
    .fetch_optional(on)
    .await
    .map_err(|error| unavailable(&error))?;
    found
        .map(|(text, owner)| parse(&text).map(|address| (address, owner)))
        .transpose()
}

pub(crate) async fn ready(on: &SqlitePool, network: IpNet, but: HostId, limit: u32) -> Result<Vec<IpAddr>, StoreError> {
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT a.address FROM addresses AS a JOIN hosts AS h ON h.id = a.host_id \
         WHERE a.address BETWEEN ? AND ? AND h.stage = 'ready' AND h.id <> ? ORDER BY a.address LIMIT ?",
    )
    .bind(text(address_key(network.network())))
    .bind(text(address_key(network.broadcast())))
    .bind(signed(but.0))
    .bind(i64::from(limit))
    .fetch_all(on)
    .await
    .map_err(|error| unavailable(&error))?;
    found.iter().map(|text| parse(text)).collect()
}

/// Hosts that an earlier version wrote get their rows. Where two have one address the older host keeps it, and a
/// person is told.
pub(crate) async fn read_once(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let is_read: Option<bool> = sqlx::query_scalar("SELECT addresses_read FROM meta")
        .fetch_optional(&mut *connection)
        .await
        .map_err(|error| unavailable(&error))?;
    if is_read != Some(false) {
        return Ok(());
    }
    let mut script = Script::new();
    script.add("BEGIN IMMEDIATE");
    script.run(connection).await.map_err(|error| unavailable(&error))?;
    let mut last = 0;
    loop {
        let rows = read::hosts_after(&mut *connection, last, AT_ONCE)
            .await
            .map_err(|error| unavailable(&error))?;
        let Some(end) = rows.last() else { break };
        last = end.id;
        for row in rows {
            // A row that cannot be read is named when somebody asks for it.
            let Ok(state) = HostState::try_from(row) else { continue };
            for (address, leased) in rows_of(&state.host, None) {
                add_if_free(&mut *connection, &state, &address, leased).await?;
            }
        }
    }
    let mut script = Script::new();
    script.add("UPDATE meta SET addresses_read = 1").add("COMMIT");
    script
        .run(connection)
        .await
        .map(|_| ())
        .map_err(|error| unavailable(&error))
}

async fn add_if_free(
    on: impl SqliteExecutor<'_>,
    state: &HostState,
    address: &str,
    leased: bool,
) -> Result<(), StoreError> {
    let done = sqlx::query("INSERT OR IGNORE INTO addresses (address, host_id, leased) VALUES (?, ?, ?)")
        .bind(address)
        .bind(signed(state.id.0))
        .bind(leased)
        .execute(on)
        .await
        .map_err(|error| unavailable(&error))?;
    if done.rows_affected() == 0 {
        let address = parse(address)?;
        tracing::warn!(host = %state.host.name, %address, "another host has this address, too: change one of them");
    }
    Ok(())
}
