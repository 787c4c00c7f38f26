//! Users' templates, every version of them, and what a machine was installed with.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thirdboot_lifecycle::{Host, HostName, Role, RunNumber};

use crate::{Document, HostId, StoreError};

/// Versions of one template that are kept; the oldest go first.
pub const MAX_TEMPLATE_VERSIONS: u32 = 100;

/// Which hosts a template is for. Everything that is said must hold; nothing said means every host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    /// Hosts of one of these roles.
    pub roles: Vec<Role>,
    /// Hosts that have all of these labels.
    pub labels: BTreeMap<String, String>,
    /// These hosts.
    pub hosts: BTreeSet<HostName>,
}

impl Selection {
    /// Whether it is for this host.
    #[must_use]
    pub fn selects(&self, host: &Host) -> bool {
        (self.roles.is_empty() || self.roles.contains(&host.role))
            && self
                .labels
                .iter()
                .all(|(key, value)| host.labels.get(key) == Some(value))
            && (self.hosts.is_empty() || self.hosts.contains(&host.name))
    }
}

/// What is saved of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateDraft {
    /// Unique, for people.
    pub name: String,
    /// The Butane document.
    pub text: String,
    /// Which hosts it is for.
    pub selection: Selection,
    /// Lower numbers are merged first.
    pub order: i32,
    /// Why it was saved, for people.
    pub note: Option<String>,
    /// By the name of their token.
    pub by: String,
}

/// One version of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTemplate {
    /// As it was saved.
    pub draft: TemplateDraft,
    /// Counted from 1 under one name, also past its deletion.
    pub version: u64,
    /// When.
    pub saved_at: Timestamp,
    /// Set on the version that took the template away: its text is empty.
    pub is_deleted: bool,
}

/// Somebody else saved or deleted it since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TemplateMoved {
    /// Its version now; none where there is none (any more).
    pub current: Option<u64>,
}

/// The area of templates.
#[async_trait]
pub trait Templates: Send + Sync {
    /// Saves a new version on top of `expected`; none means that no template of this name is there.
    ///
    /// # Errors
    /// The inner one when it is not so; then nothing is saved.
    async fn save_template(
        &self,
        draft: TemplateDraft,
        expected: Option<u64>,
    ) -> Result<Result<StoredTemplate, TemplateMoved>, StoreError>;

    /// Takes a template away. Its versions stay, and so does their count.
    ///
    /// # Errors
    /// The inner one when `expected` is not its version.
    async fn delete_template(
        &self,
        name: &str,
        expected: u64,
        by: &str,
    ) -> Result<Result<StoredTemplate, TemplateMoved>, StoreError>;

    /// The last version of every template that is there, in the order in which they are merged.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn templates(&self) -> Result<Vec<StoredTemplate>, StoreError>;

    /// A version of a template, the last one if none is named. Deleted ones are found, too.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn template(&self, name: &str, version: Option<u64>) -> Result<Option<StoredTemplate>, StoreError>;

    /// The versions of a template, the newest first, without their texts.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn template_versions(&self, name: &str) -> Result<Vec<StoredTemplate>, StoreError>;

    /// The installed config of a run, as it was sealed when the run was armed. Kept from then on until another run of
    /// the host is installed; not kept of a run that ended before.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn installed_document(&self, host: HostId, run: RunNumber) -> Result<Option<Document>, StoreError>;
}
