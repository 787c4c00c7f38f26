//! Bytes in, checked text out: byte order marks, UTF-16, characters YAML forbids.

use super::YamlError;

/// Decodes `bytes` into text without a byte order mark, with only characters that YAML allows and `\n` for line breaks.
pub(super) fn decode(bytes: &[u8]) -> Result<String, YamlError> {
    let text = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest)?,
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        _ => utf8(bytes)?,
    };
    match text.char_indices().find(|(_, c)| !allowed(*c)) {
        None if text.contains(['\r', '\u{85}']) => Ok(text.replace("\r\n", "\n").replace(['\r', '\u{85}'], "\n")),
        None => Ok(text),
        Some((at, c)) => {
            let (line, column) = line_and_column(&text[..at]);
            Err(YamlError::new(
                line,
                column,
                format!("the character U+{:04X} may not appear in YAML", u32::from(c)),
            ))
        }
    }
}

fn utf8(bytes: &[u8]) -> Result<String, YamlError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let (line, column) = line_and_column(&String::from_utf8_lossy(good));
            Err(YamlError::new(line, column, "these bytes are not UTF-8".to_owned()))
        }
    }
}

fn utf16(bytes: &[u8], read: fn([u8; 2]) -> u16) -> Result<String, YamlError> {
    let pairs = bytes.chunks_exact(2);
    let cut = !pairs.remainder().is_empty();
    let units = pairs.map(|pair| match *pair {
        [a, b] => read([a, b]),
        _ => 0,
    });
    let mut text = String::with_capacity(bytes.len() / 2);
    for unit in char::decode_utf16(units) {
        let Ok(c) = unit else {
            let (line, column) = line_and_column(&text);
            return Err(YamlError::new(
                line,
                column,
                "an unpaired surrogate in UTF-16 text".to_owned(),
            ));
        };
        text.push(c);
    }
    if cut {
        let (line, column) = line_and_column(&text);
        return Err(YamlError::new(
            line,
            column,
            "UTF-16 text ends in the middle of a character".to_owned(),
        ));
    }
    Ok(text)
}

fn allowed(c: char) -> bool {
    matches!(c,
        '\t' | '\n' | '\r' | '\u{20}'..='\u{7E}' | '\u{85}' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..
    )
}

fn line_and_column(before: &str) -> (usize, usize) {
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}
