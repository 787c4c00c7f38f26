//! What a group's settings come to on a host.

use std::fmt::Write as _;

use thirdboot_butane::ignition::from_slice;
use thirdboot_lifecycle::GroupSettings;

use crate::documents;
use crate::samples::{self, Run};

/// Zincati's files, the lock's, and the units that are about reboots, as a host with these settings has them.
fn of(settings: &str) -> String {
    let host = samples::host("node1");
    let mut run = Run::new(samples::install());
    run.updates = serde_json::from_str::<GroupSettings>(settings).unwrap();
    run.updates.check().unwrap();
    let (config, _) = from_slice(&documents(&run.facts(&host)).unwrap().installed).unwrap();
    let mut text = String::new();
    for file in &config.storage.files {
        let is_lock = ["/etc/thirdboot/lock.env", "/etc/thirdboot/zincati.toml"].contains(&file.path.as_str());
        if is_lock || file.path.starts_with("/etc/zincati/") {
            let content = samples::text(&file.contents);
            let _ = write!(text, "--- {} {:04o}\n{content}", file.path, file.mode.unwrap());
        }
    }
    for unit in config
        .systemd
        .units
        .iter()
        .filter(|unit| unit.name == "thirdboot-reboot.timer")
    {
        let _ = write!(text, "--- {}\n{}", unit.name, unit.contents.as_deref().unwrap());
    }
    text
}

#[test]
fn a_group_that_nobody_set_updates_under_its_lock() {
    insta::assert_snapshot!("locked", of("{}"));
}

#[test]
fn updates_in_a_window_need_no_lock() {
    let window = r#"{"days":["sat","sun"],"start":"03:30","length_minutes":120}"#;
    insta::assert_snapshot!("window", of(&format!(r#"{{"policy":"window","window":{window}}}"#)));
}

#[test]
fn a_monthly_reboot_is_there_where_updates_are_off_too() {
    let window = r#"{"days":["sun"],"start":"02:00","length_minutes":60}"#;
    insta::assert_snapshot!(
        "off_monthly",
        of(&format!(r#"{{"policy":"off","monthly":true,"window":{window}}}"#))
    );
}
