//! Users' templates on the wire.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Role;

/// The place of a template among others, when none is given.
pub const DEFAULT_TEMPLATE_ORDER: i32 = 100;

/// A template to be saved: `PUT /api/v1/templates/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "text": "variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n    - path: /etc/motd\n      contents: {inline: 'rack {{ host.labels.rack }}'}\n",
    "select": {"roles": ["agent"], "labels": {"site": "b"}}, "note": "say where it stands"
})))]
pub struct TemplateSpec {
    /// A Butane document (variant fcos) whose strings are rendered over the host's facts: docs/templates.md.
    pub text: String,
    /// Which hosts it is for; nothing said means every host.
    #[serde(default)]
    pub select: SelectSpec,
    /// Lower numbers are merged first; templates of one number by their names. What a later one says wins.
    #[serde(default = "default_order")]
    pub order: i32,
    /// Why it is saved, for people.
    #[serde(default)]
    pub note: Option<String>,
}

fn default_order() -> i32 {
    DEFAULT_TEMPLATE_ORDER
}

/// Which hosts: everything that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SelectSpec {
    /// Hosts of one of these roles.
    pub roles: Vec<Role>,
    /// Hosts that have all of these labels.
    pub labels: BTreeMap<String, String>,
    /// These hosts, by name.
    pub hosts: Vec<String>,
}

/// One version of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "name": "motd", "version": 3, "text": "variant: fcos\nversion: 1.5.0\n…", "select": {"roles": ["agent"], "labels": {}, "hosts": []},
    "order": 100, "note": "say where it stands", "saved_at": "2026-09-01T12:00:00Z", "saved_by": "ada", "deleted": false
})))]
pub struct TemplateView {
    /// Unique.
    pub name: String,
    /// Counted from 1 with every save, also past a deletion; its `ETag` is this number in quotes.
    pub version: u64,
    /// The Butane document; left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Which hosts it is for.
    #[serde(default)]
    pub select: SelectSpec,
    /// Lower numbers are merged first.
    pub order: i32,
    /// Why it was saved.
    #[serde(default)]
    pub note: Option<String>,
    /// When.
    pub saved_at: Timestamp,
    /// By whose token.
    pub saved_by: String,
    /// This version took the template away.
    #[serde(default)]
    pub deleted: bool,
    /// What it was held against; only in the answer to a save.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<CheckedView>,
}

/// What a template was held against, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "valid": false, "hosts": 12, "rendered": 3, "sample": false,
    "faults": [{"template": "motd", "host": "node-7", "line": 6, "column": 37, "field": "storage.files.0.contents.inline",
        "what": "undefined value: `host.labels.rack` is undefined"}]
})))]
pub struct CheckedView {
    /// Whether it may be saved.
    pub valid: bool,
    /// Hosts that it is for.
    pub hosts: u64,
    /// Hosts that it was rendered for: those that it cannot tell apart are rendered once.
    pub rendered: u64,
    /// No host is selected yet: it was rendered for made-up ones.
    pub sample: bool,
    /// What is wrong, of a few hosts at most.
    #[serde(default)]
    pub faults: Vec<FaultView>,
}

/// One thing that is wrong with a template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FaultView {
    /// The template, or several joined by ` + ` that cannot stand together.
    pub template: String,
    /// The host it was rendered for; none where it is wrong for every host.
    #[serde(default)]
    pub host: Option<String>,
    /// The line in the template, from 1; none where no line is to blame.
    #[serde(default)]
    pub line: Option<u64>,
    /// The column in characters, from 1.
    #[serde(default)]
    pub column: Option<u64>,
    /// The way to the field in the document.
    #[serde(default)]
    pub field: Option<String>,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for FaultView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.template)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ", line {line} column {column}")?;
        }
        if let Some(field) = &self.field {
            write!(f, ", {field}")?;
        }
        if let Some(host) = &self.host {
            write!(f, " (host {host})")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// `GET /api/v1/templates/{name}/diff`: what changed between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "name": "motd", "from": 2, "to": 3, "text": "--- motd 2\n+++ motd 3\n@@ -1 +1 @@\n-rack r6\n+rack r7\n",
    "select_before": null, "select_after": null, "order": null
})))]
pub struct TemplateDiffView {
    /// Whose.
    pub name: String,
    /// The older version.
    pub from: u64,
    /// The newer version.
    pub to: u64,
    /// The texts' difference, unified; empty where they are the same.
    pub text: String,
    /// Which hosts it was for, where that changed.
    #[serde(default)]
    pub select_before: Option<SelectSpec>,
    /// Which hosts it is for, where that changed.
    #[serde(default)]
    pub select_after: Option<SelectSpec>,
    /// Its place before and after, where that changed.
    #[serde(default)]
    pub order: Option<[i32; 2]>,
}
