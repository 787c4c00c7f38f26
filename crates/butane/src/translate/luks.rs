//! Encrypted volumes.

use super::Translator;
use crate::ignition::{Cex, Clevis, ClevisCustom, Luks, Tang};
use crate::schema;

/// Since which minor version an empty mapping for Clevis counts as none.
const EMPTY_CLEVIS_IS_NONE_SINCE: u8 = 4;

impl Translator<'_> {
    pub(super) fn luks(&mut self, from: &schema::Luks) -> Luks {
        Luks {
            cex: cex(from.cex.enabled),
            clevis: from.clevis.as_ref().and_then(|clevis| self.clevis(clevis)),
            device: from.device.clone(),
            discard: from.discard,
            key_file: self.at("key_file", "keyFile", |this| this.resource(&from.key_file)),
            label: from.label.clone(),
            name: from.name.clone(),
            open_options: from.open_options.clone(),
            options: from.options.clone(),
            uuid: from.uuid.clone(),
            wipe_volume: from.wipe_volume,
        }
    }

    fn clevis(&self, from: &schema::Clevis) -> Option<Clevis> {
        let keeps_empty = self.minor < EMPTY_CLEVIS_IS_NONE_SINCE;
        let custom = from.custom.as_ref().map(|custom| {
            let text = |value: &Option<String>| {
                if keeps_empty {
                    Some(value.clone().unwrap_or_default())
                } else {
                    value.clone()
                }
            };
            ClevisCustom {
                config: text(&custom.config),
                needs_network: custom.needs_network,
                pin: text(&custom.pin),
            }
        });
        let clevis = Clevis {
            custom: custom.filter(|custom| keeps_empty || *custom != ClevisCustom::default()),
            tang: tang(&from.tang),
            threshold: from.threshold,
            tpm2: from.tpm2,
        };
        (keeps_empty || clevis != Clevis::default()).then_some(clevis)
    }
}

pub(super) fn cex(enabled: Option<bool>) -> Option<Cex> {
    enabled.map(|enabled| Cex { enabled: Some(enabled) })
}

pub(super) fn tang(from: &[schema::Tang]) -> Vec<Tang> {
    from.iter()
        .map(|from| Tang {
            advertisement: from.advertisement.clone(),
            thumbprint: from.thumbprint.clone(),
            url: from.url.clone(),
        })
        .collect()
}
