#!/bin/bash
# Runs before the installer: finds the disk, asks for the right to write it, wipes what the permit names. The installer
# starts only if this ends well.
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"

disks=$runtime/disks.json disk=$runtime/disk.json question=$runtime/claim.json answer=$runtime/claimed.json

# Those disks that the permit names, or all eligible ones. Slow controllers bring their disks late.
find_disk() {
    local tries
    for tries in 1 2 3 4 5 6; do
        udevadm settle || true
        thirdboot-disks >"$disks"
        jq --slurpfile plan "$plan" '
            def is_named($by): .path == $by or (.links | index($by)) != null or .serial == $by or .wwn == $by;
            [.[] | if $plan[0].disk then select(is_named($plan[0].disk))
                else select(.size_bytes >= 8589934592 and (.removable or .read_only | not)) end]' "$disks" >"$runtime/found.json"
        if [[ $(jq length "$runtime/found.json") != 0 ]]; then return; fi
        echo "no disk yet (look $tries of 6)" >&2
        pause 10
    done
}

# The disks of a file, for a person.
listed() {
    jq --raw-output 'map("\(.path) (\(.size_bytes / 1000000000 | floor) GB, serial \(.serial // "unknown"))") | join(", ")
        | if . == "" then "none at all" else . end' "$1"
}

find_disk
case $(jq length "$runtime/found.json") in
0) fail "$(jq --raw-output '.disk // "no eligible disk" | "\(.): no such disk; "' "$plan")this machine has $(listed "$disks")" ;;
1) jq '.[0]' "$runtime/found.json" >"$disk" ;;
*) fail "several disks could be meant, arm with one of them: $(listed "$runtime/found.json")" ;;
esac

jq --null-input --argjson run "$THIRDBOOT_RUN" --arg boot_id "$(boot_id)" --argjson dmi "$(dmi)" \
    --argjson macs "$(macs)" --slurpfile disk "$disk" --slurpfile disks "$disks" \
    '{$run, $boot_id, $dmi, $macs, disk: $disk[0], disks: $disks[0]}' >"$question"

wait=1 said=
while :; do
    status=$(api /v1/claim "$question" "$answer")
    case $status in
    200)
        if [[ $(field "$answer" granted) != true ]]; then fail "the claim was answered 200 without being granted"; fi
        break
        ;;
    409)
        if [[ $(field "$answer" type) == */already-installed ]]; then
            echo "this run is installed already: booting the disk" >&2
            touch "$runtime/leaving"
            systemctl --no-block reboot
            # The installer starts only after a good end: there is none, until the shutdown ends this.
            pause infinity
            exit 1
        fi
        fail "the claim was refused: $(field "$answer" detail)"
        ;;
    000 | 408 | 429 | 5??)
        # A new install of a machine that was ready waits for its turn to be away.
        if [[ $(field "$answer" type) == */not-yet ]]; then
            detail=$(field "$answer" detail)
            if [[ $detail != "$said" ]]; then thirdboot-report note --message "waiting to claim: $detail"; fi
            said=$detail
        fi
        echo "no answer to the claim, status $status: again in $wait s" >&2
        pause "$wait"
        wait=$((wait * 2 > 30 ? 30 : wait * 2))
        ;;
    *) fail "the claim was answered $status: $(field "$answer" detail)" ;;
    esac
done

# The server looked at this too; a disk that carries a newer install of this host is worth a second look.
if jq --exit-status --argjson run "$THIRDBOOT_RUN" --arg host "$THIRDBOOT_HOST" \
    '.previous != null and .previous.host == $host and .previous.run >= $run' "$disk" >/dev/null; then
    fail "the disk carries run $(jq .previous.run "$disk") of this host and this is run $THIRDBOOT_RUN: not writing"
fi

# Only disks that the permit's wipe names.
jq --raw-output --slurpfile plan "$plan" '
    def is_named($by): .path == $by or (.links | index($by)) != null or .serial == $by or .wwn == $by;
    .[] | select(. as $disk | any($plan[0].wipe[]; . as $by | $disk | is_named($by))) | .path' "$disks" |
    while read -r named; do
        lsblk --noheadings --list --output PATH,TYPE "$named" | while read -r node type; do
            if [[ $type == part ]]; then wipefs --all --force "$node"; fi
        done
        wipefs --all --force "$named"
        udevadm settle || true
    done

# JSON is YAML; the installer reads every file of this folder when it starts.
jq '{"dest-device": .path}' "$disk" >"$root/etc/coreos/installer.d/60-thirdboot-disk.yaml"
echo "granted, attempt $(field "$answer" attempt) of $(field "$answer" of): $(jq --raw-output .path "$disk")" >&2
