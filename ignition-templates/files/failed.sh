#!/bin/bash
# Started by the OnFailure= of a unit ($1): reports it with the end of the journal. A live system then reboots.
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"

unit=$1
# A shutdown that was asked for ends units in the middle of their work: that is no failure.
if [[ -e $runtime/leaving ]]; then exit 0; fi

case $unit in
thirdboot-layer.service) event=layer-failed ;;
thirdboot-join.service | thirdboot-runner.service) event=join-failed ;;
coreos-installer.service | thirdboot-precheck.service | thirdboot-installed.service | thirdboot-inspect.service) event=install-failed ;;
*) event=note ;;
esac

# Ignition prints its whole config when it fails: lines that are JSON go, and so does every secret and overlong line.
clean() {
    LC_ALL=C sed -E 's/\x1b\[[0-9;]*[A-Za-z]//g' | LC_ALL=C tr -cd '\11\12\40-\176' |
        sed -E -e '/^([^ ]+ [^ ]+ [^ ]+:)? *([a-z]+\[[0-9]+\]: *)?([{}"]|[][],?$)/d' \
            -e 's/([Cc]onfig[^{]{0,20})\{.*$/\1{cut}/' -e 's/tb_([a-z]+)_[a-z2-7]+/tb_\1_***/g' -e 's/^(.{500}).*$/\1 (cut)/'
}

journalctl --boot --no-pager --output short-iso --lines 600 2>/dev/null | clean | tail -c 60000 >"$runtime/failed.log" || true
why=$(cat "$runtime/why" 2>/dev/null || true)
rm -f "$runtime/why"
thirdboot-report "$event" --message "${unit%.service}: ${why:-failed, see the log}" --log "$runtime/failed.log"
thirdboot-report --send --for 900 || true
if [[ $event != note ]]; then tell_provider failed "${unit%.service}: ${why:-failed, see the log}"; fi

if [[ $event == install-failed ]]; then
    # Time for a person at the console to read.
    pause 120
    touch "$runtime/leaving"
    systemctl --no-block reboot
fi
