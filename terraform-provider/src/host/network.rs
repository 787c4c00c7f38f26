//! The network part of a host: an uplink over one port or a bond, and VLANs on top of it.

use thirdboot_api::control::{BondMode, LacpRate, UplinkMethod, XmitHashPolicy};
use thirdboot_terraform_plugin::{Attribute, Type, between};

use super::schema::mtu;
use crate::checks;

const MAX_MS: u64 = 60_000;

pub(super) fn network() -> Attribute {
    let attributes = vec![
        Attribute::optional("uplink", Type::Object(uplink()), "The untagged side."),
        Attribute::optional(
            "bond",
            Type::Object(bond()),
            "Set where several ports carry the uplink.",
        ),
        Attribute::optional(
            "port",
            Type::Object(vec![
                Attribute::optional("mac", Type::String, "The host's first MAC when left out.")
                    .checked(checks::mac)
                    .same(checks::same_mac),
                mtu("Bytes; 1500 when left out."),
            ]),
            "The one port that carries the uplink where there is no bond.",
        ),
        Attribute::optional(
            "vlans",
            Type::Object(vlan()).list(),
            "Tagged networks on the bond or port.",
        ),
        Attribute::optional(
            "dns",
            Type::String.list(),
            "Addresses of resolvers; those of DHCP when left out.",
        )
        .checked(checks::address)
        .same(checks::same_address),
        Attribute::optional(
            "search",
            Type::String.list(),
            "Domains that short names are looked up in; those of DHCP when left out.",
        ),
    ];
    Attribute::optional(
        "network",
        Type::Object(attributes),
        "What the installed system brings up. When left out: DHCP and router advertisements on the first card.",
    )
}

fn uplink() -> Vec<Attribute> {
    vec![
        Attribute::optional(
            "method",
            Type::String,
            "`dhcp`, DHCP for IPv4 and router advertisements for IPv6; `static`, fixed addresses only.",
        )
        .default(UplinkMethod::default().as_str())
        .one_of(UplinkMethod::ALL),
        addresses("Fixed addresses with their prefix lengths."),
        Attribute::optional("gateways", Type::String.list(), "Default routes, one a family at most.")
            .checked(checks::address)
            .same(checks::same_address),
        routes(),
    ]
}

/// What is left out has the value that is usual on the host's platform, and keeps it.
fn bond() -> Vec<Attribute> {
    let milliseconds = |name, description| {
        Attribute::optional_computed(name, Type::Number, description)
            .keeps()
            .checked(between(0, MAX_MS))
    };
    vec![
        Attribute::optional_computed(
            "mode",
            Type::String,
            "The bonding driver's mode; 802.3ad when left out.",
        )
        .keeps()
        .one_of(BondMode::ALL),
        Attribute::optional_computed(
            "ports",
            Type::String.list(),
            "Ports by MAC, never by name; all MACs of the host when left out.",
        )
        .keeps()
        .checked(checks::mac)
        .same(checks::same_mac),
        milliseconds("miimon_ms", "Link check interval in milliseconds; 100 when left out."),
        milliseconds(
            "down_delay_ms",
            "Delay before a lost link counts, in milliseconds; 0 when left out, on equinix-metal 200.",
        ),
        milliseconds(
            "up_delay_ms",
            "Delay before a new link is used, in milliseconds; 0 when left out, on equinix-metal 200.",
        ),
        Attribute::optional_computed(
            "lacp_rate",
            Type::String,
            "How often the partner sends LACP frames; slow when left out, on equinix-metal fast.",
        )
        .keeps()
        .one_of(LacpRate::ALL),
        Attribute::optional_computed(
            "xmit_hash_policy",
            Type::String,
            "Which port a frame leaves by; layer2 when left out, on equinix-metal layer3+4.",
        )
        .keeps()
        .one_of(XmitHashPolicy::ALL),
        mtu("Bytes; 1500 when left out."),
    ]
}

fn vlan() -> Vec<Attribute> {
    const FIRST_ID: u64 = 2;
    const LAST_ID: u64 = 4094;
    let range = || {
        Type::Object(vec![
            Attribute::required(
                "prefix",
                Type::String,
                "The VLAN's prefix: goes with every address given.",
            )
            .checked(checks::prefix)
            .same(checks::same_address),
            Attribute::optional(
                "first",
                Type::String,
                "The first address to give; the second usable one when left out.",
            )
            .checked(checks::address)
            .same(checks::same_address),
            Attribute::optional(
                "last",
                Type::String,
                "The last address to give; the last usable one when left out.",
            )
            .checked(checks::address)
            .same(checks::same_address),
        ])
    };
    let pool = vec![
        Attribute::optional("ipv4", range(), "IPv4."),
        Attribute::optional("ipv6", range(), "IPv6."),
    ];
    vec![
        Attribute::required("id", Type::Number, "2 to 4094.").checked(between(FIRST_ID, LAST_ID)),
        addresses("Addresses of either family with their prefix lengths."),
        mtu("Bytes; 1500 when left out."),
        routes(),
        Attribute::optional(
            "pool",
            Type::Object(pool),
            "Where the server takes an address from, of each family that has a range here and no address above: \
             `vlan_addresses` tells which. It stays the host's until the host is destroyed.",
        ),
    ]
}

fn addresses(description: &'static str) -> Attribute {
    Attribute::optional("addresses", Type::String.list(), description)
        .checked(checks::interface)
        .same(checks::same_address)
}

fn routes() -> Attribute {
    let route = vec![
        Attribute::required("to", Type::String, "Where to, such as `10.0.0.0/8`.")
            .checked(checks::prefix)
            .same(checks::same_address),
        Attribute::required(
            "via",
            Type::String,
            "The next hop: an address in a network of the same interface.",
        )
        .checked(checks::address)
        .same(checks::same_address),
    ];
    Attribute::optional("routes", Type::Object(route).list(), "Further routes over it.")
}
