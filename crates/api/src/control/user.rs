//! People who sign in to the pages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AccessRole;

/// A user to be added.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"name": "ann", "role": "operator", "password": "at least twelve characters"})))]
pub struct UserSpec {
    /// 1 to 64 characters of A-Z a-z 0-9 . _ @ -, the first a letter or digit.
    pub name: String,
    /// What they may do.
    pub role: AccessRole,
    /// At least 12 characters. Kept as an Argon2id hash. Left out: they choose one by a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// Another role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"role": "viewer"})))]
pub struct RoleBody {
    /// What they may do from now on.
    pub role: AccessRole,
}

/// A link with which a user chooses their password, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"path": "/set-up/tb_setup_…", "expires_at": "2026-09-04T12:00:00Z"})))]
pub struct UserLink {
    /// Where it leads, at the address of the control plane. A secret: whoever follows it first is that user.
    pub path: String,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Another password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"password": "at least twelve characters"})))]
pub struct PasswordBody {
    /// At least 12 characters.
    pub password: String,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "name": "ann", "role": "operator", "created_at": "2026-09-01T12:00:00Z", "created_by": "admin",
    "password_set_at": "2026-09-01T12:00:00Z", "link_expires_at": null
})))]
pub struct UserView {
    /// Unique among users.
    pub name: String,
    /// What they may do.
    pub role: AccessRole,
    /// When they were added.
    pub created_at: Timestamp,
    /// Who added them; none for the one who followed the set-up link.
    #[serde(default)]
    pub created_by: Option<String>,
    /// When the password was last set; none while they did not choose one.
    #[serde(default)]
    pub password_set_at: Option<Timestamp>,
    /// Until when there is a link with which they choose a password.
    #[serde(default)]
    pub link_expires_at: Option<Timestamp>,
}

impl std::fmt::Debug for UserSpec {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserSpec")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for PasswordBody {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordBody").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for UserLink {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserLink")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
