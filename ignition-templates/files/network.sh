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
            | {name: .[0], mac: .[1], link: (.[2] == "up"), partner: .[3]} | map_values(select(. != "" and . != null))]'
}

# Routes over a next hop, as [{to, via}].
routes() {
    local family
    for family in 4 6; do
        ip "-$family" -json route show | jq --compact-output --arg family "$family" '
            {"4": ["0.0.0.0/0", "/32"], "6": ["::/0", "/128"]}[$family] as [$all, $one]
            | [.[] | select(.gateway) | {
                to: (.dst | if . == "default" then $all elif contains("/") then . else . + $one end),
                via: .gateway,
            }]'
    done | jq --slurp --compact-output 'add // []'
}

# Whether a neighbour answers, and a packet of full size that must not be cut, too. One of those on each interface will
# do; prints the worst interface, or null where nobody is known.
peer() {
    local address interface mtu header rank
    declare -A best=() facts=()
    while read -r address; do
        if [[ -z $address ]]; then continue; fi
        interface=$(ip -json route get "$address" 2>/dev/null | jq --raw-output '.[0].dev // empty') || interface=
        if [[ ${best[$interface.]:-0} == 2 ]]; then continue; fi
        mtu=$(ip -json link show dev "$interface" 2>/dev/null | jq '.[0].mtu // 1500') || mtu=1500
        if [[ $address == *:* ]]; then header=48; else header=28; fi
        rank=0
        if ping -n -q -c 1 -W 2 "$address" >/dev/null 2>&1; then rank=1; fi
        if ((rank)) && ping -n -q -c 1 -W 2 -M "do" -s $((mtu - header)) "$address" >/dev/null 2>&1; then rank=2; fi
        if ((rank >= ${best[$interface.]:-0})); then
            best[$interface.]=$rank
            facts[$interface.]=$(jq --null-input --compact-output --arg address "$address" \
                --arg interface "$interface" --argjson mtu "$mtu" --argjson rank "$rank" '
                {$address, $interface, reached: ($rank > 0), full_size: ($rank > 1), $mtu}
                | map_values(select(. != ""))')
        fi
    done <"$1"
    if ((${#facts[@]})); then
        printf '%s\n' "${facts[@]}" | jq --slurp --compact-output 'min_by([.reached, .full_size])'
    else
        echo null
    fi
}

facts() {
    local bonding=$root/proc/net/bonding/bond0 ports='[]' peer=null port
    if [[ -e $bonding ]]; then ports=$(ports "$bonding"); fi
    if [[ -s $etc/peers ]]; then peer=$(peer "$etc/peers"); fi
    # The one port of a host without a bond.
    port=$(sed --quiet 's/^mac-address=//p' "$root/etc/NetworkManager/system-connections/uplink.nmconnection" 2>/dev/null) || port=
    ip -json -details address show | jq --argjson ports "$ports" --argjson routes "$(routes)" --argjson peer "$peer" \
        --arg port "${port,,}" '
        [.[] | select(.linkinfo.info_kind? == "bond") | {name: .ifname, mode: .linkinfo.info_data.mode}] as $bonds
        | {
            bond: ($bonds[0] // null),
            ports: $ports,
            vlans: [.[] | select(.linkinfo.info_kind? == "vlan")
                | {id: .linkinfo.info_data.id, parent: .link, up: (.operstate == "UP"), mtu}],
            addresses: [.[] | .ifname as $interface | .addr_info[]? | select(.scope == "global" and (.tentative | not))
                | {$interface, address: "\(.local)/\(.prefixlen)"}],
            routes: $routes,
            mtu: (first(.[] | select(.ifname == ($bonds[0].name // empty)) | .mtu)
                // first(.[] | select(.address == $port and .link == null) | .mtu)
                // first(.[] | select(.link_type == "ether" and .operstate == "UP") | .mtu) // null),
            peer: $peer,
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
