#!/bin/bash
# Second boot: stages a deployment with the wanted packages, then reboots into it. Does nothing on any other boot.
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"

if [[ $(cat "$runtime/kind") != first-boot ]]; then exit 0; fi
thirdboot-report layering
# A run that was given up, as after too many rollbacks, stays as it is: staging and rebooting would go on for ever.
if is_over; then exit 0; fi

mapfile -t packages <"$etc/packages"
if ((${#packages[@]})); then
    # Repositories fail for minutes at a time; a conflict stays.
    for try in 1 2 3 4 5 6 7 8 9 10; do
        if rpm-ostree install -y --allow-inactive --idempotent "${packages[@]}" 2>&1 | tee "$runtime/layer.log"; then
            break
        elif ((try == 10)); then
            fail "rpm-ostree install failed ten times: $(tail -n 3 "$runtime/layer.log" | tr '\n' ' ')"
        fi
        thirdboot-report note --message "layering failed (try $try of 10): $(tail -n 1 "$runtime/layer.log")"
        pause $((try * 30))
    done
    # What boots next stands first; behind the booted one stands what a rollback would take.
    staged=$(rpm-ostree status --json | jq --raw-output '.deployments[0] | select(.booted | not) | .checksum')
    if [[ -z $staged ]]; then fail "rpm-ostree staged no deployment"; fi
else
    # Nothing to layer: the same deployment boots once more.
    staged=$(deployment | jq --raw-output .deployment)
    boot_id >"$state/layered-in"
    sync "$state/layered-in" "$state"
fi

jq --null-input --arg deployment "$staged" '{$deployment}' >"$runtime/layered.json"
thirdboot-report layered --facts "$runtime/layered.json"
thirdboot-report --send --for 120 || true
# An orderly shutdown: that is what finalises a staged deployment.
touch "$runtime/leaving"
systemctl --no-block reboot
