#!/bin/bash
# Reports disks, network cards and DMI, and reboots. Writes to no disk.
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"

udevadm settle || true
thirdboot-disks >"$runtime/disks.json"
jq --null-input --argjson dmi "$(dmi)" --argjson macs "$(macs)" --slurpfile disks "$runtime/disks.json" \
    '{inspection: true, $dmi, $macs, disks: $disks[0]}' >"$runtime/inspection.json"
thirdboot-report note --message "inspection" --facts "$runtime/inspection.json"
# Nothing was touched, so there is no hurry. 3: the run is over, nobody waits for this any more.
until thirdboot-report --send --for 600 || (($? == 3)); do pause 10; done
pause 30
systemctl --no-block reboot
