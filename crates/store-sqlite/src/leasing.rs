//! Addresses given from pools, in one change of one host or of many.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;
use thirdboot_lifecycle::{AddressRange, ClusterName, Host, address_key};
use thirdboot_store::{HostId, StoreError};

use crate::addresses::{ClusterPool, of_cluster, parse, text};
use crate::batch::Batch;
use crate::error::{impossible, unavailable};
use crate::rows::signed;

/// What one change knows. Nothing else is written meanwhile: what the database said holds until its end.
#[derive(Default)]
pub(crate) struct Leasing {
    /// Addresses that hosts of this change state or were given.
    taken: BTreeSet<u128>,
    /// Ranges in which nothing is free below this.
    full_below: BTreeMap<(u128, u128), u128>,
    pools: BTreeMap<ClusterName, Option<Arc<ClusterPool>>>,
}

impl Leasing {
    /// Hosts of this change state these addresses.
    pub(crate) fn beside(hosts: &[Host]) -> Self {
        let stated = hosts.iter().flat_map(|host| host.network.addresses());
        Self {
            taken: stated.map(|(_, address)| address_key(address.addr())).collect(),
            ..Self::default()
        }
    }

    /// What the cluster of this server or agent gives addresses from.
    pub(crate) async fn pool_of(
        &mut self,
        batch: &mut Batch<'_>,
        host: &Host,
    ) -> Result<Option<Arc<ClusterPool>>, StoreError> {
        let Some(name) = host.cluster.as_ref().filter(|_| host.role.joins()) else {
            return Ok(None);
        };
        if let Some(known) = self.pools.get(name) {
            return Ok(known.clone());
        }
        let pool = of_cluster(batch, host).await?.map(Arc::new);
        self.pools.insert(name.clone(), pool.clone());
        Ok(pool)
    }

    /// Gives `host` what the pools of its VLANs and of its cluster owe it. An inner error is this host's alone.
    pub(crate) async fn lease(
        &mut self,
        batch: &mut Batch<'_>,
        id: Option<HostId>,
        host: &mut Host,
    ) -> Result<Result<(), StoreError>, StoreError> {
        let of_cluster = self.pool_of(batch, host).await?;
        for (at, vlan) in host.network.vlans.iter_mut().enumerate() {
            let Some(pool) = ClusterPool::of_vlan(of_cluster.as_deref(), vlan).cloned() else {
                continue;
            };
            for range in pool.ranges() {
                let is_v4 = range.prefix.addr().is_ipv4();
                if vlan.addresses.iter().any(|address| address.addr().is_ipv4() == is_v4) {
                    continue;
                }
                let held = match id {
                    Some(id) => held(batch.connection, id, range).await?,
                    None => None,
                };
                let free = match held {
                    Some(address) => Some(address),
                    None => self.lowest_free(batch.connection, range).await?,
                };
                let Some(address) = free.and_then(|address| range.with_prefix(address)) else {
                    return Ok(Err(StoreError::Exhausted {
                        field: match vlan.pool {
                            Some(_) => format!("network.vlans[{at}].pool"),
                            None => format!("network.vlans[{at}].addresses"),
                        },
                        range: range.prefix.trunc().to_string(),
                    }));
                };
                self.taken.insert(address_key(address.addr()));
                vlan.addresses.push(address);
            }
        }
        Ok(Ok(()))
    }

    async fn lowest_free(
        &mut self,
        on: &mut SqliteConnection,
        range: &AddressRange,
    ) -> Result<Option<IpAddr>, StoreError> {
        let (first, last) = range.keys().into_inner();
        let full_below = self.full_below.entry((first, last)).or_insert(first);
        while let Some(gap) = lowest_gap(on, *full_below, last).await? {
            // Whether this one is given now or was before in this change.
            *full_below = gap + 1;
            if !self.taken.contains(&gap) {
                return parse(&text(gap)).map(Some);
            }
        }
        Ok(None)
    }
}

/// What this host was given from the range before.
async fn held(on: &mut SqliteConnection, id: HostId, range: &AddressRange) -> Result<Option<IpAddr>, StoreError> {
    let keys = range.keys();
    let found: Option<String> = sqlx::query_scalar(
        "SELECT address FROM addresses WHERE host_id = ? AND leased = 1 AND address BETWEEN ? AND ? \
         ORDER BY address LIMIT 1",
    )
    .bind(signed(id.0))
    .bind(text(*keys.start()))
    .bind(text(*keys.end()))
    .fetch_optional(on)
    .await
    .map_err(|error| unavailable(&error))?;
    found.map(|text| parse(&text)).transpose()
}

/// The lowest address from `first` to `last` that nobody has. Counted rather than read: a part of the range is full when it
/// has as many rows as addresses, and what was given lowest first mostly is one full part and nothing behind it.
async fn lowest_gap(on: &mut SqliteConnection, first: u128, last: u128) -> Result<Option<u128>, StoreError> {
    if first > last {
        return Ok(None);
    }
    let all = count(on, first, last).await?;
    if all == 0 {
        return Ok(Some(first));
    }
    let (mut full, mut not_full) = (0, all + 1);
    // The likely one first.
    let mut length = all;
    while not_full - full > 1 {
        if count(on, first, first + (length - 1)).await? == length {
            full = length;
        } else {
            not_full = length;
        }
        length = full + (not_full - full) / 2;
    }
    let gap = first + full;
    Ok((gap <= last).then_some(gap))
}

async fn count(on: &mut SqliteConnection, first: u128, last: u128) -> Result<u128, StoreError> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM addresses WHERE address BETWEEN ? AND ?")
        .bind(text(first))
        .bind(text(last))
        .fetch_one(on)
        .await
        .map_err(|error| unavailable(&error))?;
    u128::try_from(count).map_err(|_| impossible("addresses", &text(first), "there are less than none"))
}
