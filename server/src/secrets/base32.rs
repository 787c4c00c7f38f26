//! Base32 in lower case: survives URLs, headers, shells and every console's font.

use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};

/// Characters of 32 bytes.
pub(super) const TEXT_LEN: usize = 52;
/// What a decoder of that many characters may write before it looks at the last bits.
pub(super) const DECODED_LEN: usize = 32;

/// RFC 4648's alphabet in lower case, without padding. One text a value: a changed last character never passes.
pub(super) static LOWER: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    // The specification is a constant, and the test below encodes with it.
    specification.encoding().unwrap_or(data_encoding::BASE32_NOPAD)
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_two_bytes_make_fifty_two_lower_case_characters() {
        let text = LOWER.encode(&[0xa5; DECODED_LEN]);
        assert_eq!(text.len(), TEXT_LEN);
        assert!(
            text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()),
            "{text}"
        );
        assert_eq!(LOWER.decode_len(TEXT_LEN), Ok(DECODED_LEN));
    }
}
