//! The rules for the boot device.

use super::Check;
use crate::report::Kind;
use crate::schema::BootDevice;

const OLD_LAYOUTS: &str = "the layout must be aarch64, ppc64le or x86_64";
const LAYOUTS: &str = "the layout must be aarch64, ppc64le, s390x-eckd, s390x-virt, s390x-zfcp or x86_64";

impl Check {
    pub(super) fn boot_device(&mut self, device: &BootDevice) {
        let layout = device.layout.as_deref();
        let luks = &device.luks;
        let s390x = self.minor >= 6 && layout.is_some_and(|layout| layout.starts_with("s390x"));
        match layout {
            None | Some("aarch64" | "ppc64le" | "x86_64") => {}
            Some("s390x-virt") if s390x => {}
            Some(layout @ ("s390x-eckd" | "s390x-zfcp")) if s390x => {
                let stem = if layout == "s390x-eckd" { "/dev/dasd" } else { "/dev/sd" };
                match luks.device.as_deref() {
                    None | Some("") => self.error("layout", format!("the layout {layout} needs luks.device")),
                    Some(name) if !is_whole_disk(name, stem) => {
                        self.error(
                            "layout",
                            format!("with the layout {layout} luks.device is {stem} and a letter"),
                        );
                    }
                    Some(_) => {}
                }
            }
            Some(_) => self.error("layout", if self.minor >= 6 { LAYOUTS } else { OLD_LAYOUTS }),
        }
        if s390x && !device.mirror.devices.is_empty() {
            self.error("layout", "there is no mirroring on s390x");
        }
        let clevis = !luks.tang.is_empty() || luks.tpm2 == Some(true);
        let cex = luks.cex.enabled == Some(true);
        if cex {
            const ONLY_S390X: &str = "CEX needs one of the s390x layouts";
            match layout {
                None => self.at("luks", |check| check.error("cex", ONLY_S390X)),
                Some(_) if !s390x => self.error("layout", ONLY_S390X),
                Some(_) => {}
            }
            if clevis {
                self.error("luks", "CEX and Clevis do not go together");
            }
        }
        if self.minor >= 7 && luks.device.as_ref().is_some_and(|device| !device.is_empty()) && !clevis && !cex {
            self.at("luks", |check| {
                check.error("luks", "nothing says how the volume is unlocked");
            });
        }
        if layout.is_none() && !device.mirror.devices.is_empty() {
            let kind = if self.minor >= 7 { Kind::Error } else { Kind::Warning };
            self.push(kind, "mirror", "a mirrored boot device should name its layout");
        }
        if device.mirror.devices.len() == 1 {
            // Butane looks at the mirror by itself and again with the boot device, and says so both times.
            for _ in 0..2 {
                self.at("mirror", |check| {
                    check.error("devices", "a mirror needs at least two devices");
                });
            }
        }
    }
}

/// Whether `name` ends with `stem` and one small letter.
fn is_whole_disk(name: &str, stem: &str) -> bool {
    name.strip_suffix(|c: char| c.is_ascii_lowercase())
        .is_some_and(|rest| rest.ends_with(stem))
}
