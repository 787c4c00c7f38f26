//! The installed system's config: fragments, and the files that typed code writes.

use std::fmt::Write as _;

use thirdboot_butane::ignition::{Config, File, PasswdUser};
use thirdboot_lifecycle::Host;

use crate::{
    RenderError, RunFacts, Secret,
    files::{PRIVATE, PUBLIC, file},
    firewall, fragments,
    k3s::{FLANNEL_LINK, FLANNEL_LINK_PATH, unit},
    keyfile::{FOLDER, keyfiles},
    repositories, updates, values,
};

/// Composes it.
pub(crate) fn installed(facts: &RunFacts<'_>) -> Result<Config, RenderError> {
    let mut config = fragments::installed(facts)?;
    let host = facts.host;
    let files = &mut config.storage.files;
    reporter(files, facts, facts.host_secret);
    if host.role.joins() {
        files.push(file(FLANNEL_LINK_PATH, PUBLIC, FLANNEL_LINK.as_bytes()));
        config.systemd.units.push(unit(host.role, &host.name));
    }
    let files = &mut config.storage.files;
    let packages = facts.sources.packages(&host.packages);
    let packages = lines("", &values::check_packages("packages", &packages)?, "");
    files.push(file("/etc/thirdboot/packages", PUBLIC, packages.as_bytes()));
    files.extend(repositories::files(host, &facts.sources.repositories)?);
    let peers: Vec<String> = facts.peers.iter().map(ToString::to_string).collect();
    let peers: Vec<&str> = peers.iter().map(String::as_str).collect();
    files.push(file("/etc/thirdboot/peers", PUBLIC, lines("", &peers, "").as_bytes()));
    if let Some(rules) = firewall::ruleset(host, facts.join_vlan) {
        files.push(file("/etc/thirdboot/firewall.nft", PRIVATE, rules.as_bytes()));
    }
    connections(files, host)?;
    let servers = values::time_servers(host)?;
    if !servers.is_empty() {
        files.push(file("/etc/chrony.conf", PUBLIC, chrony(&servers).as_bytes()));
    }
    updates::add(&mut config, facts);
    config.passwd.users.push(PasswdUser {
        name: "core".to_owned(),
        ssh_authorized_keys: values::ssh_keys(host)?.into_iter().map(str::to_owned).collect(),
        password_hash: values::password_hash(host)?.map(str::to_owned),
        ..PasswdUser::default()
    });
    Ok(config)
}

/// The host's connection profiles, where NetworkManager looks for them.
pub(crate) fn connections(files: &mut Vec<File>, host: &Host) -> Result<(), RenderError> {
    for keyfile in keyfiles(host)? {
        files.push(file(
            format!("{FOLDER}/{}", keyfile.name),
            PRIVATE,
            keyfile.text.as_bytes(),
        ));
    }
    Ok(())
}

/// What the reporter knows: where, as whom, and whom to trust.
pub(crate) fn reporter(files: &mut Vec<File>, facts: &RunFacts<'_>, secret: &Secret) {
    let ca = "/etc/thirdboot/ca.pem";
    // A shell reads this: every value is of a type that needs no quotes.
    let mut lines = format!(
        "THIRDBOOT_URL={}\nTHIRDBOOT_SECRET={}\nTHIRDBOOT_RUN={}\nTHIRDBOOT_HOST={}\n",
        facts.config_base,
        secret.as_str(),
        facts.run,
        facts.host.name
    );
    if let Some(pem) = facts.ca_pem {
        // A String takes every write.
        let _ = writeln!(lines, "THIRDBOOT_CA={ca}");
        files.push(file(ca, PUBLIC, pem.as_bytes()));
    }
    files.push(file("/etc/thirdboot/reporter.env", PRIVATE, lines.as_bytes()));
}

/// One item a line, after this word and before that one.
fn lines(before: &str, items: &[&str], after: &str) -> String {
    items.iter().flat_map(|item| [before, item, after, "\n"]).collect()
}

/// The whole file: Fedora's own has no folder for additions.
fn chrony(servers: &[&str]) -> String {
    let servers = lines("server ", servers, " iburst");
    format!("{servers}driftfile /var/lib/chrony/drift\nmakestep 1.0 3\nrtcsync\nlogdir /var/log/chrony\n")
}
