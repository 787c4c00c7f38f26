//! Where packages come from, and what every host of a role has.

mod armor;
mod repository;

use serde::{Deserialize, Serialize};

use crate::Role;

pub use armor::InvalidKey;
pub use repository::{InvalidRepositoryUrl, Repository, RepositoryName, RepositoryUrl};

/// What every host of a role has beside what its own description asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleDefaults {
    /// Packages to layer.
    #[serde(default)]
    pub packages: Vec<String>,
}

impl RoleDefaults {
    /// What counts where nobody said anything else: k3s needs its policy, and podman is in the base.
    #[must_use]
    pub fn built_in(role: Role) -> Self {
        let packages = if role.joins() {
            vec!["k3s-selinux".to_owned()]
        } else {
            Vec::new()
        };
        Self { packages }
    }
}

/// Everything that a host's layering needs to know beside the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageSources {
    /// Of its role.
    pub defaults: RoleDefaults,
    /// Those that its role is served from, in the order of their names.
    pub repositories: Vec<Repository>,
}

impl PackageSources {
    /// The packages of a host, the role's first, each once.
    #[must_use]
    pub fn packages(&self, own: &[String]) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for package in self.defaults.packages.iter().chain(own) {
            if !all.contains(package) {
                all.push(package.clone());
            }
        }
        all
    }
}
