#!/bin/bash
# Runs after the installer: marks the disk as this run's, then says that it is installed.
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"

disk=$runtime/disk.json

# The new boot file system, as soon as udev has read the new partition table.
boot=
for _ in 1 2 3 4 5 6 7 8 9 10; do
    udevadm settle || true
    boot=$(lsblk --json --output PATH,TYPE,LABEL "$(jq --raw-output .path "$disk")" |
        jq --raw-output 'first(.. | objects | select(.type? == "part" and .label? == "boot") | .path) // empty')
    if [[ -n $boot ]]; then break; fi
    pause 3
done
if [[ -z $boot ]]; then fail "the installer left no file system labelled boot"; fi

# In place before the first boot: an older database can so never wipe this install.
at=$runtime/boot
mkdir -p "$at"
mount "$boot" "$at"
mkdir -p "$at/thirdboot"
jq --compact-output '{host, run}' "$plan" >"$at/thirdboot/install.json.new"
mv "$at/thirdboot/install.json.new" "$at/thirdboot/install.json"
# The installer's service carries the live command line's network over to the first boot, and makes that boot wait for
# it. Its config lies on the disk: it needs none before its root is up.
if [[ -e $at/ignition.firstboot ]]; then : >"$at/ignition.firstboot"; fi
sync --file-system "$at/thirdboot/install.json"
umount "$at"

# shellcheck source=/dev/null
live_version=$(. "$root/etc/os-release" && printf '%s' "${OSTREE_VERSION:-${VERSION_ID:-}}")
jq --null-input --slurpfile plan "$plan" --slurpfile disk "$disk" --arg live "$live_version" \
    --arg config "$(sha256sum "$etc/installed.ign" | cut -d ' ' -f 1)" '{
        image: ($plan[0].image // "embedded"),
        version: (if $plan[0].image then $plan[0].version else $live end),
        disk_serial: $disk[0].serial,
        config_sha256: $config,
    }' >"$runtime/installed.json"

# The next boot says it all again, so a server that is away does not keep the machine here for ever.
thirdboot-report installed --facts "$runtime/installed.json"
thirdboot-report --send --for 900 || true
