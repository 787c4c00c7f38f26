//! Addresses: which of them a host can have, and their order.

use std::net::IpAddr;

use ipnet::IpNet;

/// Whether `address` can be a host's own within its prefix.
///
/// # Errors
/// Says why not.
pub(super) fn is_usable(address: IpNet) -> Result<(), String> {
    let ip = address.addr();
    let is_odd = matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local() || v6.to_ipv4_mapped().is_some());
    if is_odd || ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() {
        return Err(format!("{ip} is no address that a host can be given"));
    }
    // RFC 3021 and RFC 6164: in a network of two every address is a host's.
    if address.max_prefix_len() - address.prefix_len() < 2 {
        return Ok(());
    }
    if ip == address.network() {
        return Err(format!("{ip} is the network's own address in {}", address.trunc()));
    }
    if ip.is_ipv4() && ip == address.broadcast() {
        return Err(format!("{ip} is the broadcast address of {}", address.trunc()));
    }
    Ok(())
}

/// An address as a number: IPv4 mapped into IPv6 (RFC 4291, section 2.5.5.2), so that both families have one order.
#[must_use]
pub fn address_key(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
    .to_bits()
}

/// Whether two networks have an address in common.
pub(super) fn overlap(a: IpNet, b: IpNet) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}
