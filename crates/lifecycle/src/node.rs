//! What a cluster's API says of a host's node, and whose word made a host ready.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a cluster's API says of a host's node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "kebab-case")]
pub enum NodeWord {
    /// Ready, and of the boot that joined.
    Ready,
    /// Registered, and not Ready.
    NotReady {
        /// In the kubelet's own words.
        why: String,
    },
    /// No Node object of this boot.
    Missing,
    /// The API does not answer here: the node's own word has to do.
    Unreachable,
}

impl NodeWord {
    /// Whether it speaks against a node that calls itself ready.
    #[must_use]
    pub fn contradicts(&self) -> bool {
        matches!(self, Self::NotReady { .. } | Self::Missing)
    }
}

impl fmt::Display for NodeWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("the cluster says that the node is Ready"),
            Self::NotReady { why } => write!(f, "the cluster says that the node is not Ready: {why}"),
            Self::Missing => f.write_str("the cluster knows no node of this boot"),
            Self::Unreachable => f.write_str("the cluster's API does not answer here"),
        }
    }
}

/// The last word of the API about a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSeen {
    /// Since when it says so.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub word: NodeWord,
}

/// Whose word made a host ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadyBy {
    /// The cluster's API.
    Api,
    /// The host's own: a runner's always is, a node's where the API could not be asked.
    OwnWord,
}

/// A host that waits for its turn to join, or to claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinWait {
    /// Since when for this reason.
    pub since: Timestamp,
    /// When it last asked; recorded once a minute.
    pub asked_at: Timestamp,
    /// Whose turn it is and why, for people.
    pub why: String,
}
