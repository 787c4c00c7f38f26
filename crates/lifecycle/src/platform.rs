//! Where a host stands, and what whoever runs that place can be asked for.
//!
//! Nobody but a platform's own driver, and presets of what is rendered, looks at a platform's name: the rest asks what
//! it can do. A test of the server holds every other room to that.

use serde::{Deserialize, Serialize};

use crate::{Host, Method};

/// Where a host stands and how it is powered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// Any machine that boots from an iPXE URL; nothing else is assumed.
    #[default]
    Metal,
    /// Equinix Metal's model, now sold by other providers.
    EquinixMetal,
}

/// What can be asked of the provider that a host's machine stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Reboots and reinstalls the machine.
    Power,
    /// Boots each machine from an iPXE URL of its own.
    BootUrl,
    /// Boots from the network every time, or only until a script was served once.
    PersistentNetboot,
    /// Puts VLANs on the machine's ports.
    Vlans,
    /// Tells what it does with the machine.
    Events,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Self; 5] = [
        Self::Power,
        Self::BootUrl,
        Self::PersistentNetboot,
        Self::Vlans,
        Self::Events,
    ];
}

impl Platform {
    /// Every platform.
    pub const ALL: [Self; 2] = [Self::Metal, Self::EquinixMetal];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Metal => "metal",
            Self::EquinixMetal => "equinix-metal",
        }
    }

    /// What its provider can be asked for.
    #[must_use]
    pub fn capabilities(self) -> &'static [Capability] {
        match self {
            Self::Metal => &[],
            Self::EquinixMetal => &Capability::ALL,
        }
    }

    /// Whether its provider can be asked for this.
    #[must_use]
    pub fn can(self, wanted: Capability) -> bool {
        self.capabilities().contains(&wanted)
    }

    /// Whether there is a provider that can be asked for anything.
    #[must_use]
    pub fn has_provider(self) -> bool {
        !self.capabilities().is_empty()
    }

    /// Kernel consoles where a host names none, the primary one last: what the provider's out-of-band console shows.
    #[must_use]
    pub fn consoles(self) -> &'static [&'static str] {
        match self {
            Self::Metal => &[],
            Self::EquinixMetal => &["tty0", "ttyS1,115200n8"],
        }
    }

    /// What Ignition and Afterburn call it where its metadata service answers (`ignition.platform.id`).
    #[must_use]
    pub fn metadata_id(self) -> &'static str {
        match self {
            Self::Metal => "metal",
            Self::EquinixMetal => "packet",
        }
    }
}

impl Host {
    /// Whether the provider's metadata service answers this machine.
    #[must_use]
    pub fn has_metadata(&self) -> bool {
        self.provider.as_ref().is_some_and(|provider| provider.metadata)
    }

    /// What Ignition is told to run on. `metal` asks nobody for anything, and is right everywhere.
    #[must_use]
    pub fn ignition_platform(&self) -> &'static str {
        if self.has_metadata() {
            self.platform.metadata_id()
        } else {
            Platform::Metal.metadata_id()
        }
    }

    /// What contradicts itself between platform and provider: the field, and what was expected.
    #[must_use]
    pub fn provider_fault(&self) -> Option<(&'static str, String)> {
        if self.network.uplink.method == Method::Metadata && !self.has_metadata() {
            let why = "addresses from metadata need the provider's metadata service: set provider.metadata".to_owned();
            return Some(("network.uplink.method", why));
        }
        let is_known = self.provider.is_some();
        (is_known && !self.platform.has_provider()).then(|| {
            let names: Vec<_> = Platform::ALL
                .into_iter()
                .filter(|platform| platform.has_provider())
                .map(Platform::as_str)
                .collect();
            let why = format!(
                "platform {} has no provider that could be asked: expected none, or a platform of {}",
                self.platform.as_str(),
                names.join(", ")
            );
            ("provider", why)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metal_assumes_nothing_and_a_provider_is_asked_for_everything_it_can() {
        for capability in Capability::ALL {
            assert!(!Platform::Metal.can(capability));
            assert!(Platform::EquinixMetal.can(capability));
        }
        assert!(!Platform::Metal.has_provider() && Platform::EquinixMetal.has_provider());
    }

    #[test]
    fn ignition_is_told_of_the_provider_only_where_its_metadata_service_answers() {
        let mut host = crate::host::tests::host("a");
        host.platform = Platform::EquinixMetal;
        assert_eq!(host.ignition_platform(), "metal");
        let device = "7a8b0000-0000-4000-8000-0000000000d1".parse().unwrap();
        host.provider = Some(crate::Provider { device, metadata: true });
        assert_eq!((host.ignition_platform(), host.provider_fault()), ("packet", None));
        host.platform = Platform::Metal;
        let (field, why) = host.provider_fault().unwrap();
        assert_eq!(
            (field, why.as_str()),
            (
                "provider",
                "platform metal has no provider that could be asked: expected none, or a platform of equinix-metal"
            )
        );
    }
}
