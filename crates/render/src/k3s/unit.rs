//! The unit that runs k3s, and the link file for flannel's interfaces.

use thirdboot_butane::ignition::Unit;
use thirdboot_lifecycle::{HostName, Role};

/// Enabled and started by the join, once binary and config are there.
const UNIT_NAME: &str = "k3s.service";

/// Where udev finds the link file.
pub(crate) const FLANNEL_LINK_PATH: &str = "/etc/systemd/network/50-flannel.link";

/// flannel's interfaces keep the MAC that flannel gives them: other nodes know it.
pub(crate) const FLANNEL_LINK: &str = "[Match]\nOriginalName=flannel*\n\n[Link]\nMACAddressPolicy=none\n";

/// The unit of a server or an agent. A server says when it is up; an agent does not.
pub(crate) fn unit(role: Role, name: &HostName) -> Unit {
    let (verb, kind) = match role {
        Role::Server => ("server", "notify"),
        Role::Agent | Role::Runner => ("agent", "exec"),
    };
    let contents = format!(
        "[Unit]\n\
         Description=k3s {verb} {name}\n\
         Documentation=https://k3s.io\n\
         Wants=network-online.target\n\
         After=network-online.target\n\
         ConditionPathExists=/etc/rancher/k3s/config.yaml\n\
         \n\
         [Service]\n\
         Type={kind}\n\
         ExecStartPre=-/sbin/modprobe br_netfilter\n\
         ExecStartPre=-/sbin/modprobe overlay\n\
         ExecStart=/usr/local/bin/k3s {verb}\n\
         Delegate=yes\n\
         KillMode=process\n\
         Restart=always\n\
         RestartSec=5s\n\
         LimitNOFILE=1048576\n\
         LimitNPROC=infinity\n\
         LimitCORE=infinity\n\
         TasksMax=infinity\n\
         TimeoutStartSec=0\n\
         \n\
         [Install]\n\
         WantedBy=multi-user.target\n"
    );
    Unit {
        name: UNIT_NAME.to_owned(),
        contents: Some(contents),
        ..Unit::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_as_k3s_wants_them() {
        let text = |role| unit(role, &"node-1".parse().unwrap()).contents.unwrap();
        insta::assert_snapshot!("unit_server", text(Role::Server));
        insta::assert_snapshot!("unit_agent", text(Role::Agent));
    }

    #[test]
    fn the_link_file_is_one_that_udev_reads() {
        insta::assert_snapshot!("flannel_link", FLANNEL_LINK);
    }
}
