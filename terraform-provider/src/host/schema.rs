//! A host's attributes: those of the API's description, under the same names.

use thirdboot_api::control::{Arch, DiskBoot, KnownBy, Platform, Role};
use thirdboot_terraform_plugin::{Attribute, Schema, Type, between};

use super::network::network;
use crate::checks;

pub(super) fn schema() -> Schema {
    Schema::new(
        "A machine that Thirdboot knows. Describing one installs nothing: `thirdboot_provision` does. Destroying it takes it \
         out of service and removes it from the server; the machine itself is not touched.",
        described().into_iter().chain(shown()).collect(),
    )
}

/// What the user describes.
fn described() -> Vec<Attribute> {
    vec![
        Attribute::required(
            "name",
            Type::String,
            "Unique in the fleet: an RFC 1123 label. Its installed disk carries it.",
        )
        .checked(checks::name)
        .replaces(),
        Attribute::optional(
            "macs",
            Type::String.list(),
            "MACs of its network cards, in any usual notation; a MAC belongs to one host only.",
        )
        .checked(checks::mac)
        .same(checks::same_mac),
        Attribute::optional_computed(
            "serial",
            Type::String,
            "SMBIOS serial. When left out, the first live boot pins it.",
        )
        .keeps(),
        Attribute::optional_computed(
            "uuid",
            Type::String,
            "SMBIOS UUID. When left out, the first live boot pins it.",
        )
        .keeps()
        .same(str::eq_ignore_ascii_case),
        Attribute::optional("arch", Type::String, "Its processor's architecture.")
            .default(Arch::default().as_str())
            .one_of(Arch::ALL),
        Attribute::optional("platform", Type::String, "Where it stands and how it is powered.")
            .default(Platform::default().as_str())
            .one_of(Platform::ALL),
        Attribute::optional(
            "role",
            Type::String,
            "What it becomes: a k3s server, a k3s agent, or a CI runner.",
        )
        .default(Role::default().as_str())
        .one_of(Role::ALL),
        Attribute::optional(
            "cluster",
            Type::String,
            "The cluster that a server or an agent joins, by name.",
        ),
        Attribute::optional(
            "known_by",
            Type::String,
            "How a request is recognised as this host's: `key`, only its boot URL counts (where a provider runs iPXE); \
             `address`, its MAC, serial and UUID do.",
        )
        .default(KnownBy::default().as_str())
        .one_of(KnownBy::ALL),
        network(),
        install(),
        at_provider(),
        Attribute::optional(
            "ssh_keys",
            Type::String.list(),
            "OpenSSH public keys of the user `core`.",
        ),
        Attribute::optional(
            "console_password_hash_wo",
            Type::String,
            "A crypt(5) hash for the console login of `core`. Write-only: it stands in no plan and no state. Left out, \
             there is no such login.",
        )
        .sensitive()
        .write_only(),
        Attribute::optional(
            "console_password_hash_wo_version",
            Type::Number,
            "Change this number to have a changed hash set: Terraform cannot see the hash itself.",
        ),
        Attribute::optional(
            "time_servers",
            Type::String.list(),
            "NTP servers; those of the operating system when left out.",
        ),
        Attribute::optional("packages", Type::String.list(), "Packages to layer on the second boot."),
        Attribute::optional(
            "labels",
            Type::String.map(),
            "Free labels for people, filters and templates.",
        ),
        Attribute::optional(
            "retired",
            Type::Bool,
            "Out of service: it boots its disk and cannot be provisioned. Not possible while a run is under way.",
        )
        .default(false),
    ]
}

/// What the server says of it.
fn shown() -> Vec<Attribute> {
    vec![
        Attribute::computed("id", Type::String, "Its name.").keeps(),
        Attribute::computed(
            "boot_url",
            Type::String,
            "The URL that the machine boots from with iPXE: give it to the provider of the machine. A secret: whoever has it \
             can boot as this host.",
        )
        .sensitive()
        .keeps(),
        Attribute::computed("has_console_password", Type::Bool, "Whether `core` can log in on the console.").keeps(),
        Attribute::computed(
            "vlan_addresses",
            Type::String.list().map(),
            "The addresses on each VLAN, by its id: those that are described, and those that a pool gave.",
        )
        .keeps(),
    ]
}

/// `provider` in the API: in a resource Terraform keeps that word for itself.
fn at_provider() -> Attribute {
    let attributes = vec![
        Attribute::required(
            "device",
            Type::String,
            "The provider's id of the machine, a UUID; a machine is one host only.",
        ),
        Attribute::optional(
            "metadata",
            Type::Bool,
            "Whether the provider's metadata service is there for the machine.",
        )
        .default(false),
    ];
    Attribute::optional(
        "at_provider",
        Type::Object(attributes),
        "Which machine it is at its provider, for a platform whose API can be asked.",
    )
}

fn install() -> Attribute {
    let attributes = vec![
        Attribute::optional_computed(
            "disk",
            Type::String,
            "A path below `/dev/disk/by-id/` or `/dev/disk/by-path/`, a serial or a WWN. When left out, the only eligible \
             disk; the first install pins its serial.",
        )
        .keeps(),
        Attribute::optional("disk_boot", Type::String, "How iPXE hands over to the disk: firmwares differ.")
            .default(DiskBoot::default().as_str())
            .one_of(DiskBoot::ALL),
        Attribute::optional(
            "console",
            Type::String.list(),
            "Kernel consoles such as `ttyS1,115200n8`, the primary one last.",
        ),
        Attribute::optional(
            "kernel_arguments",
            Type::String.list(),
            "Further arguments for the kernels of the live and the installed system.",
        ),
        Attribute::optional(
            "version",
            Type::String,
            "A pinned version of the operating system; the mirror's current one when left out.",
        ),
    ];
    Attribute::optional(
        "install",
        Type::Object(attributes),
        "How it is installed, and how its disk is booted.",
    )
}

/// Bytes of a frame.
pub(super) fn mtu(description: &'static str) -> Attribute {
    const SMALLEST: u64 = 576;
    const LARGEST: u64 = 9216;
    Attribute::optional("mtu", Type::Number, description).checked(between(SMALLEST, LARGEST))
}
