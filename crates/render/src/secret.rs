//! The secrets of PROTOCOL.md, as text that can stand in a URL's path, a header and a shell assignment.

use std::fmt;

/// What a secret is for: the second word of its text.
const PURPOSES: [&str; 5] = ["boot", "conf", "live", "host", "lock"];

/// Shortest opaque part, in characters of five bits each: 80 bits.
const MIN_OPAQUE_LEN: usize = 16;

/// A secret such as `tb_conf_…`. Its `Debug` shows the purpose only.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

/// Text that is no secret of this service. It is not repeated: it may be somebody's secret all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a secret of the form tb_<purpose>_<at least 16 of a-z, 2-7> with purpose boot, conf, live, host or lock")]
pub struct InvalidSecret;

impl Secret {
    /// Takes text that has a secret's form. Whether it is anybody's is not looked at.
    ///
    /// # Errors
    /// Refuses every other form.
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        let (purpose, opaque) = text
            .strip_prefix("tb_")
            .and_then(|rest| rest.split_once('_'))
            .ok_or(InvalidSecret)?;
        let is_base32 = opaque.bytes().all(|c| matches!(c, b'a'..=b'z' | b'2'..=b'7'));
        if PURPOSES.contains(&purpose) && is_base32 && opaque.len() >= MIN_OPAQUE_LEN {
            Ok(Self(text.into()))
        } else {
            Err(InvalidSecret)
        }
    }

    /// The secret itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `boot`, `conf`, `live`, `host` or `lock`.
    #[must_use]
    pub fn purpose(&self) -> &str {
        self.0.split('_').nth(1).unwrap_or_default()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret(tb_{}_…)", self.purpose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_form_is_a_secret() {
        assert_eq!(Secret::parse("tb_conf_abcdefghij234567").unwrap().purpose(), "conf");
        for bad in [
            "",
            "tb_conf_short",
            "tb_root_abcdefghij234567",
            "tb_conf_ABCDEFGHIJ234567",
            "tb_conf_abcdefghij23456 ",
            "tb_conf_abcdefghij23456\n7",
            "tb_conf_abcdefgh_ij234567",
        ] {
            assert_eq!(Secret::parse(bad), Err(InvalidSecret), "{bad:?}");
        }
    }

    #[test]
    fn debug_does_not_show_it() {
        let secret = Secret::parse("tb_live_abcdefghij234567").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(tb_live_…)");
    }
}
