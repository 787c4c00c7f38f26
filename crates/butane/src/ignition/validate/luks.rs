//! Encrypted volumes and what unlocks them.

use super::{Check, filled, path_error};
use crate::ignition::url;
use crate::ignition::{Clevis, ClevisCustom, Luks, Tang};

/// The longest label of a volume, in bytes.
const LABEL_MAX: usize = 47;

impl Check {
    pub(super) fn luks(&mut self, luks: &Luks) {
        if luks.name.contains('/') {
            self.error("name", "the name of a volume may not hold slashes");
        }
        if luks.label.as_ref().is_some_and(|label| label.len() > LABEL_MAX) {
            self.error("label", "a volume's label may not be longer than 47 bytes");
        }
        match luks.device.as_deref() {
            None | Some("") => self.error("device", "a volume needs a device"),
            Some(device) => self.error_if("device", path_error(device)),
        }
        if let Some(source) = luks.key_file.source.as_deref().filter(|source| !source.is_empty())
            && url::check(source, self.minor).is_some()
        {
            self.error("keys", "the source of the key file cannot be fetched");
        }
        self.at("keyFile", |check| check.resource(&luks.key_file));
        if let Some(clevis) = &luks.clevis {
            self.clevis(clevis);
        }
        if luks.cex.as_ref().is_some_and(|cex| cex.enabled == Some(true)) {
            if luks.clevis.as_ref().is_some_and(is_present) {
                self.error("cex", "CEX and Clevis do not go together");
            }
            if filled(luks.key_file.source.as_ref()) {
                self.error("cex", "CEX and a key file do not go together");
            }
        }
    }

    fn clevis(&mut self, clevis: &Clevis) {
        let others = !clevis.tang.is_empty() || clevis.tpm2 == Some(true) || clevis.threshold.is_some_and(|of| of != 0);
        let custom = clevis.custom.as_ref();
        if others && custom.is_some_and(|custom| filled(custom.pin.as_ref())) {
            self.error(
                "clevis",
                "a custom pin does not go together with tpm2, tang or threshold",
            );
        }
        self.at("clevis", |check| {
            if let Some(custom) = custom {
                check.at("custom", |check| check.clevis_custom(custom));
            }
            check.each("tang", &clevis.tang, Self::tang);
        });
    }

    fn clevis_custom(&mut self, custom: &ClevisCustom) {
        let (pin, config) = (
            custom.pin.as_deref().unwrap_or_default(),
            custom.config.as_deref().unwrap_or_default(),
        );
        let network_counts = self.minor > 2 && custom.needs_network == Some(true);
        if pin.is_empty() && config.is_empty() && !network_counts {
            return;
        }
        match pin {
            "tpm2" | "tang" | "sss" => {}
            "trustee" if self.minor >= 6 => {}
            "" if self.minor > 2 => self.error("pin", "a custom pin needs a name"),
            _ => self.error("pin", "Clevis has no such pin here"),
        }
        if config.is_empty() {
            self.error("config", "a custom pin needs a config");
        }
    }

    fn tang(&mut self, tang: &Tang) {
        match url::parse(&tang.url).map(|url| url.scheme).as_deref() {
            Some("http" | "https") => {}
            Some(_) => self.error("url", "a Tang server's URL begins with http or https"),
            None => self.error("url", "this is not a URL"),
        }
        if !filled(tang.thumbprint.as_ref()) {
            self.error("thumbprint", "the thumbprint of the server's key is missing");
        }
        if let Some(advertisement) = tang.advertisement.as_deref().filter(|text| !text.is_empty())
            && serde_json::from_str::<serde_json::Value>(advertisement).is_err()
        {
            self.error("advertisement", "an advertisement is JSON");
        }
    }
}

/// Whether Clevis has anything to do.
fn is_present(clevis: &Clevis) -> bool {
    clevis.custom.as_ref().is_some_and(|custom| filled(custom.pin.as_ref()))
        || !clevis.tang.is_empty()
        || clevis.tpm2 == Some(true)
        || clevis.threshold.is_some_and(|of| of != 0)
}
