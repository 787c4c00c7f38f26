//! The live system's profiles: the host's own, and a way out over every other port.

use thirdboot_lifecycle::Host;

use super::profile::Profile;
use super::{Keyfile, keyfiles};
use crate::RenderError;

/// Seconds that a port nobody described is given to find a DHCP server: the boot waits for it.
const DHCP_TIMEOUT_S: u32 = 20;

/// Behind every route of a described port; NetworkManager's own metrics end at 20,000.
const ROUTE_METRIC: u32 = 30_000;

/// What the live initramfs is to use; none where DHCP on whatever port has a link is all there is.
///
/// With a file in that place the initramfs asks no DHCP server by itself (dracut's NetworkManager has
/// `no-auto-default=*`). A machine that loaded its script over a port outside of its description, in a network for
/// provisioning alone, would then not reach its rootfs: so ports without a profile of their own go on asking.
///
/// # Errors
/// As [`keyfiles`].
pub fn live_keyfiles(host: &Host) -> Result<Vec<Keyfile>, RenderError> {
    let mut files = keyfiles(host)?;
    if !files.is_empty() {
        files.push(other_ports(host));
    }
    Ok(files)
}

/// As the default connection of NetworkManager's own initrd generator: for any port, several at once, after all others.
fn other_ports(host: &Host) -> Keyfile {
    let mut profile = Profile::with_priority(host, "other-ports", "ethernet", -100);
    profile.set("multi-connect", 3); // one profile, many ports
    profile.set("autoconnect-retries", 1);
    profile.section("ipv4");
    profile.set("method", "auto");
    profile.set("dhcp-timeout", DHCP_TIMEOUT_S);
    profile.set("route-metric", ROUTE_METRIC);
    profile.section("ipv6");
    profile.set("method", "auto");
    profile.set("dhcp-timeout", DHCP_TIMEOUT_S);
    profile.set("route-metric", ROUTE_METRIC);
    profile.into_keyfile()
}
