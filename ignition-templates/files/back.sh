#!/bin/bash
# Every boot of a ready machine: waits until it does again what it is for, then gives its reboot lock back, if it has
# one. Zincati would do that as soon as it starts, and not at all where it is off.
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"

answer=$runtime/lock.json

tries=0
until is_well; do
    tries=$((tries + 1))
    if ((tries == 60)); then thirdboot-report note --message "up, and not well: its reboot lock is kept"; fi
    pause 10
done

while :; do
    status=$(lock steady-state "$answer")
    case $status in
    200) exit 0 ;;
    # A secret that was taken back, or another name than at the install: nothing changes by asking.
    400 | 403 | 404) fail "the reboot lock is not given back, status $status: $(field "$answer" value)" ;;
    esac
    echo "the reboot lock is not given back yet, status $status: $(field "$answer" value)" >&2
    pause 30
done
