#!/bin/bash
# Gives the uplink what the provider's DHCP leaves out, by its metadata: the private IPv4 with the route into the
# provider's own network, and IPv6 with its default route. They are kept in the connection profile ($1), so that a boot
# without the metadata service has them, too.
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"

profile=$1
answer=$runtime/metadata.json

fetch() {
    curl --silent --show-error --fail --proto '=http,https' --connect-timeout 5 --max-time 20 --output "$answer" \
        "$(<"$etc/metadata-url")"
}

# One address a line: family, address with its prefix length, gateway. The public IPv4 is DHCP's.
addresses() {
    jq --raw-output '.network.addresses[]?
        | select(.enabled != false) | select((.public and .address_family == 4) | not)
        | select([.address, .gateway] | all(type == "string" and test("^[0-9A-Fa-f:.]+$")))
        | select((.cidr | type) == "number")
        | "\(.address_family) \(.address)/\(.cidr) \(.gateway) \(if .public then "public" else "private" end)"' "$answer"
}

# What the profile says of one of its settings, a value a line.
has() {
    nmcli --escape no --get-values "$1" connection show "$profile" | tr ',' '\n' | sed -E 's/^ +| +$//g' | grep -Fxq -- "$2"
}

# k3s gives its pods and services these unless it was told others: an address in there would be a pod's.
is_of_k3s() {
    [[ -e $root/usr/local/bin/thirdboot-join && $1 =~ ^10\.4[23]\. ]]
}

for try in {1..30}; do
    if fetch; then break; fi
    if ((try == 30)); then fail "the provider's metadata service did not answer within five minutes"; fi
    pause 10
done

changes=() passed=()
while read -r family address gateway kind; do
    if is_of_k3s "$address"; then
        passed+=("$address")
        continue
    fi
    if ! has "ipv$family.addresses" "$address"; then changes+=("+ipv$family.addresses" "$address"); fi
    case $family-$kind in
    4-private)
        if ! has ipv4.routes "10.0.0.0/8 $gateway"; then changes+=(+ipv4.routes "10.0.0.0/8 $gateway"); fi
        ;;
    6-public)
        if ! has ipv6.gateway "$gateway"; then changes+=(ipv6.method manual ipv6.gateway "$gateway"); fi
        ;;
    esac
done < <(addresses)

if ((${#passed[@]})); then
    thirdboot-report note --message "the provider's private address ${passed[*]} lies in k3s' own networks and was left out: give the cluster other CIDRs"
fi
if ((${#changes[@]})); then
    nmcli connection modify "$profile" "${changes[@]}"
    device=$(nmcli --get-values GENERAL.DEVICES connection show "$profile")
    nmcli device reapply "$device"
fi
