//! Where packages come from, and what every host of a role has.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Role;

/// A package repository, to be added or replaced: `PUT /api/v1/repositories/{name}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "url": "https://rpm.rancher.io/k3s/stable/common/coreos/noarch",
    "gpg_key": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxgQEAAAB\n-----END PGP PUBLIC KEY BLOCK-----\n",
    "roles": ["server", "agent"],
})))]
pub struct RepositorySpec {
    /// The folder that has `repodata`, by http or https, without credentials.
    pub url: String,
    /// The public key that its packages are signed with, in ASCII armor.
    pub gpg_key: String,
    /// Whose hosts get it; none means every role's.
    #[serde(default)]
    pub roles: Vec<Role>,
}

/// A package repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "name": "k3s", "url": "https://rpm.rancher.io/k3s/stable/common/coreos/noarch",
    "gpg_key": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxgQEAAAB\n-----END PGP PUBLIC KEY BLOCK-----\n",
    "roles": ["server", "agent"], "version": 1,
})))]
pub struct RepositoryView {
    /// Unique.
    pub name: String,
    /// Where its packages are.
    #[serde(default)]
    pub url: String,
    /// The public key that its packages are signed with.
    #[serde(default)]
    pub gpg_key: String,
    /// Whose hosts get it; none means every role's.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Counts its changes, from 1.
    #[serde(default)]
    pub version: u64,
}

/// What every host of a role has beside its own: `PUT /api/v1/roles/{role}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"packages": ["k3s-selinux"]})))]
pub struct RoleSpec {
    /// Packages to layer on the second boot: the whole list.
    pub packages: Vec<String>,
}

/// What every host of a role has beside its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"role": "agent", "packages": ["k3s-selinux"], "version": 0})))]
pub struct RoleView {
    /// The role.
    #[serde(default)]
    pub role: Role,
    /// Packages to layer on the second boot.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Counts its changes; 0 is what is built in.
    #[serde(default)]
    pub version: u64,
}
