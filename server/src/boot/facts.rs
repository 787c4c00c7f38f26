//! What hosts say of themselves, turned into the domain's own types.

use serde_json::{Map, Value, json};
use thirdboot_api::boot::{ReportBody, ReportEvent};
use thirdboot_lifecycle::{BootId, Identity, Mac, NetworkFacts, Said, Serial, SmbiosUuid};

use crate::problem::Failure;

/// A fact in words is cut to this many characters.
const MAX_FACT_CHARS: usize = 256;
/// No machine has more network cards than this.
const MAX_MACS: usize = 256;

/// No host layers more packages than this.
const MAX_NAMES: usize = 64;

/// A field that cannot be read.
pub(super) fn field(name: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::field(name, error.to_string())
}

/// The kernel's id of a boot.
pub(super) fn boot_id(text: &str) -> Result<BootId, Failure> {
    text.parse().map_err(|error| field("boot_id", &error))
}

/// Placeholder serials and UUIDs say nothing and are no error; a MAC is a MAC.
pub(super) fn identity(
    macs: &[String],
    serial: Option<&str>,
    uuid: Option<&str>,
    macs_field: &str,
) -> Result<Identity, Failure> {
    if macs.len() > MAX_MACS {
        return Err(Failure::field(macs_field, format!("expected at most {MAX_MACS} MACs")));
    }
    let macs = macs
        .iter()
        .enumerate()
        .map(|(at, mac)| {
            mac.parse::<Mac>()
                .map_err(|error| field(&format!("{macs_field}[{at}]"), &error))
        })
        .collect::<Result<_, _>>()?;
    Ok(Identity {
        macs,
        serial: serial.and_then(Serial::stated),
        uuid: uuid.and_then(SmbiosUuid::stated),
    })
}

/// What a report says.
pub(super) fn said(body: &ReportBody) -> Result<Said, Failure> {
    let facts = Facts(&body.facts);
    Ok(match body.event {
        ReportEvent::Live => Said::Live {
            identity: facts.identity()?,
        },
        ReportEvent::Installing => Said::Installing {
            percent: percent(body.percent)?,
        },
        ReportEvent::Installed => Said::Installed {
            image: facts.text("image")?,
            version: facts.text("version")?,
            disk_serial: facts.text("disk_serial")?,
            config_sha256: facts.text("config_sha256")?,
        },
        ReportEvent::InstallFailed => Said::InstallFailed,
        ReportEvent::FirstBoot => Said::FirstBoot {
            os_version: facts.text("os_version")?,
            deployment: facts.text("deployment")?,
        },
        ReportEvent::Layering => Said::Layering,
        ReportEvent::Layered => Said::Layered {
            deployment: facts.needed("deployment")?,
        },
        ReportEvent::LayerFailed => Said::LayerFailed,
        ReportEvent::LayeredBoot => Said::LayeredBoot {
            os_version: facts.text("os_version")?,
            deployment: facts.needed("deployment")?,
        },
        ReportEvent::Network => Said::Network(facts.network(&body.facts.clone().into())?),
        ReportEvent::Joining => Said::Joining,
        ReportEvent::Ready => Said::Ready,
        ReportEvent::JoinFailed => Said::JoinFailed,
        ReportEvent::Booted => Said::Booted {
            os_version: facts.text("os_version")?,
            deployment: facts.text("deployment")?,
            network: facts.network_if_any()?,
            missing: facts.names_if_any("missing")?,
        },
        ReportEvent::Note => Said::Note {
            inspection: body
                .facts
                .get("inspection")
                .is_some_and(|value| *value != Value::Bool(false) && !value.is_null()),
        },
    })
}

fn percent(percent: Option<u8>) -> Result<Option<u8>, Failure> {
    match percent {
        Some(percent) if percent > 100 => Err(Failure::field("percent", "expected 0 to 100")),
        percent => Ok(percent),
    }
}

struct Facts<'a>(&'a Map<String, Value>);

impl Facts<'_> {
    /// A fact in words; a number will do.
    fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        let text = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return Err(Failure::field(format!("facts.{name}"), "expected a string")),
        };
        let cut: String = text.chars().take(MAX_FACT_CHARS).collect();
        Ok((!cut.is_empty()).then_some(cut))
    }

    fn needed(&self, name: &str) -> Result<String, Failure> {
        let missing = || Failure::field(format!("facts.{name}"), "this event needs it: expected a string");
        self.text(name)?.ok_or_else(missing)
    }

    /// DMI and MACs, as the live system found them.
    fn identity(&self) -> Result<Identity, Failure> {
        let macs: Vec<String> = match self.0.get("macs") {
            None | Some(Value::Null) => Vec::new(),
            Some(macs) => serde_json::from_value(macs.clone()).map_err(|error| field("facts.macs", &error))?,
        };
        // As in the claim, or beside the other facts.
        let dmi = |name: &str| {
            let nested = self.0.get("dmi").and_then(|dmi| dmi.get(name));
            nested.or_else(|| self.0.get(name)).and_then(Value::as_str)
        };
        identity(&macs, dmi("serial"), dmi("uuid"), "facts.macs")
    }

    /// A list of words, cut to a sane length.
    fn names_if_any(&self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        let names: Vec<String> = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(names) => {
                serde_json::from_value(names.clone()).map_err(|error| field(&format!("facts.{name}"), &error))?
            }
        };
        let cut = |name: String| name.chars().take(MAX_FACT_CHARS).collect();
        Ok(Some(names.into_iter().take(MAX_NAMES).map(cut).collect()))
    }

    fn network_if_any(&self) -> Result<Option<NetworkFacts>, Failure> {
        let names = ["bond", "ports", "vlans", "addresses", "routes", "mtu", "peer"];
        // `booted` may carry them beside its own facts, or as one.
        match self.0.get("network") {
            Some(Value::Null) => Ok(None),
            Some(network) => self.network(network).map(Some),
            None if names.iter().any(|name| self.0.contains_key(*name)) => {
                self.network(&self.0.clone().into()).map(Some)
            }
            None => Ok(None),
        }
    }

    /// Lenient about shapes: a bond, a port, a VLAN or an address may be given as its plain value.
    #[expect(clippy::unused_self, reason = "reads as the other facts do")]
    fn network(&self, facts: &Value) -> Result<NetworkFacts, Failure> {
        let list = |name: &str, key: &str| -> Vec<Value> {
            let given = facts.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
            given.into_iter().map(|value| as_object(value, key)).collect()
        };
        let bond = facts.get("bond").cloned().unwrap_or(Value::Null);
        let ports = facts
            .get("ports")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let ports: Vec<Value> = ports.into_iter().map(port).collect();
        let plain = json!({
            "bond": as_object(bond, "name"),
            "ports": ports,
            "vlans": list("vlans", "id"),
            "addresses": list("addresses", "address"),
            "mtu": facts.get("mtu").cloned().unwrap_or(Value::Null),
            "peer": facts.get("peer").map(short),
            "routes": facts.get("routes").cloned().unwrap_or(Value::Null),
        });
        serde_path_to_error::deserialize(plain).map_err(|error| {
            let name = format!("facts.{}", error.path());
            field(&name, &error.into_inner())
        })
    }
}

/// A plain value as an object with one field; objects and nothing stay.
fn as_object(value: Value, key: &str) -> Value {
    match value {
        Value::Object(_) | Value::Null => value,
        plain => json!({ key: plain }),
    }
}

/// A port as text is its MAC, or else its name.
fn port(value: Value) -> Value {
    let is_mac = value.as_str().is_some_and(|text| text.parse::<Mac>().is_ok());
    as_object(value, if is_mac { "mac" } else { "name" })
}

/// Words are cut; whatever else a peer check said is read by its fields.
fn short(value: &Value) -> Value {
    match value {
        Value::String(text) => text.chars().take(MAX_FACT_CHARS).collect::<String>().into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(facts: Value) -> Result<NetworkFacts, Failure> {
        let Value::Object(facts) = facts else {
            panic!("no object")
        };
        Facts(&facts).network(&facts.clone().into())
    }

    #[test]
    fn addresses_may_be_text_or_objects() {
        let facts = network(json!({"bond": "bond0", "ports": ["52:54:00:00:00:01", "eno1"], "vlans": [1000],
            "addresses": ["192.0.2.10/24", {"interface": "bond0", "address": "2001:db8::1/64"}], "mtu": 9000, "peer": true}))
        .unwrap();
        assert_eq!(facts.addresses.len(), 2);
        assert_eq!(facts.bond.unwrap().name.as_deref(), Some("bond0"));
        assert!(facts.ports[0].mac.is_some() && facts.ports[1].name.as_deref() == Some("eno1"));
        assert_eq!((facts.vlans[0].id, facts.peer.unwrap().reached), (1000, Some(true)));
        assert_eq!(facts.routes, None);
    }

    #[test]
    fn a_fact_that_cannot_be_read_is_named() {
        let failure = network(json!({"addresses": ["192.0.2.10/24", "here"]})).unwrap_err();
        assert_eq!(failure.problem().field.as_deref(), Some("facts.addresses[1].address"));
    }

    #[test]
    fn a_malformed_mac_is_named_and_a_placeholder_serial_is_not_an_error() {
        let macs = ["52:54:00:00:00:01".to_owned(), "zz".to_owned()];
        let failure = identity(&macs, None, None, "macs").unwrap_err();
        assert_eq!(failure.problem().field.as_deref(), Some("macs[1]"));
        let identity = identity(&macs[..1], Some("To be filled by O.E.M."), Some("no"), "macs").unwrap();
        assert_eq!((identity.serial, identity.uuid), (None, None));
    }
}
