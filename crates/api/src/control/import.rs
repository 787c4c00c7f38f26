//! A whole inventory at once: `POST /api/v1/import`. All of it or nothing.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::HostSpec;
use crate::names::words;

/// Hosts to be added, or described anew where their names are known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"hosts": [{"name": "node-1", "macs": ["52:54:00:aa:bb:01"], "role": "runner"}], "dry_run": true})))]
#[serde(deny_unknown_fields)]
pub struct ImportBody {
    /// The hosts. A console password that is left out stays, and so do a pinned serial and UUID.
    pub hosts: Vec<HostSpec>,
    /// Says what would be done, and does nothing.
    #[serde(default)]
    pub dry_run: bool,
}

words! {
    /// What an import does to a host.
    ImportAction, "action" {
        /// It is added.
        Create = "create",
        /// Its description is replaced.
        Update = "update",
        /// It is described so already.
        Unchanged = "unchanged",
    }
}

/// What was done, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"dry_run": true, "hosts": [{"name": "node-1", "action": "create", "changes": []}]})))]
pub struct ImportAnswer {
    /// Whether it was only looked at.
    pub dry_run: bool,
    /// Every host, in the order they were given.
    pub hosts: Vec<ImportedHost>,
}

/// One host of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedHost {
    /// Its name.
    pub name: String,
    /// What is done to it.
    pub action: ImportAction,
    /// The fields that change, for an update.
    #[serde(default)]
    pub changes: Vec<String>,
}
