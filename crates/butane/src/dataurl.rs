//! `data:` URLs: writing the shortest one for a content, and checking those that people write.

use data_encoding::BASE64;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use crate::ignition::unescape;

/// How a content was put into a URL.
pub(crate) struct Encoded {
    pub(crate) url: String,
    pub(crate) gzipped: bool,
}

/// Makes gzip of contents, one after another: setting up costs more than compressing a short text.
pub(crate) struct Gzip(Compress);

impl Gzip {
    /// Compresses as well as possible.
    pub(crate) fn new() -> Self {
        Self(Compress::new(Compression::best(), false))
    }

    /// Compresses `content`; `None` if that takes more than `most` bytes.
    fn compress(&mut self, content: &[u8], most: usize) -> Option<Vec<u8>> {
        /// Deflated, no name, no time, as small as possible, made anywhere.
        const HEADER: [u8; 10] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255];
        const TRAILER_LEN: usize = 8;
        self.0.reset();
        let mut out = Vec::with_capacity(most.max(HEADER.len()));
        out.extend(HEADER);
        // More room than `most` is not needed: what does not fit is of no use.
        match self.0.compress_vec(content, &mut out, FlushCompress::Finish) {
            Ok(Status::StreamEnd) if out.len() + TRAILER_LEN <= most => {}
            _ => return None,
        }
        let mut crc = Crc::new();
        crc.update(content);
        out.extend(crc.sum().to_le_bytes());
        out.extend(crc.amount().to_le_bytes());
        Some(out)
    }
}

/// Encodes `content` in the shortest of three ways: escaped, base64, or (with `gzip`) gzip and base64.
pub(crate) fn encode(content: &[u8], gzip: Option<&mut Gzip>) -> Encoded {
    const BASE64_MARK: usize = ";base64,".len();
    /// What `"gzip"` costs elsewhere in the config.
    const GZIP_COST: usize = "gzip".len();
    let mut best = escaped_len(content) + ",".len();
    let mut base64 = false;
    let base64_len = BASE64_MARK + BASE64.encode_len(content.len());
    if base64_len < best {
        best = base64_len;
        base64 = true;
    }
    // The longest base64 that still wins, and what it is made of.
    let room = best.saturating_sub(BASE64_MARK + GZIP_COST + 1) / 4 * 3;
    let gzip = gzip.and_then(|gzip| gzip.compress(content, room));
    let mut url = String::with_capacity(best + "data:".len());
    url.push_str("data:");
    match &gzip {
        Some(zipped) => {
            url.push_str(";base64,");
            BASE64.encode_append(zipped, &mut url);
        }
        None if base64 => {
            url.push_str(";base64,");
            BASE64.encode_append(content, &mut url);
        }
        None => {
            url.push(',');
            escape(content, &mut url);
        }
    }
    Encoded {
        url,
        gzipped: gzip.is_some(),
    }
}

/// Encodes `content` escaped and nothing else, as version 1.0 does.
pub(crate) fn encode_plain(content: &[u8]) -> String {
    let mut url = String::with_capacity(escaped_len(content) + "data:,".len());
    url.push_str("data:,");
    escape(content, &mut url);
    url
}

fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte)
}

fn escaped_len(content: &[u8]) -> usize {
    content.iter().map(|byte| if unreserved(*byte) { 1 } else { 3 }).sum()
}

fn escape(content: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in content {
        if unreserved(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

/// Decodes a `data:` URL or says what is wrong with it.
pub(crate) fn check(url: &str) -> Result<Vec<u8>, &'static str> {
    let rest = url
        .strip_prefix("data:")
        .ok_or("a data URL begins with data: in small letters")?;
    let (base64, body) = header(rest)?;
    if base64 {
        if !body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\n'))
        {
            return Err("the data URL's base64 holds a character that does not belong there");
        }
        return BASE64
            .decode(body.as_bytes())
            .map_err(|_| "the data URL's base64 is broken");
    }
    let forbidden = |c: char| u32::from(c) <= 0x20 || c == '\x7F' || "<>#\"{}|\\^[]`".contains(c);
    if body.contains(forbidden) {
        return Err("the data URL holds a character that must be escaped");
    }
    unescape(body).ok_or("an escape in the data URL is broken")
}

/// Reads media type and parameters up to the comma: whether the data is base64, and the data.
fn header(text: &str) -> Result<(bool, &str), &'static str> {
    const NO_COMMA: &str = "the data URL has no comma before its data";
    let mut rest = text;
    if !rest.starts_with([';', ',']) {
        let (_, after) = token(rest).ok_or("the data URL's media type is broken")?;
        rest = after
            .strip_prefix('/')
            .ok_or("the data URL's media type has no slash")?;
        let (_, after) = token(rest).unwrap_or(("", rest));
        if !after.starts_with([';', ',']) {
            return Err("the data URL's media type is broken");
        }
        rest = after;
    }
    loop {
        if let Some(data) = rest.strip_prefix(',') {
            return Ok((false, data));
        }
        let after = rest.strip_prefix(';').ok_or(NO_COMMA)?;
        let (name, after) = token(after).ok_or("a parameter of the data URL has no name")?;
        if let Some(data) = after.strip_prefix(',') {
            return if name == "base64" {
                Ok((true, data))
            } else {
                Err("a parameter of the data URL has no value")
            };
        }
        let value = after.strip_prefix('=').ok_or("a parameter of the data URL is broken")?;
        rest = match value.strip_prefix('"') {
            Some(quoted) => after_quote(quoted).ok_or("a quote in the data URL is never closed")?,
            None => token(value).ok_or("a parameter of the data URL has no value")?.1,
        };
    }
}

/// The token at the front of `text`, and what follows.
fn token(text: &str) -> Option<(&str, &str)> {
    let ends = |c: char| !c.is_ascii_graphic() || "()<>@,;:\\\"/[]?=".contains(c);
    let len = text.find(ends).unwrap_or(text.len());
    (len > 0).then(|| text.split_at(len))
}

fn after_quote(text: &str) -> Option<&str> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return text.get(at + 1..),
            _ => {}
        }
    }
    None
}
