//! A VLAN's address pool: where a host gets an address from that nobody stated.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::address::{address_key, is_usable};

/// Addresses for the hosts of a VLAN, of either family or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressPool {
    /// IPv4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<AddressRange>,
    /// IPv6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<AddressRange>,
}

/// A part of a prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressRange {
    /// The VLAN's prefix: goes with every address given.
    pub prefix: IpNet,
    /// The first address to give; none means the second usable one, since the first is the router's by custom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<IpAddr>,
    /// The last address to give; none means the last usable one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<IpAddr>,
}

impl AddressPool {
    /// Its ranges.
    pub fn ranges(&self) -> impl Iterator<Item = &AddressRange> {
        self.ipv4.iter().chain(&self.ipv6)
    }

    /// Why nothing can be given from it, with the field at fault below the pool's own.
    ///
    /// # Errors
    /// Names the field and what was expected.
    pub fn check(&self) -> Result<(), (String, String)> {
        if self.ipv4.is_none() && self.ipv6.is_none() {
            return Err((String::new(), "expected ipv4, ipv6 or both".into()));
        }
        for (family, range, is_v4) in [("ipv4", &self.ipv4, true), ("ipv6", &self.ipv6, false)] {
            let Some(range) = range else { continue };
            let at = |field: &str| format!(".{family}.{field}");
            if range.prefix.addr().is_ipv4() != is_v4 {
                return Err((at("prefix"), format!("{} is of the other family", range.prefix)));
            }
            for (field, bound) in [("first", range.first), ("last", range.last)] {
                let Some(bound) = bound else { continue };
                if !range.prefix.contains(&bound) {
                    return Err((at(field), format!("{bound} is outside {}", range.prefix.trunc())));
                }
            }
            if range.keys().is_empty() {
                return Err((at("prefix"), "there is no address to give".into()));
            }
        }
        Ok(())
    }
}

impl AddressRange {
    /// Every address that may be given, as numbers. Empty when there is none.
    #[must_use]
    pub fn keys(&self) -> RangeInclusive<u128> {
        let (low, high) = (address_key(self.prefix.network()), address_key(self.prefix.broadcast()));
        let size = self.prefix.max_prefix_len() - self.prefix.prefix_len();
        let (first_usable, last_usable) = match size {
            0 | 1 => (low, high),
            _ if self.prefix.addr().is_ipv4() => (low + 1, high - 1),
            _ => (low + 1, high),
        };
        // Within a network of two there is no custom.
        let first = if size < 2 { first_usable } else { first_usable + 1 };
        let first = self.first.map_or(first, address_key).max(first_usable);
        let last = self.last.map_or(last_usable, address_key).min(last_usable);
        first..=last
    }

    /// Whether an address may be given from here.
    #[must_use]
    pub fn gives(&self, address: IpAddr) -> bool {
        self.keys().contains(&address_key(address))
    }

    /// An address of it with the prefix's length.
    #[must_use]
    pub fn with_prefix(&self, address: IpAddr) -> Option<IpNet> {
        let net = IpNet::new(address, self.prefix.prefix_len()).ok()?;
        (self.gives(address) && is_usable(net).is_ok()).then_some(net)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn from_key(key: u128) -> IpAddr {
        IpAddr::V6(std::net::Ipv6Addr::from_bits(key)).to_canonical()
    }

    fn range(json: &str) -> AddressRange {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_router_and_the_ends_of_the_prefix_are_not_given() {
        let pool = range(r#"{"prefix":"10.8.0.0/29"}"#);
        let given: Vec<String> = pool.keys().map(|key| from_key(key).to_string()).collect();
        assert_eq!(given, ["10.8.0.2", "10.8.0.3", "10.8.0.4", "10.8.0.5", "10.8.0.6"]);
        assert_eq!(
            from_key(*range(r#"{"prefix":"fd00::/64"}"#).keys().start()),
            "fd00::2".parse::<IpAddr>().unwrap()
        );
        assert_eq!(
            from_key(*range(r#"{"prefix":"10.8.0.4/31"}"#).keys().start()),
            "10.8.0.4".parse::<IpAddr>().unwrap()
        );
    }

    #[test]
    fn a_range_that_gives_nothing_is_refused_by_field() {
        for (json, field) in [
            ("{}", ""),
            (r#"{"ipv4":{"prefix":"fd00::/64"}}"#, ".ipv4.prefix"),
            (r#"{"ipv4":{"prefix":"10.8.0.0/24","first":"10.9.0.1"}}"#, ".ipv4.first"),
            (r#"{"ipv6":{"prefix":"fd00::/64","last":"fd01::1"}}"#, ".ipv6.last"),
            (
                r#"{"ipv4":{"prefix":"10.8.0.0/24","first":"10.8.0.9","last":"10.8.0.8"}}"#,
                ".ipv4.prefix",
            ),
        ] {
            let pool: AddressPool = serde_json::from_str(json).unwrap();
            assert_eq!(pool.check().unwrap_err().0, field, "{json}");
        }
    }

    proptest! {
        #[test]
        fn what_is_given_is_usable_and_inside(bits in 20_u8..=32) {
            let pool = range(&format!(r#"{{"prefix":"10.8.0.0/{bits}"}}"#));
            for key in pool.keys() {
                prop_assert!(pool.with_prefix(from_key(key)).is_some(), "{}", from_key(key));
                prop_assert!(pool.prefix.contains(&from_key(key)), "{}", from_key(key));
            }
        }
    }
}
