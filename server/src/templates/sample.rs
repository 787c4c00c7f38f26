//! Made-up hosts, for a template that selects none yet.

use serde_json::json;
use thirdboot_lifecycle::{Host, HostName, Role};
use thirdboot_render::Template;
use thirdboot_store::Selection;

/// One host of every role that may be selected, with everything that can be said of a host, the labels that are asked
/// for, and a value for every label that the template uses.
pub(super) fn hosts(selection: &Selection, template: &Template) -> Vec<Host> {
    let every = [Role::Server, Role::Agent, Role::Runner];
    let roles = if selection.roles.is_empty() {
        &every[..]
    } else {
        &selection.roles
    };
    roles
        .iter()
        .filter_map(|role| host(*role, selection, template))
        .collect()
}

fn host(role: Role, selection: &Selection, template: &Template) -> Option<Host> {
    let mut host: Host = serde_json::from_value(json!({
        "name": "sample", "macs": ["02:00:00:00:00:01", "02:00:00:00:00:02"], "serial": "SAMPLE1",
        "uuid": "4c4c4544-0042-4a10-8035-b8c04f4d3132", "role": role, "cluster": "sample",
        "network": {
            "uplink": {"method": "static", "addresses": ["192.0.2.10/24"], "gateways": ["192.0.2.1"]},
            "bond": {"ports": ["02:00:00:00:00:01", "02:00:00:00:00:02"], "mtu": 9000},
            "vlans": [{"id": 100, "addresses": ["198.51.100.10/24", "2001:db8::10/64"], "mtu": 1500}],
            "dns": ["192.0.2.53"]
        },
        "install": {
            "disk": "/dev/disk/by-id/sample", "console": ["tty0"], "kernel_arguments": ["quiet"], "version": "1.0"
        },
        "time_servers": ["192.0.2.123"], "packages": ["vim-enhanced"]
    }))
    .ok()?;
    host.labels = template
        .labels()
        .map(|label| (label.to_owned(), "sample".to_owned()))
        .collect();
    host.labels.extend(selection.labels.clone());
    if let Some(name) = selection.hosts.first() {
        HostName::clone_from(&mut host.name, name);
    }
    Some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_of_every_role_that_may_be_selected() {
        let template = Template::parse("t", "a: '{{ host.labels.rack }}'").unwrap();
        let mut selection = Selection::default();
        let made = hosts(&selection, &template);
        assert_eq!(made.len(), 3);
        assert!(made.iter().all(|host| host.labels["rack"] == "sample"));
        selection.roles = vec![Role::Runner];
        selection.labels.insert("rack".into(), "r7".into());
        let made = hosts(&selection, &template);
        assert_eq!((made.len(), made[0].labels["rack"].as_str()), (1, "r7"));
        assert!(selection.selects(&made[0]));
    }
}
