//! Butane's documents as typed structs, one set for the versions 1.0 to 1.7.
//!
//! Every field knows since which version it exists; in an older document its key counts as unused.

mod nodes;
mod platform;
mod resource;
mod storage;

pub(crate) use nodes::{Directory, File, Link, NodeGroup, NodeUser, Tree};
pub(crate) use platform::{Ignition, Passwd, PasswdUser, Systemd, Unit};
pub(crate) use resource::{Reference, Resource};
pub(crate) use storage::{Clevis, Disk, Filesystem, Luks, Raid, Storage, Tang};

/// Declares a struct and how it is read from a mapping. `= since 5` behind a field: from version 1.5 on.
macro_rules! record {
    (
        $(#[$meta:meta])*
        $name:ident, $what:literal {
            $( $(#[$field_meta:meta])* $field:ident: $type:ty $(= since $since:literal)?, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub(crate) struct $name {
            $( $(#[$field_meta])* pub(crate) $field: $type, )*
        }

        impl $crate::decode::Record for $name {
            const WHAT: &'static str = $what;

            fn field(&mut self, key: &str, minor: u8) -> Option<&mut dyn $crate::decode::Decode> {
                let _ = minor;
                match key {
                    $( stringify!($field) $(if minor >= $since)? => Some(&mut self.$field), )*
                    _ => None,
                }
            }

            fn fields(&self, minor: u8, each: &mut dyn FnMut(&'static str, &dyn $crate::decode::Decode)) {
                let _ = minor;
                $( if true $(&& minor >= $since)? { each(stringify!($field), &self.$field); } )*
            }
        }

        impl $crate::decode::Decode for $name {
            fn decode(
                &mut self,
                decoder: &mut $crate::decode::Decoder<'_>,
                node: $crate::yaml::NodeId,
            ) -> Result<bool, $crate::decode::Abort> {
                decoder.record(self, node)
            }

            fn unused(&self, unused: &mut $crate::decode::Unused<'_>, node: Option<$crate::yaml::NodeId>) {
                unused.record(self, node);
            }
        }
    };
}
pub(crate) use record;

record! {
    /// What decides how the rest is read.
    Header, "a Butane document" {
        version: String,
        variant: String,
    }
}

record! {
    /// A whole document.
    Config, "a Butane document" {
        version: String,
        variant: String,
        ignition: Ignition,
        kernel_arguments: KernelArguments = since 4,
        passwd: Passwd,
        storage: Storage,
        systemd: Systemd,
        boot_device: BootDevice = since 3,
        grub: Grub = since 5,
    }
}

record! {
    /// The kernel's command line.
    KernelArguments, "a mapping with kernel arguments" {
        should_exist: Vec<String>,
        should_not_exist: Vec<String>,
    }
}

record! {
    /// Sugar for the disk that the system boots from.
    BootDevice, "a mapping for the boot device" {
        layout: Option<String>,
        luks: BootDeviceLuks,
        mirror: BootDeviceMirror,
    }
}

record! {
    /// How the root filesystem is encrypted.
    BootDeviceLuks, "a mapping for the boot device's encryption" {
        cex: storage::Cex = since 6,
        discard: Option<bool> = since 5,
        device: Option<String> = since 6,
        tang: Vec<Tang>,
        threshold: Option<i64>,
        tpm2: Option<bool>,
    }
}

record! {
    /// The disks that mirror each other.
    BootDeviceMirror, "a mapping for the boot device's mirror" {
        devices: Vec<String>,
    }
}

record! {
    /// The boot loader.
    Grub, "a mapping for GRUB" {
        users: Vec<GrubUser>,
    }
}

record! {
    /// Who may edit the boot menu.
    GrubUser, "a mapping for a GRUB user" {
        name: String,
        password_hash: Option<String>,
    }
}
