//! How an installed system updates and reboots: its Zincati's config, its reboot lock, its monthly reboot.

use thirdboot_butane::ignition::{Config, File, Unit};
use thirdboot_lifecycle::{RebootWindow, UpdatePolicy};

use crate::{
    RunFacts,
    files::{PRIVATE, PUBLIC, file},
    fleetlock_identity,
};

/// Where Zincati looks for its config. It runs as a user of its own.
const ZINCATI: &str = "/etc/zincati/config.d";

/// Adds it.
pub(crate) fn add(config: &mut Config, facts: &RunFacts<'_>) {
    let settings = facts.updates;
    let files = &mut config.storage.files;
    let identity = fleetlock_identity(facts.host);
    let who = format!(
        "[identity]\ngroup = \"{}\"\nnode_uuid = \"{}\"\n",
        identity.group, identity.id
    );
    files.push(file(format!("{ZINCATI}/50-identity.toml"), PUBLIC, who.as_bytes()));
    files.push(lock(facts));
    let strategy = |text: String| file(format!("{ZINCATI}/55-updates-strategy.toml"), PUBLIC, text.as_bytes());
    match (settings.policy, &settings.window) {
        // Its URL is a secret, which root alone knows until `begin_updates` (lib.sh) gives it to Zincati's group: whether
        // that group is known to Ignition is not certain.
        (UpdatePolicy::Locked, _) => files.push(fleet_lock(facts)),
        (UpdatePolicy::Window, Some(window)) => files.push(strategy(periodic(window))),
        // Settings without a window are refused before they are kept.
        (UpdatePolicy::Off | UpdatePolicy::Window, _) => {
            let off = b"[updates]\nenabled = false\n";
            files.push(file(format!("{ZINCATI}/95-updates-off.toml"), PUBLIC, off));
        }
    }
    if let Some(window) = settings.window.as_ref().filter(|_| settings.monthly) {
        config.systemd.units.push(timer(window));
    }
}

/// For the scripts that ask for the lock themselves. A shell reads it: every value is of a type that needs no quotes.
fn lock(facts: &RunFacts<'_>) -> File {
    let identity = fleetlock_identity(facts.host);
    let minutes = facts.updates.window.as_ref().map_or(0, |window| window.length_minutes);
    let lines = format!(
        "THIRDBOOT_LOCK={}\nTHIRDBOOT_LOCK_ID={}\nTHIRDBOOT_LOCK_GROUP={}\nTHIRDBOOT_WINDOW_MINUTES={minutes}\n",
        facts.lock.as_str(),
        identity.id,
        identity.group
    );
    file("/etc/thirdboot/lock.env", PRIVATE, lines.as_bytes())
}

fn fleet_lock(facts: &RunFacts<'_>) -> File {
    let text = format!(
        "[updates]\nstrategy = \"fleet_lock\"\n\n[updates.fleet_lock]\nbase_url = \"{}/fleetlock/{}/\"\n",
        facts.config_base,
        facts.lock.as_str()
    );
    file("/etc/thirdboot/zincati.toml", PRIVATE, text.as_bytes())
}

fn periodic(window: &RebootWindow) -> String {
    let days: Vec<String> = window.day_names().iter().map(|day| format!("\"{day}\"")).collect();
    format!(
        "[updates]\nstrategy = \"periodic\"\n\n[[updates.periodic.window]]\ndays = [ {} ]\nstart_time = \"{}\"\nlength_minutes = {}\n",
        days.join(", "),
        window.start,
        window.length_minutes
    )
}

/// Fires whenever the window begins; the script sees whether this month is done.
fn timer(window: &RebootWindow) -> Unit {
    let text = format!(
        "[Unit]\nDescription=Reboot once a month, under the reboot lock\n\n\
         [Timer]\nOnCalendar={} *-*-* {}:00 UTC\nAccuracySec=1s\n\n\
         [Install]\nWantedBy=timers.target\n",
        window.day_names().join(","),
        window.start
    );
    Unit {
        name: "thirdboot-reboot.timer".to_owned(),
        enabled: Some(true),
        contents: Some(text),
        ..Unit::default()
    }
}

#[cfg(test)]
mod tests;
