#!/bin/bash
# Says something to Thirdboot: queues it on disk, then sends what is queued, in order.
#
#   thirdboot-report EVENT [--percent N] [--message TEXT] [--facts FILE] [--log FILE] [--for SECONDS]
#   thirdboot-report --send [--for SECONDS]
#
# The first form ends well once the report is safe on disk, sent or not; the second fails with 75 while something is
# left, and with 3 when the run is over.
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"

# More than this waiting, and what will be said again anyway is not queued.
many=50

event='' percent='' message='' facts=/dev/null log=/dev/null patience=20
while (($#)); do
    case $1 in
    --send) event=send ;;
    --percent) percent=$2 && shift ;;
    --message) message=${2:0:1000} && shift ;;
    --facts) facts=$2 && shift ;;
    --log) log=$2 && shift ;;
    --for) patience=$2 && shift ;;
    -*) echo "unknown option $1" >&2 && exit 2 ;;
    *) event=$1 ;;
    esac
    shift
done

# Oldest first: names are numbers of one width.
queued() {
    find "$state/queue" -name '*.json' | sort
}

# (run, boot_id, seq) names a report, so seq starts anew with each boot: it is kept where a reboot clears it.
enqueue() {
    local seq last place
    exec 8>"$runtime/queue.lock"
    flock 8
    seq=$(($(cat "$runtime/seq" 2>/dev/null || echo 0) + 1))
    last=$(queued | tail -n 1)
    last=${last##*/}
    place=$state/queue/$(printf '%09d' $((10#0${last%.json} + 1)))
    jq --null-input --compact-output --argjson run "$THIRDBOOT_RUN" --arg boot_id "$(boot_id)" --argjson seq "$seq" \
        --arg at "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" --arg event "$event" --arg percent "$percent" \
        --arg message "$message" --slurpfile facts "$facts" --rawfile log "$log" '
        {$run, $boot_id, $seq, $at, $event}
        + if $percent == "" then {} else {percent: ($percent | tonumber)} end
        + if $message == "" then {} else {$message} end
        + if $log == "" then {} else {$log} end
        + if $facts == [] then {} else {facts: $facts[0]} end' >"$place.new"
    # The number first: a gap is harmless, a number used twice loses a report.
    printf '%s\n' "$seq" >"$runtime/seq"
    mv "$place.new" "$place.json"
    sync "$place.json" "$state/queue"
    exec 8>&-
}

# Sends in order; stops at the first report that must wait.
send() {
    local file status wait=1 until=$((SECONDS + patience)) answer=$runtime/answer.json
    exec 9>"$runtime/send.lock"
    flock --wait "$patience" 9 || return 75
    while file=$(queued | sed --quiet 1p) && [[ -n $file ]]; do
        status=$(api /v1/report "$file" "$answer")
        case $status in
        200)
            field "$answer" stage >"$runtime/stage"
            # Before the report is forgotten: a power cut in between must not lose that we are ready.
            if [[ $(stage) == ready ]]; then touch "$state/ready" && sync "$state/ready" "$state"; fi
            rm "$file"
            wait=1
            ;;
        409)
            echo "report refused: $(field "$answer" detail)" >&2
            rm "$file"
            if [[ $(field "$answer" type) == */run-over ]]; then
                touch "$runtime/over"
                find "$state/queue" -name '*.json' -delete
            fi
            ;;
        413 | 422)
            echo "report dropped, status $status: $(field "$answer" detail)" >&2
            rm "$file"
            ;;
        *)
            if ((SECONDS + wait > until)); then return 75; fi
            echo "report not taken, status $status: again in $wait s" >&2
            pause "$wait"
            wait=$((wait * 2 > 60 ? 60 : wait * 2))
            ;;
        esac
    done
    if is_over; then return 3; fi
}

case $event in
'') echo "what happened?" >&2 && exit 2 ;;
send)
    send
    exit
    ;;
installing | network | note)
    if (($(queued | wc -l) >= many)); then exit 0; fi
    ;;
esac
enqueue
send || true
