//! Texts that need not be UTF-8.

use crate::decode::{Abort, Decode, Decoder};
use crate::yaml::NodeId;

/// A content written in the document; `!!binary` may make it any bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Decode for Bytes {
    fn decode(&mut self, decoder: &mut Decoder<'_>, node: NodeId) -> Result<bool, Abort> {
        if let Some(bytes) = decoder.binary(node)? {
            self.0 = bytes;
            return Ok(true);
        }
        let mut text = String::new();
        let read = text.decode(decoder, node)?;
        self.0 = text.into_bytes();
        Ok(read)
    }
}

/// Text in which every byte that is not UTF-8 is replaced, as JSON writers do.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}
