//! Files of a config whose text is written by typed code.

use std::io::Write as _;

use data_encoding::BASE64;
use flate2::{Compression, write::GzEncoder};
use thirdboot_butane::ignition::{File, Resource};

/// Readable by root only.
pub(crate) const PRIVATE: i64 = 0o600;

/// Readable by all.
pub(crate) const PUBLIC: i64 = 0o644;

/// Below this, compressing gains nothing.
const WORTH_COMPRESSING: usize = 1024;

/// A file that replaces what is there.
pub(crate) fn file(path: impl Into<String>, mode: i64, content: &[u8]) -> File {
    let (source, compression) = match compressed(content) {
        Some(smaller) => (data_url(&smaller), "gzip"),
        None => (data_url(content), ""),
    };
    File {
        path: path.into(),
        mode: Some(mode),
        overwrite: Some(true),
        contents: Resource {
            source: Some(source),
            compression: Some(compression.to_owned()),
            ..Resource::default()
        },
        ..File::default()
    }
}

/// A `data:` URL of these bytes.
pub(crate) fn data_url(content: &[u8]) -> String {
    format!("data:;base64,{}", BASE64.encode(content))
}

/// The header carries no time: the same bytes compress to the same bytes.
fn compressed(content: &[u8]) -> Option<Vec<u8>> {
    if content.len() < WORTH_COMPRESSING {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).ok()?;
    encoder.finish().ok().filter(|smaller| smaller.len() < content.len())
}
