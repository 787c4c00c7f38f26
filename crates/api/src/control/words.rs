//! Settings that are a word.

use crate::names::words;

words! {
    /// Processor architecture, as Fedora CoreOS names it.
    #[derive(Default)]
    Arch, "architecture" {
        /// 64-bit x86.
        #[default]
        X86_64 = "x86_64",
        /// 64-bit Arm.
        Aarch64 = "aarch64",
    }
}

words! {
    /// Where a host stands and how it is powered.
    #[derive(Default)]
    Platform, "platform" {
        /// Any machine that boots from an iPXE URL; nothing else is assumed.
        #[default]
        Metal = "metal",
        /// Equinix Metal's model, now sold by other providers.
        EquinixMetal = "equinix-metal",
    }
}

words! {
    /// How the provider is asked to bring an armed machine to its network boot.
    PowerAction, "power request" {
        /// Power it off and on; on, where it is off.
        Reboot = "reboot",
        /// Have the provider deploy it anew; the provider may clear the disk that it takes for the system's.
        Reinstall = "reinstall",
    }
}

words! {
    /// What a host becomes.
    #[derive(Default)]
    Role, "role" {
        /// k3s control plane.
        Server = "server",
        /// k3s worker.
        #[default]
        Agent = "agent",
        /// CI runner with podman; no k3s.
        Runner = "runner",
    }
}

words! {
    /// How a request is recognised as a host's.
    #[derive(Default)]
    KnownBy, "way of being known" {
        /// Only its boot URL counts: where a provider runs iPXE.
        Key = "key",
        /// MAC, serial and UUID count, from configured source prefixes: on a network of one's own.
        #[default]
        Address = "address",
    }
}

words! {
    /// How iPXE hands over to the disk: firmwares differ.
    #[derive(Default)]
    DiskBoot, "way of booting the disk" {
        /// `exit`: fall through to the next boot device.
        #[default]
        Exit = "exit",
        /// `exit 1`: for firmware that takes the success status for "booted".
        Exit1 = "exit-1",
        /// `sanboot`: BIOS only.
        Sanboot = "sanboot",
        /// Chain to the disk's own EFI loader.
        ChainEfi = "chain-efi",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_same_in_json_and_on_the_command_line() {
        for word in DiskBoot::ALL {
            assert_eq!(word.as_str().parse::<DiskBoot>().unwrap(), *word);
            assert_eq!(serde_json::to_value(word).unwrap(), word.as_str());
        }
    }

    #[test]
    fn a_wrong_word_is_told_the_right_ones() {
        let error = "master".parse::<Role>().unwrap_err().to_string();
        assert_eq!(error, "\"master\" is no role: expected server, agent, runner");
    }
}
