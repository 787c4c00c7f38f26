//! The kernel's packet filter, in a network namespace of its own. Needs root and Debian's package `nftables`.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

/// A node with a VLAN and an uplink, and a neighbour on each, in namespaces that die with the script. A packet that is
/// let through to a port where nobody listens is refused at once; one that is dropped is never answered.
const TRY: &str = r#"
set -euo pipefail
nft --check --file "$1"
# Loaded twice is loaded once.
nft --file "$1"
nft --file "$1"
[[ $(nft list ruleset | grep --count 'table inet thirdboot') == 1 ]]
unshare --net sleep 60 &
trap 'kill $!' EXIT
until [[ $(readlink "/proc/$!/ns/net") != "$(readlink /proc/self/ns/net)" ]]; do :; done
at_neighbour() { nsenter --target "$!" --net "$@"; }
ip link add bond0.1234 type veth peer name vlan netns "$!"
ip link add bond0 type veth peer name uplink netns "$!"
for link in lo bond0.1234 bond0; do ip link set "$link" up; done
ip address add 198.51.100.1/24 dev bond0.1234
ip address add 203.0.113.1/24 dev bond0
at_neighbour ip link set vlan up
at_neighbour ip link set uplink up
at_neighbour ip address add 198.51.100.2/24 dev vlan
at_neighbour ip address add 203.0.113.2/24 dev uplink
for place in lo:127.0.0.1 vlan:198.51.100.1 uplink:203.0.113.1; do
    for port in 22 2379 2380 6443 10250; do
        from=at_neighbour
        if [[ $place == lo:* ]]; then from=; fi
        status=0
        $from timeout 3 bash -c "</dev/tcp/${place#*:}/$port" 2>/dev/null || status=$?
        case $status in
        1) echo "${place%%:*} $port open" ;;
        124) echo "${place%%:*} $port closed" ;;
        *) echo "${place%%:*} $port ended with $status" ;;
        esac
    done
done
"#;

/// Loads a ruleset with the real `nft`, and says of each way in and port whether a packet gets through: lines such as
/// `uplink 10250 closed`.
///
/// # Errors
/// When nft refuses it, or the namespaces cannot be made.
pub async fn ways_in(ruleset: &Path) -> Result<Vec<String>> {
    let run = Command::new("unshare")
        .args(["--net", "bash", "-c", TRY, "firewall"])
        .arg(ruleset)
        .stdin(Stdio::null())
        .output()
        .await
        .context("unshare (package util-linux)")?;
    let said = String::from_utf8_lossy(&run.stderr);
    ensure!(run.status.success(), "{said}");
    Ok(String::from_utf8(run.stdout)?.lines().map(str::to_owned).collect())
}
