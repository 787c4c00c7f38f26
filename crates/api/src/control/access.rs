//! Who may do what, and who did.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::names::words;

words! {
    /// What a caller may do: each role may do what the one before may.
    #[derive(Default)]
    AccessRole, "role" {
        /// Sees state, no secret.
        #[default]
        Viewer = "viewer",
        /// Arms, holds, reads boot URLs.
        Operator = "operator",
        /// Writes templates, tokens, clusters; reads the audit.
        Admin = "admin",
    }
}

/// `POST /api/v1/tokens`: a token to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"name": "ci", "role": "operator"})))]
pub struct TokenSpec {
    /// Unique, for people: 1 to 64 of A-Z, a-z, 0-9, `.`, `_`, `@`, `-`, beginning with a letter or digit.
    pub name: String,
    /// What it may do.
    pub role: AccessRole,
}

/// A token that was just made. The only time that it is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "name": "ci", "role": "operator", "token": "tb_api_EXAMPLE", "created_at": "2026-09-01T12:00:00Z"
})))]
pub struct TokenCreated {
    /// Unique, for people.
    pub name: String,
    /// What it may do.
    pub role: AccessRole,
    /// The token: keep it, it is not stored.
    pub token: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for TokenCreated {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenCreated")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// A token in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "name": "ci", "role": "operator", "created_at": "2026-09-01T12:00:00Z", "created_by": "admin",
    "last_used_at": "2026-09-02T08:15:00Z"
})))]
pub struct TokenView {
    /// Unique, for people.
    pub name: String,
    /// What it may do.
    pub role: AccessRole,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it; none for that of the first start.
    #[serde(default)]
    pub created_by: Option<String>,
    /// When it was last used, to the minute across a restart.
    #[serde(default)]
    pub last_used_at: Option<Timestamp>,
}

/// `GET /api/v1/whoami`: as whom the server sees the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"name": "ci", "role": "operator"})))]
pub struct CallerView {
    /// The token's name.
    pub name: String,
    /// What it may do.
    pub role: AccessRole,
}

/// A line of the audit: a change, refused or not, or the read of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": 41, "at": "2026-09-01T12:00:00Z", "by": "ci", "role": "operator", "from": "192.0.2.7", "action": "arm_host",
    "target": "hosts/node-1/arm", "status": 200
})))]
pub struct AuditView {
    /// Rises.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// Who, by the name of their token.
    pub by: String,
    /// As what.
    pub role: AccessRole,
    /// From which address.
    pub from: String,
    /// What: the `operationId` of the OpenAPI document.
    pub action: String,
    /// To what: a path below `/api/v1/`.
    pub target: String,
    /// How it was answered: an HTTP status.
    pub status: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_is_not_shown_by_debug() {
        let text = r#"{"name":"ci","role":"admin","token":"tb_api_x","created_at":"2026-09-01T12:00:00Z"}"#;
        let created: TokenCreated = serde_json::from_str(text).unwrap();
        assert_eq!(format!("{created:?}"), "TokenCreated { name: \"ci\", role: Admin, .. }");
    }
}
