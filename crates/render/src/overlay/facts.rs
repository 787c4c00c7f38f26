//! What a user's template may say of its host: one list, from which the documentation is written.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use thirdboot_lifecycle::{Host, Method};

/// One fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// Its name in a template; `[]` stands for the items of a list.
    pub name: &'static str,
    /// Text, list, number or mapping.
    pub kind: &'static str,
    /// Whether every host has it. One that a host does not have is undefined there: `is defined` and `default` ask.
    pub is_always: bool,
    /// What it is.
    pub says: &'static str,
}

const fn fact(name: &'static str, kind: &'static str, is_always: bool, says: &'static str) -> Fact {
    Fact {
        name,
        kind,
        is_always,
        says,
    }
}

/// Every fact, in the order of the documentation.
pub const FACTS: &[Fact] = &[
    fact("host.name", "text", true, "its name"),
    fact("host.role", "text", true, "`server`, `agent` or `runner`"),
    fact("host.arch", "text", true, "`x86_64` or `aarch64`"),
    fact("host.platform", "text", true, "`metal` or `equinix-metal`"),
    fact("host.cluster", "text", false, "the cluster it joins"),
    fact(
        "host.macs",
        "list of text",
        true,
        "MACs of its network cards, lower case with colons",
    ),
    fact(
        "host.serial",
        "text",
        false,
        "SMBIOS serial, stated or pinned at the first live boot",
    ),
    fact(
        "host.uuid",
        "text",
        false,
        "SMBIOS UUID, stated or pinned at the first live boot",
    ),
    fact(
        "host.labels",
        "mapping of text",
        true,
        "its labels: `host.labels.rack`, or `host.labels['example.net/rack']`",
    ),
    fact(
        "host.packages",
        "list of text",
        true,
        "packages that are layered on the second boot",
    ),
    fact("host.time_servers", "list of text", true, "NTP servers"),
    fact("host.ssh_keys", "list of text", true, "public keys of the user `core`"),
    fact(
        "host.install.disk",
        "text",
        false,
        "the disk it is installed to, where one is named",
    ),
    fact("host.install.console", "list of text", true, "kernel consoles"),
    fact(
        "host.install.kernel_arguments",
        "list of text",
        true,
        "further kernel arguments",
    ),
    fact(
        "host.install.version",
        "text",
        false,
        "the pinned version of the operating system",
    ),
    fact(
        "host.network.uplink.method",
        "text",
        true,
        "`dhcp`, `static` or `metadata`",
    ),
    fact(
        "host.network.uplink.addresses",
        "list of text",
        true,
        "fixed addresses with prefix length",
    ),
    fact("host.network.uplink.gateways", "list of text", true, "default routes"),
    fact(
        "host.network.bond.mode",
        "text",
        false,
        "the bonding driver's mode, such as `802.3ad`, where ports are bonded",
    ),
    fact(
        "host.network.bond.ports",
        "list of text",
        false,
        "MACs of the bonded ports",
    ),
    fact("host.network.bond.mtu", "number", false, "bytes, where stated"),
    fact(
        "host.network.port.mac",
        "text",
        false,
        "the MAC of the one port that carries the uplink, where stated",
    ),
    fact("host.network.port.mtu", "number", false, "bytes, where stated"),
    fact(
        "host.network.vlans",
        "list of mappings",
        true,
        "tagged networks, in the order of the description",
    ),
    fact("host.network.vlans[].id", "number", true, "the VLAN's id"),
    fact(
        "host.network.vlans[].addresses",
        "list of text",
        true,
        "addresses with prefix length, stated or taken from a pool",
    ),
    fact("host.network.vlans[].mtu", "number", false, "bytes, where stated"),
    fact(
        "host.network.dns",
        "list of text",
        true,
        "resolvers; empty means those of DHCP",
    ),
    fact(
        "host.network.search",
        "list of text",
        true,
        "domains that short names are looked up in",
    ),
];

/// The list as a Markdown table.
#[must_use]
pub fn facts_table() -> String {
    let mut table = String::from("| fact | kind | every host has it | what it is |\n|---|---|---|---|\n");
    for fact in FACTS {
        let always = if fact.is_always { "yes" } else { "no" };
        table.extend([
            "| `", fact.name, "` | ", fact.kind, " | ", always, " | ", fact.says, " |\n",
        ]);
    }
    table
}

/// What a template is told of `host`. What the host does not have is left out, so that it is undefined and not "none".
pub(super) fn of(host: &Host) -> Value {
    let network = &host.network;
    let uplink = &network.uplink;
    let method = match uplink.method {
        Method::Dhcp => "dhcp",
        Method::Static => "static",
        Method::Metadata => "metadata",
    };
    let port = network.port.as_ref().map(|port| {
        known([
            ("mac", port.mac.map(|mac| json!(mac.to_string()))),
            ("mtu", port.mtu.map(|mtu| json!(mtu))),
        ])
    });
    let bond = network.bond.as_ref().map(|bond| {
        known([
            ("mode", Some(json!(bond.mode.as_str()))),
            ("ports", Some(json!(texts(&bond.ports)))),
            ("mtu", bond.mtu.map(|mtu| json!(mtu))),
        ])
    });
    let vlans: Vec<Value> = network
        .vlans
        .iter()
        .map(|vlan| {
            known([
                ("id", Some(json!(vlan.id))),
                ("addresses", Some(json!(texts(&vlan.addresses)))),
                ("mtu", vlan.mtu.map(|mtu| json!(mtu))),
            ])
        })
        .collect();
    let install = &host.install;
    let facts = known([
        ("name", Some(json!(host.name))),
        ("role", Some(json!(host.role.as_str()))),
        ("arch", Some(json!(host.arch.as_str()))),
        ("platform", Some(json!(host.platform.as_str()))),
        ("cluster", host.cluster.as_ref().map(|cluster| json!(cluster))),
        ("macs", Some(json!(texts(&host.macs)))),
        ("serial", host.serial.as_ref().map(|serial| json!(serial))),
        ("uuid", host.uuid.as_ref().map(|uuid| json!(uuid))),
        ("labels", Some(json!(host.labels))),
        ("packages", Some(json!(host.packages))),
        ("time_servers", Some(json!(host.time_servers))),
        ("ssh_keys", Some(json!(host.ssh_keys))),
        (
            "install",
            Some(known([
                ("disk", install.disk.as_ref().map(|disk| json!(disk))),
                ("console", Some(json!(install.console))),
                ("kernel_arguments", Some(json!(install.kernel_arguments))),
                ("version", install.version.as_ref().map(|version| json!(version))),
            ])),
        ),
        (
            "network",
            Some(known([
                (
                    "uplink",
                    Some(
                        json!({"method": method, "addresses": texts(&uplink.addresses), "gateways": texts(&uplink.gateways)}),
                    ),
                ),
                ("bond", bond),
                ("port", port),
                ("vlans", Some(json!(vlans))),
                ("dns", Some(json!(texts(&network.dns)))),
                ("search", Some(json!(network.search))),
            ])),
        ),
    ]);
    json!({ "host": facts })
}

/// What of `facts` the names `used` reach: two hosts with the same get the same from a template that uses no other.
pub(super) fn projection(facts: &Value, used: &[String]) -> Vec<u8> {
    let reached: Vec<&Value> = used.iter().map(|name| reach(facts, name)).collect();
    serde_json::to_vec(&reached).unwrap_or_default()
}

/// As far as the name leads through mappings: what a list or a text has inside belongs to it.
fn reach<'v>(facts: &'v Value, name: &str) -> &'v Value {
    let mut at = facts;
    for part in name.split('.') {
        match at {
            Value::Object(map) => at = map.get(part).unwrap_or(&Value::Null),
            _ => return at,
        }
    }
    at
}

/// The facts that a string with templates in it can reach. Every way to them begins with the word `host`: whatever
/// follows it that is no plain name counts as using all that was named so far.
pub(super) fn used(text: &str, into: &mut BTreeSet<String>) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for (at, word) in text.match_indices("host") {
        let after = &text[at + word.len()..];
        let is_inside = text[..at].ends_with(is_word) || after.starts_with(is_word);
        // `x.host` is an attribute of something else.
        if is_inside || text[..at].ends_with('.') {
            continue;
        }
        let mut name = word.to_owned();
        let mut rest = after;
        while let Some(tail) = rest.strip_prefix('.') {
            let part = &tail[..tail.find(|c| !is_word(c)).unwrap_or(tail.len())];
            if part.is_empty() {
                break;
            }
            name.push('.');
            name.push_str(part);
            rest = &tail[part.len()..];
        }
        into.insert(name);
    }
}

fn known<const N: usize>(entries: [(&str, Option<Value>); N]) -> Value {
    let entries = entries.into_iter();
    Value::Object(
        entries
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect::<Map<_, _>>(),
    )
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn names(prefix: &str, value: &Value, into: &mut BTreeSet<String>) {
        match value {
            // Labels are the user's own names.
            Value::Object(map) if !prefix.ends_with(".labels") => {
                for (key, value) in map {
                    let name = if prefix.is_empty() {
                        key.clone()
                    } else {
                        format!("{prefix}.{key}")
                    };
                    names(&name, value, into);
                }
            }
            Value::Array(items) => {
                into.insert(prefix.to_owned());
                if let Some(first) = items.first().filter(|item| item.is_object()) {
                    names(&format!("{prefix}[]"), first, into);
                }
            }
            _ => {
                into.insert(prefix.to_owned());
            }
        }
    }

    #[test]
    fn the_list_names_every_fact_and_no_other() {
        let (mut full, mut least) = (BTreeSet::new(), BTreeSet::new());
        names("", &of(&samples::full_host()), &mut full);
        // A port is named where nothing is bonded.
        let port = r#"{"port":{"mac":"52:54:00:00:00:01","mtu":9000}}"#;
        names("", &of(&samples::with_network(port)), &mut full);
        let mut host = samples::host("a");
        host.network.vlans = samples::full_host().network.vlans;
        host.network.vlans[0].mtu = None;
        names("", &of(&host), &mut least);
        let listed = |filter: fn(&Fact) -> bool| -> BTreeSet<String> {
            FACTS
                .iter()
                .filter(|fact| filter(fact))
                .map(|fact| fact.name.to_owned())
                .collect()
        };
        assert_eq!(listed(|_| true), full);
        assert_eq!(listed(|fact| fact.is_always), least);
    }

    #[test]
    fn what_a_string_uses_is_read_from_it() {
        let used = |text: &str| {
            let mut names = BTreeSet::new();
            super::used(text, &mut names);
            names.into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            used("{{ host.labels.rack }} {{ host.name[1:] }}"),
            "host.labels.rack host.name"
        );
        assert_eq!(used("{{ host.labels['a.b/c'] }}"), "host.labels");
        assert_eq!(used("{% set h = host %}{{ h.name }}"), "host");
        assert_eq!(used("{{ host .name }} {{ hostname }} {{ x.host }}"), "host");
        assert_eq!(used("{{ host.network.vlans[0].id }}"), "host.network.vlans");
    }

    #[test]
    fn no_secret_and_no_password_is_a_fact() {
        let text = of(&samples::full_host()).to_string();
        assert!(!text.contains("$y$"), "{text}");
    }
}
