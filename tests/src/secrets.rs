//! Finding secrets where none may be.

/// What a secret on the wire starts with, by purpose.
const PURPOSES: [&str; 5] = ["boot", "conf", "live", "host", "lock"];

/// Fewer opaque characters than this is a redacted one, or the prefix alone.
const OPAQUE: usize = 16;

/// Every whole secret in a text.
pub fn found_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("tb_") {
        let word: String = text[at..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '-')
            .collect();
        let opaque = PURPOSES
            .iter()
            .find_map(|purpose| word.strip_prefix("tb_")?.strip_prefix(purpose)?.strip_prefix('_'));
        if opaque.is_some_and(|o| o.len() >= OPAQUE) {
            found.push(word);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_secret_from_its_redacted_form() {
        let secret = format!("tb_live_{}", "a1B2".repeat(8));
        assert_eq!(found_in(&format!("bearer={secret}, more")), [secret]);
        assert_eq!(
            found_in("tb_live_[redacted] tb_conf_… tb_other_aaaaaaaaaaaaaaaaaaaa"),
            [""; 0]
        );
    }
}
