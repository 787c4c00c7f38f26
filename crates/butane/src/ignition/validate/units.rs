//! Units and drop-ins.

use super::{Check, filled};
use crate::ignition::unit::{self, UnitFile};
use crate::ignition::{Dropin, Systemd, Unit};

const UNIT_TYPES: [&str; 12] = [
    "service",
    "socket",
    "device",
    "mount",
    "automount",
    "swap",
    "target",
    "path",
    "timer",
    "snapshot",
    "slice",
    "scope",
];

impl Check {
    pub(super) fn systemd(&mut self, systemd: &Systemd) {
        self.each("units", &systemd.units, Self::unit);
    }

    fn unit(&mut self, unit: &Unit) {
        if !extension(&unit.name).is_some_and(|extension| UNIT_TYPES.contains(&extension)) {
            self.error("name", "the name of a unit ends with its type, such as .service");
        }
        let file = self.contents(unit.contents.as_deref());
        if unit.enabled == Some(true) && filled(unit.contents.as_ref()) && !file.has_install {
            let message = format!(
                "the unit {:?} is enabled, but without an [Install] section that has no effect",
                unit.name
            );
            self.warning("contents", message);
        }
        self.each("dropins", &unit.dropins, Self::dropin);
    }

    fn dropin(&mut self, dropin: &Dropin) {
        self.contents(dropin.contents.as_deref());
        if extension(&dropin.name) != Some("conf") {
            self.error("name", "the name of a drop-in ends with .conf");
        }
    }

    fn contents(&mut self, contents: Option<&str>) -> UnitFile {
        match unit::parse(contents.unwrap_or_default()) {
            Ok(file) => file,
            Err(message) => {
                self.error("contents", message);
                UnitFile::default()
            }
        }
    }
}

/// What follows the last dot of the last part of a name.
fn extension(name: &str) -> Option<&str> {
    let last = name.rsplit('/').next().unwrap_or(name);
    last.rsplit_once('.').map(|(_, extension)| extension)
}
