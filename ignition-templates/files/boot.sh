#!/bin/bash
# Runs at every boot of the installed system: says which boot this is.
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"

# What an earlier boot could not say comes first, and may show that this machine is ready.
thirdboot-report --send --for 20 || true

facts=
for _ in 1 2 3 4 5 6; do
    facts=$(deployment) && [[ -n $facts ]] && break
    pause 10
done
if [[ -z $facts ]]; then fail "rpm-ostree does not say what is booted"; fi

# With packages, the booted deployment alone says whether layering is done: a stamp would outlive a staged deployment
# that a power cut discards. With none there is nothing to lack, so the boot that said `layered` is remembered.
if [[ -e $state/ready ]]; then
    kind=booted
elif [[ $(jq '.missing | length' <<<"$facts") != 0 ]]; then
    kind=first-boot
elif [[ ! -s $etc/packages && $(cat "$state/layered-in" 2>/dev/null || boot_id) == "$(boot_id)" ]]; then
    kind=first-boot
else
    kind=layered-boot
fi
printf '%s\n' "$kind" >"$runtime/kind"

if [[ $kind == booted ]]; then
    thirdboot-network --facts >"$runtime/network.json" || echo '{}' >"$runtime/network.json"
    jq --argjson facts "$facts" '. + $facts' "$runtime/network.json" >"$runtime/boot.json"
    begin_updates
else
    jq 'del(.missing)' <<<"$facts" >"$runtime/boot.json"
fi
thirdboot-report "$kind" --facts "$runtime/boot.json"

# A run that was given up is over, the machine is not: it is still worth observing.
if is_over && [[ $kind != booted ]]; then thirdboot-report booted --facts "$runtime/boot.json"; fi
