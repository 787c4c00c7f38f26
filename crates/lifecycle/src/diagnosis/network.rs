//! Why a host's network is not what was asked.

use super::{Cause, Diagnosis, found};
use crate::{Run, is_cut_off, lacks_lacp};

/// The third boot runs, and its network is not proven.
pub(super) fn stuck(run: &Run, since: &str) -> Diagnosis {
    let differs = &run.evidence.network_differs;
    let told = differs.join("; ");
    let seen = run.evidence.network.as_ref();
    if differs.is_empty() {
        return found(
            Cause::NetworkSilent,
            format!("the third boot reported {since} and said nothing of its network since"),
            "look at the journal of thirdboot-network.service and at nmcli device on the console",
        );
    }
    if seen.is_some_and(|seen| is_cut_off(differs, seen)) {
        return found(
            Cause::VlanNotCarried,
            format!("the third boot runs and its network is up as asked, but its VLAN leads nowhere: {told}"),
            "the switch does not carry this VLAN to this machine, or another one of that id: check the VLAN assignment of all its ports at the switch (or at the provider), then the VLAN's id here; nothing is to be done on the machine",
        );
    }
    if lacks_lacp(differs) {
        return found(
            Cause::NoLacpPartner,
            format!("the third boot runs, its ports have links, and the switch does not bond them: {told}"),
            "put all of this machine's ports into one LACP group (port-channel, MLAG over two switches) at the switch, active rather than static; or choose another bond mode for the host",
        );
    }
    found(
        Cause::NetworkDiffers,
        format!("the third boot runs, and its network is not what was asked: {told}"),
        "check that the VLAN is assigned at the switch for this machine's ports, that the MACs are right, and that the switch speaks LACP on them",
    )
}
