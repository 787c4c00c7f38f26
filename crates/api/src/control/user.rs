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
    /// At least 12 characters. Kept as an Argon2id hash.
    pub password: String,
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
    "password_set_at": "2026-09-01T12:00:00Z"
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
    /// When the password was last set.
    pub password_set_at: Timestamp,
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
