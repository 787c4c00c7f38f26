//! Between a host's state and the API's words.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use thirdboot_api::control::{HostPatch, HostSpec, HostView};
use thirdboot_terraform_plugin::{Diagnostics, Object, Path, Schema, Value, reconcile};

/// Attributes that are no part of the API's description.
const NOT_DESCRIBED: [&str; 7] = [
    "id",
    "boot_url",
    "vlan_addresses",
    "has_console_password",
    "retired",
    "console_password_hash_wo",
    "console_password_hash_wo_version",
];

/// What a description says of the machine at its provider, here and in the API.
const AT_PROVIDER: &str = "at_provider";
const PROVIDER: &str = "provider";

fn rename(fields: &mut Map<String, Json>, from: &str, to: &str) {
    if let Some(value) = fields.remove(from) {
        fields.insert(to.to_owned(), value);
    }
}

/// The description that is planned, without what is unknown.
fn described(planned: &Object) -> Map<String, Json> {
    let described = planned
        .iter()
        .filter(|(name, _)| !NOT_DESCRIBED.contains(&name.as_str()));
    let described: Object = described.map(|(name, value)| (name.clone(), value.clone())).collect();
    match Value::Object(described).to_json() {
        Json::Object(mut fields) => {
            rename(&mut fields, AT_PROVIDER, PROVIDER);
            fields
        }
        _ => Map::new(),
    }
}

/// A host to be added.
pub(super) fn spec(planned: &Object, config: &Object) -> Result<HostSpec, Diagnostics> {
    let mut fields = described(planned);
    if let Some(hash) = config.get("console_password_hash_wo").and_then(Value::as_str) {
        fields.insert("console_password_hash".to_owned(), hash.into());
    }
    serde_json::from_value(Json::Object(fields)).map_err(|error| {
        Diagnostics::error(
            Path::root(),
            "The provider has a fault",
            format!("Its schema of a host does not fit the API's: {error}"),
        )
    })
}

/// What must be changed; none when nothing of the description is.
pub(super) fn patch(prior: &Object, planned: &Object, config: &Object) -> Option<HostPatch> {
    let before = described(prior);
    let mut changes = merge_patch(&before, &described(planned));
    keep_pinned_disk(&before, &mut changes);
    if let Some(hash) = password_change(prior, planned, config) {
        changes.insert("console_password_hash".to_owned(), hash);
    }
    (!changes.is_empty()).then_some(HostPatch(changes))
}

/// Whoever no longer says how to install takes back what they said; the disk that the first install pinned stays.
fn keep_pinned_disk(before: &Map<String, Json>, changes: &mut Map<String, Json>) {
    if let (Some(Json::Null), Some(Json::Object(install))) = (changes.get("install"), before.get("install")) {
        let said = install.keys().filter(|name| *name != "disk");
        let nulls: Map<String, Json> = said.map(|name| (name.clone(), Json::Null)).collect();
        changes.insert("install".to_owned(), Json::Object(nulls));
    }
}

/// A hash to be set, null to take it away, none to leave it.
fn password_change(prior: &Object, planned: &Object, config: &Object) -> Option<Json> {
    let same = |name: &str| prior.get(name) == planned.get(name);
    let hash = config.get("console_password_hash_wo").and_then(Value::as_str);
    let is_told = !same("console_password_hash_wo_version") || !same("has_console_password");
    match hash {
        Some(hash) if is_told => Some(hash.into()),
        None if prior.get("has_console_password") == Some(&Value::Bool(true)) => Some(Json::Null),
        _ => None,
    }
}

/// RFC 7396: what makes the second of the first.
fn merge_patch(before: &Map<String, Json>, after: &Map<String, Json>) -> Map<String, Json> {
    let mut changes = Map::new();
    for (name, now) in after {
        match (before.get(name), now) {
            (Some(before), now) if before == now => {}
            (Some(Json::Object(before)), Json::Object(now)) => {
                changes.insert(name.clone(), Json::Object(merge_patch(before, now)));
            }
            _ => {
                changes.insert(name.clone(), now.clone());
            }
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        changes.insert(name.clone(), Json::Null);
    }
    changes
}

/// What the server shows, as far as the schema has it.
pub(super) fn seen(view: &HostView, schema: &Schema) -> Result<Object, Diagnostics> {
    let unreadable = |why: String| Diagnostics::error(Path::root(), "The server's answer cannot be read", why);
    let mut json = serde_json::to_value(view).map_err(|error| unreadable(error.to_string()))?;
    if let Json::Object(fields) = &mut json {
        rename(fields, PROVIDER, AT_PROVIDER);
    }
    let value = Value::from_json(&json, &schema.ty).map_err(|error| unreadable(error.to_string()))?;
    let mut seen = value.as_object().cloned().unwrap_or_default();
    seen.insert("id".to_owned(), view.name.as_str().into());
    let addresses = view.network.vlans.iter();
    let addresses: BTreeMap<String, Value> = addresses
        .map(|vlan| (vlan.id.to_string(), vlan.addresses.clone().into()))
        .collect();
    seen.insert("vlan_addresses".to_owned(), Value::Object(addresses));
    Ok(seen)
}

/// The state after a look: what the user wrote stays where the server says the same.
pub(super) fn state(prior: &Object, mut seen: Object, schema: &Schema) -> Object {
    without_given_addresses(prior, &mut seen);
    let mut state = reconcile(schema, prior, seen);
    // Of the hash itself the server says nothing.
    let version = "console_password_hash_wo_version";
    let known = prior.get(version).cloned().unwrap_or_default();
    state.insert(version.to_owned(), known);
    state
}

/// Where a pool gives addresses the user wrote none: they are told in `vlan_addresses`.
fn without_given_addresses(prior: &Object, seen: &mut Object) {
    let before = prior.get("network").unwrap_or(&Value::Null).get("vlans").as_list();
    let wrote_none = |id: &Value| {
        let vlan = before.unwrap_or_default().iter().find(|vlan| vlan.get("id") == id);
        vlan.is_none_or(|vlan| vlan.get("addresses").is_null())
    };
    let Some(Value::Object(network)) = seen.get_mut("network") else {
        return;
    };
    let Some(Value::List(vlans)) = network.get_mut("vlans") else {
        return;
    };
    for vlan in vlans {
        let is_given = !vlan.get("pool").is_null() && wrote_none(vlan.get("id"));
        if let (true, Value::Object(vlan)) = (is_given, vlan) {
            vlan.insert("addresses".to_owned(), Value::Null);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::host::schema::schema;

    fn object(json: &Json) -> Object {
        let value = Value::from_json(json, &schema().ty).unwrap();
        value.as_object().unwrap().clone()
    }

    fn view(json: Json) -> Object {
        let view: HostView = serde_json::from_value(json).unwrap();
        seen(&view, &schema()).unwrap()
    }

    #[test]
    fn a_patch_has_what_changed_and_nothing_else() {
        let prior = json!({"name": "a", "labels": {"rack": "7", "row": "B"}, "packages": ["vim"], "install": {"disk": "S1", "console": ["ttyS0"]}});
        let planned = json!({"name": "a", "labels": {"rack": "8"}, "install": {"disk": "S1"}});
        let patch = patch(&object(&prior), &object(&planned), &Object::new()).unwrap();
        assert_eq!(
            Json::Object(patch.0),
            json!({"labels": {"rack": "8", "row": null}, "packages": null, "install": {"console": null}})
        );
    }

    #[test]
    fn a_pinned_disk_stays_when_the_user_says_no_more() {
        let prior = object(&json!({"name": "a", "install": {"disk": "PINNED", "disk_boot": "sanboot"}}));
        let patch = patch(&prior, &object(&json!({"name": "a"})), &Object::new()).unwrap();
        assert_eq!(Json::Object(patch.0), json!({"install": {"disk_boot": null}}));
    }

    #[test]
    fn nothing_changed_is_no_patch() {
        let host = object(&json!({"name": "a", "labels": {"rack": "7"}, "has_console_password": true}));
        let config = Object::from([("console_password_hash_wo".to_owned(), "$6$x".into())]);
        assert_eq!(patch(&host, &host, &config), None);
    }

    #[test]
    fn a_password_is_set_when_its_version_changes_and_taken_away_when_nobody_wants_one() {
        let prior = object(&json!({"name": "a", "has_console_password": true, "console_password_hash_wo_version": 1}));
        let planned =
            object(&json!({"name": "a", "has_console_password": true, "console_password_hash_wo_version": 2}));
        let config = Object::from([("console_password_hash_wo".to_owned(), "$6$x".into())]);
        let set = patch(&prior, &planned, &config).unwrap();
        assert_eq!(Json::Object(set.0), json!({"console_password_hash": "$6$x"}));
        let taken = patch(&prior, &planned, &Object::new()).unwrap();
        assert_eq!(Json::Object(taken.0), json!({"console_password_hash": null}));
    }

    #[test]
    fn what_a_server_presets_is_no_drift() {
        let prior = object(&json!({"name": "a", "macs": ["5254.0000.0001"]}));
        let seen = view(json!({
            "name": "a", "macs": ["52:54:00:00:00:01"], "serial": "S", "network": {"uplink": {"method": "dhcp"}, "vlans": [], "dns": []},
            "install": {"disk": "PINNED", "disk_boot": "exit", "console": [], "kernel_arguments": []}, "ssh_keys": [], "labels": {}
        }));
        let state = state(&prior, seen, &schema());
        assert_eq!(state["macs"], vec!["5254.0000.0001"].into());
        assert_eq!((&state["network"], &state["install"]), (&Value::Null, &Value::Null));
        assert_eq!((&state["serial"], &state["labels"]), (&"S".into(), &Value::Null));
    }

    #[test]
    fn addresses_of_a_pool_are_told_beside_the_description() {
        let vlans = json!([{"id": 7, "pool": {"ipv4": {"prefix": "10.8.0.0/24"}}}]);
        let prior = object(&json!({"name": "a", "network": {"vlans": vlans}}));
        let mut shown = vlans.clone();
        shown[0]["addresses"] = json!(["10.8.0.2/24"]);
        let state = state(
            &prior,
            view(json!({"name": "a", "network": {"vlans": shown}})),
            &schema(),
        );
        assert_eq!(state["network"], prior["network"]);
        assert_eq!(state["vlan_addresses"].get("7"), &vec!["10.8.0.2/24"].into());
    }

    #[test]
    fn every_attribute_of_the_description_is_the_apis() {
        let whole = json!({
            "name": "a", "macs": ["52:54:00:00:00:01"], "serial": "S", "uuid": "U", "arch": "aarch64", "platform": "equinix-metal",
            "role": "server", "cluster": "c", "known_by": "key", "ssh_keys": ["k"], "time_servers": ["t"], "packages": ["p"],
            "labels": {"a": "b"}, "at_provider": {"device": "0b0f1e2d-0000-4000-8000-000000000001", "metadata": true},
            "install": {"disk": "d", "disk_boot": "sanboot", "console": ["c"], "kernel_arguments": ["k"], "version": "1"},
            "network": {
                "uplink": {"method": "static", "addresses": ["192.0.2.1/24"], "gateways": ["192.0.2.254"], "routes": [{"to": "10.0.0.0/8", "via": "192.0.2.9"}]},
                "bond": {"mode": "802.3ad", "ports": ["52:54:00:00:00:01"], "miimon_ms": 1, "down_delay_ms": 2, "up_delay_ms": 3, "lacp_rate": "slow", "xmit_hash_policy": "layer2", "mtu": 9000},
                "port": {"mac": "52:54:00:00:00:01", "mtu": 1500}, "dns": ["192.0.2.53"], "search": ["example.net"],
                "vlans": [{"id": 7, "addresses": ["10.0.0.1/24"], "mtu": 9000, "routes": [], "pool": {"ipv4": {"prefix": "10.0.0.0/24", "first": "10.0.0.5", "last": "10.0.0.9"}}}]
            }
        });
        let planned = object(&whole);
        let spec = serde_json::to_value(spec(&planned, &Object::new()).unwrap()).unwrap();
        for name in whole.as_object().unwrap().keys() {
            let name = if name == AT_PROVIDER { PROVIDER } else { name };
            let said = spec[name].to_string().matches(char::is_alphanumeric).count();
            assert!(
                said > 0 && !spec[name].is_null(),
                "{name} does not reach the API: {spec}"
            );
        }
        // And nothing of the API's description is missing here.
        let schema = schema();
        for name in spec.as_object().unwrap().keys() {
            let here = match name.as_str() {
                "console_password_hash" => "console_password_hash_wo",
                PROVIDER => AT_PROVIDER,
                name => name,
            };
            assert!(
                schema.attributes().iter().any(|attribute| attribute.name == here),
                "{name}"
            );
        }
    }
}
