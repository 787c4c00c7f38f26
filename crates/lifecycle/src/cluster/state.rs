//! What the store keeps of a cluster beside its description: who began it, and who is joining.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ClusterSpec;
use crate::{HostName, Role, RunNumber};

/// A cluster, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// As its admin describes it.
    pub spec: ClusterSpec,
    /// Who begins it, or began it.
    pub init: Init,
    /// The database was put back to before the cluster is known to have begun, or is a foreign one: it may have begun
    /// since, so that nobody is allowed to begin it before an admin says so.
    #[serde(default)]
    pub in_doubt: bool,
    /// Runs whose right to begin was taken away: what their disks hold is another cluster.
    #[serde(default)]
    pub revoked: Vec<Holder>,
    /// Who was handed its join and is not ready yet.
    #[serde(default)]
    pub slots: Vec<Slot>,
    /// The tokens are being changed on the servers: nobody joins meanwhile.
    #[serde(default)]
    pub rotating: bool,
}

/// One run of a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Holder {
    /// The host's number in the store.
    pub host: u64,
    /// Its name, for people.
    pub name: HostName,
    /// Which of its runs.
    pub run: RunNumber,
}

impl Holder {
    /// Whether it is the same installation; a renamed host stays itself.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.host == other.host && self.run == other.run
    }
}

/// Who begins a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Init {
    /// Nobody yet: the first server that asks.
    Open,
    /// An admin chose this host; it has not asked yet.
    Reserved {
        /// The host's number in the store.
        host: u64,
        /// Its name, for people.
        name: HostName,
    },
    /// This server was allowed to, and has not handed in what it made.
    Granted {
        /// Whose right it is.
        to: Holder,
        /// Since when.
        at: Timestamp,
    },
    /// It was begun.
    Done {
        /// By whom; none where an admin handed in its kubeconfig.
        by: Option<Holder>,
        /// When that was handed in.
        at: Timestamp,
        /// SHA-256 in hex of its CA certificate, as it stands on its servers' disks.
        ca_sha256: String,
    },
}

/// Somebody who was handed a join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Who.
    pub holder: Holder,
    /// As what.
    pub role: Role,
    /// Since when.
    pub since: Timestamp,
}

impl Cluster {
    /// A cluster that nobody has begun.
    #[must_use]
    pub fn new(spec: ClusterSpec) -> Self {
        Self {
            spec,
            init: Init::Open,
            in_doubt: false,
            revoked: Vec::new(),
            slots: Vec::new(),
            rotating: false,
        }
    }

    /// The hash of its CA certificate, once it was begun.
    #[must_use]
    pub fn ca_sha256(&self) -> Option<&str> {
        match &self.init {
            Init::Done { ca_sha256, .. } => Some(ca_sha256),
            Init::Open | Init::Reserved { .. } | Init::Granted { .. } => None,
        }
    }

    /// Whether a server may have begun it: from then on what all servers must share cannot change.
    #[must_use]
    pub fn may_have_begun(&self) -> bool {
        self.in_doubt || matches!(self.init, Init::Granted { .. } | Init::Done { .. })
    }

    /// What becomes of it when the database that remembers it is an older copy, or a foreign one.
    #[must_use]
    pub fn after_restore(mut self) -> Self {
        self.in_doubt |= !matches!(self.init, Init::Done { .. });
        self
    }
}
