//! What can be seen of a value while Terraform plans. The server checks everything again, and more.

use std::net::IpAddr;

use jiff::SignedDuration;
use thirdboot_terraform_plugin::Value;

type Checked = Result<(), String>;

/// A host's or a cluster's name: an RFC 1123 label.
pub(crate) fn name(value: &Value) -> Checked {
    const MAX_CHARS: usize = 63;
    let Some(text) = value.as_str() else { return Ok(()) };
    let is_inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let is_fit = (1..=MAX_CHARS).contains(&text.len())
        && text.bytes().all(is_inner)
        && !text.starts_with('-')
        && !text.ends_with('-');
    is_fit
        .then_some(())
        .ok_or_else(|| format!("expected 1 to {MAX_CHARS} of a-z, 0-9 and -, not beginning or ending with -"))
}

/// The six bytes of a MAC in any usual notation.
pub(crate) fn mac_bytes(text: &str) -> Option<[u8; 6]> {
    let is_separator = |c: char| matches!(c, ':' | '-' | '.');
    let hex: String = text.chars().filter(|c| !is_separator(*c)).collect();
    let separators = text.chars().filter(|c| is_separator(*c)).count();
    let is_usual = matches!(separators, 0 | 2 | 5);
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?;
    is_usual.then(|| bytes.try_into().ok()).flatten()
}

/// A MAC.
pub(crate) fn mac(value: &Value) -> Checked {
    match value.as_str() {
        Some(text) if mac_bytes(text).is_none() => Err("expected a MAC such as 52:54:00:aa:bb:01".to_owned()),
        _ => Ok(()),
    }
}

/// Two notations of one MAC.
pub(crate) fn same_mac(a: &str, b: &str) -> bool {
    a == b || mac_bytes(a).is_some_and(|bytes| Some(bytes) == mac_bytes(b))
}

/// Two notations of one address, or of one address with its prefix length.
pub(crate) fn same_address(a: &str, b: &str) -> bool {
    let both = |read: fn(&str) -> Option<String>| read(a).is_some_and(|text| Some(text) == read(b));
    a == b
        || both(|text| text.parse::<IpAddr>().ok().map(|address| address.to_string()))
        || both(|text| text.parse::<ipnet::IpNet>().ok().map(|net| net.to_string()))
}

/// An address with its prefix length.
pub(crate) fn interface(value: &Value) -> Checked {
    match value.as_str() {
        Some(text) if text.parse::<ipnet::IpNet>().is_err() => {
            Err("expected an address with its prefix length, such as 192.0.2.10/24".to_owned())
        }
        _ => Ok(()),
    }
}

/// An address.
pub(crate) fn address(value: &Value) -> Checked {
    match value.as_str() {
        Some(text) if text.parse::<IpAddr>().is_err() => Err("expected an address, such as 192.0.2.1".to_owned()),
        _ => Ok(()),
    }
}

/// A network: an address with its prefix length and nothing beyond it.
pub(crate) fn prefix(value: &Value) -> Checked {
    let Some(text) = value.as_str() else { return Ok(()) };
    match text.parse::<ipnet::IpNet>() {
        Ok(net) if net == net.trunc() => Ok(()),
        Ok(net) => Err(format!("expected a network: did you mean {}?", net.trunc())),
        Err(_) => Err("expected a network such as 10.0.0.0/24".to_owned()),
    }
}

/// Lower-case hex of a SHA-256.
pub(crate) fn sha256(value: &Value) -> Checked {
    const HEX_CHARS: usize = 64;
    let is_hex =
        |text: &str| text.len() == HEX_CHARS && text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    match value.as_str() {
        Some(text) if !is_hex(text) => Err(format!("expected a SHA-256: {HEX_CHARS} of 0-9 and a-f")),
        _ => Ok(()),
    }
}

/// A span of time such as `45m` or `1h 30m`.
pub(crate) fn duration_of(text: &str) -> Option<SignedDuration> {
    let duration: SignedDuration = text.trim().parse().ok()?;
    (duration > SignedDuration::ZERO).then_some(duration)
}

/// A span of time.
pub(crate) fn duration(value: &Value) -> Checked {
    match value.as_str() {
        Some(text) if duration_of(text).is_none() => Err("expected a span of time such as 45m or 2h".to_owned()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_has_several_notations() {
        for text in [
            "52:54:00:AA:bb:01",
            "52-54-00-aa-bb-01",
            "5254.00aa.bb01",
            "525400aabb01",
        ] {
            assert!(same_mac(text, "52:54:00:aa:bb:01"), "{text}");
        }
        for text in [
            "",
            "52:54:00:aa:bb",
            "52:54:00:aa:bb:0g",
            "52:54:00:aa:bb:01:02",
            "5:2:5:4:0:0",
        ] {
            assert!(mac(&text.into()).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_has_several_notations() {
        assert!(same_address("2001:db8:0::1/64", "2001:db8::1/64"));
        assert!(same_address("2001:DB8::1", "2001:db8::1"));
        assert!(!same_address("10.0.0.1/24", "10.0.0.2/24"));
        assert!(!same_address("eth0", "eth1"));
    }

    #[test]
    fn what_cannot_be_says_what_was_expected() {
        assert!(name(&"Node_1".into()).is_err() && name(&"-a".into()).is_err() && name(&"node-1".into()).is_ok());
        assert!(interface(&"10.0.0.1".into()).is_err() && interface(&"10.0.0.1/24".into()).is_ok());
        assert!(prefix(&"10.0.0.1/24".into()).unwrap_err().contains("10.0.0.0/24"));
        assert!(sha256(&"ABC".into()).is_err() && sha256(&"0".repeat(64).into()).is_ok());
        for (text, is_fit) in [
            ("45m", true),
            ("1h 30m", true),
            ("0s", false),
            ("45", false),
            ("-1h", false),
            ("soon", false),
        ] {
            assert_eq!(duration(&text.into()).is_ok(), is_fit, "{text}");
        }
    }
}
