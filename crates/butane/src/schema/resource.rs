//! Things that are fetched, written inline or read from local files.

use super::record;
use crate::decode::{Abort, Decode, Decoder, Record, Unused};
use crate::text::Bytes;
use crate::yaml::NodeId;

record! {
    /// A content and where it comes from.
    ///
    /// Version 1.0 knows `inline` and `compression` for the contents of files only: see [`Reference`].
    Resource, "a mapping that says where the content comes from" {
        compression: Option<String>,
        http_headers: Vec<HttpHeader> = since 1,
        source: Option<String>,
        inline: Option<Bytes>,
        local: Option<String> = since 1,
        verification: Verification,
    }
}

record! {
    /// How a content is checked.
    Verification, "a mapping with a hash" {
        hash: Option<String>,
    }
}

record! {
    /// A header of the request.
    HttpHeader, "a mapping with name and value of a header" {
        name: String,
        value: Option<String>,
    }
}

/// A content that version 1.0 could name by source only: a further config, a certificate.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reference(pub(crate) Resource);

impl Reference {
    fn knows(key: &str, minor: u8) -> bool {
        minor > 0 || matches!(key, "source" | "verification")
    }
}

impl Record for Reference {
    const WHAT: &'static str = Resource::WHAT;

    fn field(&mut self, key: &str, minor: u8) -> Option<&mut dyn Decode> {
        if Self::knows(key, minor) {
            self.0.field(key, minor)
        } else {
            None
        }
    }

    fn fields(&self, minor: u8, each: &mut dyn FnMut(&'static str, &dyn Decode)) {
        self.0.fields(minor, &mut |key, field| {
            if Self::knows(key, minor) {
                each(key, field);
            }
        });
    }
}

impl Decode for Reference {
    fn decode(&mut self, decoder: &mut Decoder<'_>, node: NodeId) -> Result<bool, Abort> {
        decoder.record(self, node)
    }

    fn unused(&self, unused: &mut Unused<'_>, node: Option<NodeId>) {
        unused.record(self, node);
    }
}
