//! Contents.

use super::Translator;
use crate::dataurl::{self, Gzip};
use crate::ignition::{HttpHeader, Resource, Verification};
use crate::schema;

/// Since which minor version contents are compressed where that helps.
const COMPRESSES_SINCE: u8 = 1;

impl Translator<'_> {
    pub(super) fn reference(&mut self, from: &schema::Reference) -> Resource {
        self.resource(&from.0)
    }

    pub(super) fn resource(&mut self, from: &schema::Resource) -> Resource {
        let mut to = Resource {
            compression: from.compression.clone(),
            http_headers: from
                .http_headers
                .iter()
                .map(|header| HttpHeader {
                    name: header.name.clone(),
                    value: header.value.clone(),
                })
                .collect(),
            source: from.source.clone(),
            verification: Verification {
                hash: from.verification.hash.clone(),
            },
        };
        if let Some(local) = &from.local {
            match self.read_local(local) {
                Ok(content) => self.embed(&content, "local", &mut to),
                Err(message) => self.error("local", message),
            }
        }
        if let Some(inline) = &from.inline {
            self.embed(&inline.0, "inline", &mut to);
        }
        to
    }

    /// Puts a content into the resource itself.
    fn embed(&mut self, content: &[u8], key: &'static str, to: &mut Resource) {
        let yaml = self.yaml.join(key);
        if self.minor < COMPRESSES_SINCE {
            to.source = Some(dataurl::encode_plain(content));
        } else if embed(content, to, &mut self.gzip) {
            self.origins.add(self.json.join("compression"), yaml.clone());
        }
        self.origins.add(self.json.join("source"), yaml);
    }
}

/// Puts a content into a resource. A compression that is said already means that the content is compressed already;
/// else one is said, and that is what is returned: a child config is not to inherit another one.
pub(super) fn embed(content: &[u8], to: &mut Resource, gzip: &mut Gzip) -> bool {
    let ours = to.compression.as_ref().is_none_or(String::is_empty);
    let encoded = dataurl::encode(content, ours.then_some(gzip));
    to.source = Some(encoded.url);
    if ours {
        to.compression = Some(if encoded.gzipped { "gzip" } else { "" }.to_owned());
    }
    ours
}
