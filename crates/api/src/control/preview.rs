//! What a host would be served, and how that differs from what it was installed with.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::TemplateSpec;

/// `GET /api/v1/hosts/{name}/preview/{document}`: what arming the host now would have it served.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "host": "node-1", "document": "installed", "run": 2, "redacted": true,
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "templates": [{"name": "motd", "version": 3}],
    "text": null,
    "parts": [{"kind": "file", "name": "/etc/hostname", "settings": {"mode": "0644", "overwrite": true}, "text": "node-1\n",
        "size_bytes": 7, "sha256": "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"}]
})))]
pub struct PreviewView {
    /// Whose.
    pub host: String,
    /// `script`, `pointer`, `live` or `installed`.
    pub document: String,
    /// The number that the run would have.
    pub run: u32,
    /// Secrets are replaced by a mark of their kind.
    pub redacted: bool,
    /// Hex SHA-256 of the document with its secrets.
    pub sha256: String,
    /// Templates on top of the installed config, in their order.
    #[serde(default)]
    pub templates: Vec<AppliedTemplate>,
    /// The script or the pointer itself.
    #[serde(default)]
    pub text: Option<String>,
    /// The parts of a config, decoded.
    #[serde(default)]
    pub parts: Vec<PartView>,
    /// The config as Ignition reads it; only with its secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub ignition: Option<Value>,
}

/// A template that is merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppliedTemplate {
    /// Which.
    pub name: String,
    /// Its version; none for one that is not saved.
    #[serde(default)]
    pub version: Option<u64>,
}

/// A file, unit, user or other part of a config.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "kind": "file", "name": "/etc/hostname", "settings": {"mode": "0644", "overwrite": true}, "text": "node-1\n",
    "size_bytes": 7, "sha256": "31c04bf8fb1bf3b6f3f8bcb2a1e7e2d4…"
})))]
pub struct PartView {
    /// `file`, `directory`, `link`, `unit`, `dropin`, `user`, `group`, `disk`, `filesystem`, `luks`, `raid` or
    /// `kernel-arguments`; newer servers know more.
    pub kind: String,
    /// Path or name.
    pub name: String,
    /// Everything that is said of it beside its content.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
    /// Its content, decoded; none where it has none, or is no text.
    #[serde(default)]
    pub text: Option<String>,
    /// The content's length before redaction.
    #[serde(default)]
    pub size_bytes: Option<u64>,
    /// Hex SHA-256 of the content; none where something in it was redacted.
    #[serde(default)]
    pub sha256: Option<String>,
}

/// `POST /api/v1/hosts/{name}/preview/installed`: the installed config as it would be with this template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "name": "motd",
    "template": {"text": "variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n    - path: /etc/motd\n      contents: {inline: 'rack {{ host.labels.rack }}'}\n"}
})))]
pub struct TryTemplate {
    /// The template's name: a saved one of this name is left out.
    pub name: String,
    /// The template. Which hosts it selects does not matter here.
    pub template: TemplateSpec,
}

/// `GET /api/v1/hosts/{name}/diff`: what the machine was installed with, and what it would get today.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "host": "node-1", "run": 1, "same": false,
    "installed_sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "today_sha256": "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef", "redacted": true,
    "changes": [{"change": "changed", "kind": "file", "name": "/etc/motd", "settings_before": null, "settings_after": null,
        "text": "--- installed\n+++ today\n@@ -1 +1 @@\n-rack r6\n+rack r7\n", "secrets_only": false}]
})))]
pub struct HostDiffView {
    /// Whose.
    pub host: String,
    /// The run that installed it.
    pub run: u32,
    /// Nothing differs, secrets included; which neighbours are ready does not count.
    pub same: bool,
    /// Hex SHA-256 of the config that it was installed with.
    pub installed_sha256: String,
    /// Hex SHA-256 of what it would get today.
    pub today_sha256: String,
    /// Secrets are replaced by a mark of their kind.
    pub redacted: bool,
    /// What differs, part by part.
    #[serde(default)]
    pub changes: Vec<ChangeView>,
}

/// A part that differs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "change": "changed", "kind": "file", "name": "/etc/motd",
    "text": "--- installed\n+++ today\n@@ -1 +1 @@\n-rack r6\n+rack r7\n", "secrets_only": false
})))]
pub struct ChangeView {
    /// `added`, `removed` or `changed`, seen from what is installed.
    pub change: String,
    /// As in a preview.
    pub kind: String,
    /// As in a preview.
    pub name: String,
    /// Its settings as installed; none where it was not there or they are the same.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub settings_before: Option<Map<String, Value>>,
    /// Its settings today; none where it is not there or they are the same.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub settings_after: Option<Map<String, Value>>,
    /// The contents' difference, unified; none where they are the same or no text.
    #[serde(default)]
    pub text: Option<String>,
    /// Nothing differs but secrets, which are not shown.
    #[serde(default)]
    pub secrets_only: bool,
}
