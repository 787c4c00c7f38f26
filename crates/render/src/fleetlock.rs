//! Who a host is in the reboot lock's protocol.

use sha2::{Digest as _, Sha256};
use thirdboot_lifecycle::{GroupName, Host};

/// Group and id that the installed Zincati sends. Written into its config, so that the server knows both beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetLockIdentity {
    /// `<cluster>.<role>`, or the role alone.
    pub group: GroupName,
    /// 32 hex digits with the version bits of a UUID.
    pub id: String,
}

/// The host's group and id. Both follow from its record alone.
#[must_use]
pub fn fleetlock_identity(host: &Host) -> FleetLockIdentity {
    let digest = Sha256::digest(format!("thirdboot fleetlock {}", host.name).as_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    FleetLockIdentity {
        group: GroupName::of(host.cluster.as_ref(), host.role),
        id: data_encoding::HEXLOWER.encode(&bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_follows_from_the_name_and_the_group_from_cluster_and_role() {
        let host = crate::samples::host("node1");
        let identity = fleetlock_identity(&host);
        assert_eq!(identity, fleetlock_identity(&host));
        assert_eq!((identity.id.len(), &identity.id[12..13]), (32, "4"));
        assert_eq!(identity.group.as_str(), "agent");
    }
}
