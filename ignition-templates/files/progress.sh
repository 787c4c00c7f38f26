#!/bin/bash
# Reports how far the installer is, in steps of five percent. Ends with the live system.
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"

last=-5
while ! is_over; do
    percent=$(journalctl --boot --unit coreos-installer.service --output cat --lines 20 |
        sed --quiet 's/^.*Read .* (\([0-9]\{1,3\}\)%).*$/\1/p' | tail -n 1)
    if [[ -n $percent ]] && ((percent <= 100 && percent >= last + 5)); then
        thirdboot-report installing --percent "$percent" --for 5
        last=$percent
    fi
    if ((last >= 96)); then exit 0; fi
    pause 3
done
