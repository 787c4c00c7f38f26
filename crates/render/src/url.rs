//! Base URLs that iPXE, curl and Ignition read alike.

use std::fmt;

/// An absolute `http` or `https` URL without query, fragment and trailing slash, of characters that iPXE takes
/// verbatim: no `$`, `&`, `#`, `|`, `%`, quote or space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Box<str>);

/// Text that is no base URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a base URL: expected http:// or https:// with a host, of A-Z a-z 0-9 . _ ~ : / [ ] -, without a slash at the end"
)]
pub struct InvalidUrl(String);

impl BaseUrl {
    /// Takes `text` as it is: nothing is corrected.
    ///
    /// # Errors
    /// Refuses whatever a script line could not carry verbatim.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let bad = || InvalidUrl(text.chars().take(200).collect());
        let rest = ["http://", "https://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme))
            .ok_or_else(bad)?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let is_safe = path
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"._~:/-".contains(&c));
        let has_empty_segment = path.ends_with('/') || path.contains("//") || path.split('/').any(|part| part == "..");
        if is_authority(authority) && is_safe && !has_empty_segment {
            Ok(Self(text.into()))
        } else {
            Err(bad())
        }
    }

    /// The URL as text, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a reader must trust its CA.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

/// `name`, `192.0.2.1` or `[2001:db8::1]`, with a port or without.
fn is_authority(text: &str) -> bool {
    let (host_is_good, port) = if let Some(rest) = text.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else {
            return false;
        };
        (address.parse::<std::net::Ipv6Addr>().is_ok(), port)
    } else {
        let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
        let is_name = host.bytes().all(|c| c.is_ascii_alphanumeric() || b".-_".contains(&c));
        (is_name && !host.is_empty(), port)
    };
    let port_is_good = match port.strip_prefix(':') {
        None => port.is_empty(),
        Some(digits) => digits.bytes().all(|c| c.is_ascii_digit()) && digits.parse::<u16>().is_ok_and(|port| port > 0),
    };
    host_is_good && port_is_good
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_absolute_and_plain() {
        for good in [
            "http://boot.example.net",
            "https://192.0.2.1:8443",
            "http://[2001:db8::1]:80/tb",
            "http://a/b-c/d",
        ] {
            assert_eq!(BaseUrl::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "boot.example.net",
            "ftp://a",
            "http://",
            "http://:80",
            "http://a/",
            "http://a//b",
            "http://a/../b",
            "http://a?x=1",
            "http://a#x",
            "http://a b",
            "http://a/${net0/mac}",
            "http://a&&b",
            "http://user@a",
            "http://a:0",
            "http://a:99999",
            "http://[::1",
            "http://[x]",
            "http://a/%41",
            "http://a\n",
        ] {
            assert!(BaseUrl::parse(bad).is_err(), "{bad:?}");
        }
    }
}
