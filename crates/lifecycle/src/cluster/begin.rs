//! How a cluster comes to have begun: handed in by its first server, or by an admin; and how an admin moves the right.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{Cluster, Holder, Init};
use crate::HostName;

/// Why a cluster is not taken as begun, or the right to begin it not moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BeginRefused(pub String);

fn refuse<T>(why: impl Into<String>) -> Result<T, BeginRefused> {
    Err(BeginRefused(why.into()))
}

/// The first server hands in what it made. Taken once, from the holder of the right alone.
///
/// # Errors
/// When it holds no right, or handed in before.
pub fn hand_in(cluster: &Cluster, from: &Holder, ca_sha256: &str, now: Timestamp) -> Result<Cluster, BeginRefused> {
    match &cluster.init {
        Init::Granted { to, .. } if to.is(from) => Ok(Cluster {
            init: Init::Done {
                by: Some(from.clone()),
                at: now,
                ca_sha256: ca_sha256.to_owned(),
            },
            in_doubt: false,
            ..cluster.clone()
        }),
        Init::Granted { to, .. } => refuse(format!("{} run {} begins this cluster, not this host", to.name, to.run)),
        Init::Done { by: Some(by), .. } if by.is(from) => refuse("it was handed in before"),
        Init::Done { .. } => refuse("the cluster was begun by another host"),
        Init::Open | Init::Reserved { .. } => refuse("this host holds no init grant: it began no cluster"),
    }
}

/// An admin hands in the kubeconfig of a cluster that runs: renewed, or of a cluster that the database does not know.
///
/// # Errors
/// When the cluster is known by another CA.
pub fn take_kubeconfig(cluster: &Cluster, ca_sha256: &str, now: Timestamp) -> Result<Cluster, BeginRefused> {
    match &cluster.init {
        Init::Done { ca_sha256: known, .. } if known == ca_sha256 => Ok(cluster.clone()),
        Init::Done { .. } => {
            refuse("this kubeconfig is of another cluster: its CA is not the one that this cluster was begun with")
        }
        Init::Granted { to, .. } if !cluster.in_doubt => refuse(format!(
            "{} run {} is beginning this cluster and will hand in its own; move the right first if that is over",
            to.name, to.run
        )),
        Init::Open | Init::Reserved { .. } | Init::Granted { .. } => Ok(Cluster {
            init: Init::Done {
                by: None,
                at: now,
                ca_sha256: ca_sha256.to_owned(),
            },
            in_doubt: false,
            ..cluster.clone()
        }),
    }
}

/// An admin gives the right to begin to another server. What was begun before is void: its kubeconfig, its CA and
/// whoever was joining it.
///
/// # Errors
/// When that host has it already.
pub fn move_init(cluster: &Cluster, host: u64, name: &HostName) -> Result<Cluster, BeginRefused> {
    let mut revoked = cluster.revoked.clone();
    // Whoever was handed a join since holds material of what was begun before.
    revoked.extend(cluster.slots.iter().map(|slot| slot.holder.clone()));
    match &cluster.init {
        Init::Reserved { host: reserved, .. } if *reserved == host && !cluster.in_doubt => {
            return refuse(format!("{name} may begin this cluster already"));
        }
        Init::Granted { to, .. } if to.host == host && !cluster.in_doubt => {
            return refuse(format!("{name} may begin this cluster already"));
        }
        Init::Granted { to, .. } | Init::Done { by: Some(to), .. } if to.host != host => {
            revoked.push(to.clone());
        }
        // The same host again: its present installation may begin anew once it was installed again.
        Init::Done { by: Some(to), .. } => revoked.push(to.clone()),
        Init::Open | Init::Reserved { .. } | Init::Granted { .. } | Init::Done { by: None, .. } => {}
    }
    let mut seen = HashSet::new();
    revoked.retain(|holder| seen.insert((holder.host, holder.run)));
    Ok(Cluster {
        init: Init::Reserved {
            host,
            name: name.clone(),
        },
        in_doubt: false,
        revoked,
        slots: Vec::new(),
        rotating: false,
        ..cluster.clone()
    })
}
