#!/bin/bash
# Begins with its group's window: takes the reboot lock and reboots, unless this machine has booted this month.
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"
# shellcheck source=/dev/null
. "$etc/lock.env"

answer=$runtime/lock.json
booted=$(sed --quiet 's/^btime //p' "$root/proc/stat")
if [[ $(date --utc --date "@$booted" +%Y-%m) == $(date --utc +%Y-%m) ]]; then
    echo "booted this month: nothing to do" >&2
    exit 0
fi

over=$((SECONDS + THIRDBOOT_WINDOW_MINUTES * 60))
said=
while :; do
    status=$(lock pre-reboot "$answer")
    value=$(field "$answer" value)
    case $status in
    200) break ;;
    400 | 403 | 404) fail "no monthly reboot: the reboot lock was refused, status $status: $value" ;;
    esac
    # Its group does not want it any more, which this system was installed with.
    if [[ $(field "$answer" kind) == monthly_off ]]; then
        thirdboot-report note --message "no monthly reboot: $value"
        exit 0
    fi
    if [[ $value != "$said" ]]; then echo "waiting to reboot, status $status: $value" >&2; fi
    said=$value
    if ((SECONDS + 30 > over)); then
        # Who waits no more says so: others are next, and a node that was being drained gets its pods back.
        still="; its place in the queue was not given back"
        for _ in {1..20}; do
            case $(lock steady-state "$answer") in 2??) still='' && break ;; 000 | 5??) pause 30 ;; *) break ;; esac
        done
        thirdboot-report note --message "no monthly reboot: the window is over (${said:-no answer})$still"
        exit 0
    fi
    pause 30
done

thirdboot-report note --message "rebooting, as once a month" || true
thirdboot-report --send --for 30 || true
touch "$runtime/leaving"
systemctl --no-block reboot
