//! A host as data sources show it.

use thirdboot_api::control::HostView;
use thirdboot_terraform_plugin::{Attribute, Object, Type, Value};

/// What is shown of a host beside its name.
pub(super) fn attributes() -> Vec<Attribute> {
    let text = |name, description| Attribute::computed(name, Type::String, description);
    let alert = vec![
        text("kind", "A word for programs."),
        text("says", "What is seen."),
        text("advice", "What to look at or do."),
    ];
    vec![
        Attribute::computed("macs", Type::String.list(), "MACs of its network cards."),
        text("serial", "SMBIOS serial, stated or pinned."),
        text("uuid", "SMBIOS UUID, stated or pinned."),
        text("arch", "Its processor's architecture."),
        text("platform", "Where it stands and how it is powered."),
        text("role", "What it becomes."),
        text("cluster", "The cluster that it joins."),
        Attribute::computed("labels", Type::String.map(), "Free labels."),
        Attribute::computed(
            "vlan_addresses",
            Type::String.list().map(),
            "The addresses on each VLAN, by its id.",
        ),
        Attribute::computed("retired", Type::Bool, "Out of service."),
        text("hold", "Why an admin's brake is on; null when it is not."),
        Attribute::computed(
            "run",
            Type::Number,
            "The number of its last run; null when it was never armed.",
        ),
        text("stage", "Where that run stands."),
        Attribute::computed("stalled", Type::Bool, "Whether that run is past its stage's deadline."),
        text(
            "cause",
            "A word for why it is stalled or failed, such as `rootfs-not-fetched`.",
        ),
        text("says", "What is seen, when it is stalled or failed."),
        text("advice", "What to look at or do then."),
        text(
            "os_version",
            "The operating system's version that was last seen running.",
        ),
        Attribute::computed(
            "alerts",
            Type::Object(alert).list(),
            "What is wrong with the machine beside its run.",
        ),
    ]
}

/// A host's values for [`attributes`].
pub(super) fn values(view: HostView) -> Object {
    let labels: Object = view
        .labels
        .into_iter()
        .map(|(key, value)| (key, value.into()))
        .collect();
    let vlans = view.network.vlans.into_iter();
    let vlan_addresses: Object = vlans.map(|vlan| (vlan.id.to_string(), vlan.addresses.into())).collect();
    let alerts = view.alerts.into_iter().map(|alert| {
        Value::Object(Object::from([
            ("kind".to_owned(), alert.kind.into()),
            ("says".to_owned(), alert.says.into()),
            ("advice".to_owned(), alert.advice.into()),
        ]))
    });
    let alerts = Value::List(alerts.collect());
    let run = view.run;
    let (cause, says, advice) = match view.diagnosis {
        Some(diagnosis) => (Some(diagnosis.cause), Some(diagnosis.says), Some(diagnosis.advice)),
        None => (None, None, None),
    };
    let values: [(&str, Value); 20] = [
        ("name", view.name.into()),
        ("macs", view.macs.into()),
        ("serial", view.serial.into()),
        ("uuid", view.uuid.into()),
        ("arch", view.arch.as_str().into()),
        ("platform", view.platform.as_str().into()),
        ("role", view.role.as_str().into()),
        ("cluster", view.cluster.into()),
        ("labels", labels.into()),
        ("vlan_addresses", vlan_addresses.into()),
        ("retired", view.retired.into()),
        ("hold", view.hold.map(|hold| hold.reason).into()),
        ("run", run.as_ref().map(|run| u64::from(run.number)).into()),
        ("stage", run.as_ref().map(|run| run.stage.as_str()).into()),
        ("stalled", run.is_some_and(|run| run.stalled).into()),
        ("cause", cause.into()),
        ("says", says.into()),
        ("advice", advice.into()),
        ("os_version", view.os_version.into()),
        ("alerts", alerts),
    ];
    values.map(|(name, value)| (name.to_owned(), value)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_has_its_value() {
        let view: HostView = serde_json::from_str(r#"{"name":"a"}"#).unwrap();
        let mut values: Vec<String> = values(view).into_keys().collect();
        let mut names: Vec<String> = attributes().iter().map(|one| one.name.to_owned()).collect();
        names.push("name".to_owned());
        names.sort();
        values.sort();
        assert_eq!(values, names);
    }
}
