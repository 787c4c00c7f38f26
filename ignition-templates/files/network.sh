#!/bin/bash
# Third boot: reports the network as the kernel sees it until the server says that it is what was asked.
#   thirdboot-network --facts    prints it once instead
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"

# Ports of a bond, from its own words: name, link, permanent MAC and the LACP partner of each.
ports() {
    awk '
        /^Slave Interface:/ { name = $3; link[name] = "down"; names[++count] = name; partner = 0 }
        name && /^MII Status:/ { link[name] = $3 }
        name && /^Permanent HW addr:/ { mac[name] = $4 }
        /^ *details partner lacp pdu:/ { partner = 1 }
        name && partner && /^ *system mac address:/ { lacp[name] = $4; partner = 0 }
        END { for (at = 1; at <= count; at++) { n = names[at]; print n, mac[n], link[n], lacp[n] } }' "$1" |
        jq --raw-input --slurp --compact-output '[split("\n")[] | select(. != "") | split(" ")
            | {name: .[0], mac: .[1], link: (.[2] == "up"), partner: (.[3] // "" | select(. != ""))}]'
}

facts() {
    local bonding=$root/proc/net/bonding/bond0 ports='[]'
    if [[ -e $bonding ]]; then ports=$(ports "$bonding"); fi
    ip -json -details address show | jq --argjson ports "$ports" '
        [.[] | select(.linkinfo.info_kind? == "bond") | {name: .ifname, mode: .linkinfo.info_data.mode}] as $bonds
        | {
            bond: ($bonds[0] // null),
            ports: $ports,
            vlans: [.[] | select(.linkinfo.info_kind? == "vlan")
                | {id: .linkinfo.info_data.id, parent: .link, up: (.operstate == "UP"), mtu}],
            addresses: [.[] | .ifname as $interface | .addr_info[]? | select(.scope == "global" and (.tentative | not))
                | {$interface, address: "\(.local)/\(.prefixlen)"}],
            mtu: (first(.[] | select(.ifname == ($bonds[0].name // empty)) | .mtu)
                // first(.[] | select(.link_type == "ether" and .operstate == "UP") | .mtu) // null),
        }'
}

if [[ ${1:-} == --facts ]]; then
    facts
    exit
fi
if [[ $(cat "$runtime/kind") != layered-boot ]]; then exit 0; fi

# LACP takes about six seconds, DHCP and duplicate address detection a little: what changed is said at once, what did
# not is said again every minute.
said='' since=0
while :; do
    now=$(facts)
    if [[ $now != "$said" ]] || ((SECONDS - since >= 60)); then
        printf '%s\n' "$now" >"$runtime/network.json"
        thirdboot-report network --facts "$runtime/network.json"
        said=$now since=$SECONDS
    fi
    case $(stage) in
    networked | joining | ready) break ;;
    esac
    if is_over; then exit 0; fi
    pause 5
done
