//! Takes secrets out of text that hosts send: Ignition prints its whole config when it fails.

use std::borrow::Cow;

/// Replaces every secret by its purpose and a mark.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut clean = String::new();
    let mut rest = text;
    while let Some((before, purpose, after)) = next_secret(rest) {
        clean.push_str(before);
        clean.push_str("tb_");
        clean.push_str(purpose);
        clean.push_str("_[redacted]");
        rest = after;
    }
    if clean.is_empty() && rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

/// What stands before the next secret, its purpose, and what follows it.
fn next_secret(text: &str) -> Option<(&str, &str, &str)> {
    let mut searched = 0;
    while let Some(found) = text.get(searched..)?.find("tb_") {
        let start = searched + found;
        let word = text.get(start + 3..)?;
        let purpose_len = run_of(word, |c| c.is_ascii_lowercase());
        let (purpose, tail) = word.split_at(purpose_len);
        if let Some(opaque) = tail.strip_prefix('_').filter(|_| purpose_len > 0) {
            // Any length: a log may be cut in the middle of a secret.
            let opaque_len = run_of(opaque, |c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
            if opaque_len > 0 {
                return Some((&text[..start], purpose, &opaque[opaque_len..]));
            }
        }
        searched = start + 3;
    }
    None
}

fn run_of(text: &str, is_part: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| is_part(*byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_wherever_it_stands() {
        for (dirty, clean) in [
            ("Bearer tb_live_abc234", "Bearer tb_live_[redacted]"),
            (
                "\"http://x/ignition/tb_conf_q7/live.ign\",",
                "\"http://x/ignition/tb_conf_[redacted]/live.ign\",",
            ),
            ("data:,A%3Dtb_host_zz%0A", "data:,A%3Dtb_host_[redacted]%0A"),
            ("tb_boot_a tb_lock_b", "tb_boot_[redacted] tb_lock_[redacted]"),
            ("xtb_api_aé", "xtb_api_[redacted]é"),
            ("cut in the middle tb_host_a", "cut in the middle tb_host_[redacted]"),
            ("tb_tb_live_abc", "tb_tb_[redacted]"),
        ] {
            assert_eq!(redact(dirty), clean);
        }
    }

    #[test]
    fn everything_else_stays() {
        for text in [
            "",
            "tb_",
            "tb_live_",
            "tb_live_[redacted]",
            "stb_ mtb_size",
            "tb__x",
            "ätb_é_",
        ] {
            assert_eq!(redact(text), text);
        }
    }
}
