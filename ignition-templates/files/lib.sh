# shellcheck shell=bash
# What every Thirdboot script on this machine shares. Sourced by them as /usr/local/lib/thirdboot.sh, never run.
# THIRDBOOT_ROOT is empty on a machine; tests set it to a folder.

root=${THIRDBOOT_ROOT:-}
etc=$root/etc/thirdboot
state=$root/var/lib/thirdboot
runtime=$root/run/thirdboot
# shellcheck disable=SC2034 # used by those who source this
plan=$etc/plan.json

umask 077
mkdir -p "$state/queue" "$runtime"

# THIRDBOOT_URL, THIRDBOOT_SECRET, THIRDBOOT_RUN, THIRDBOOT_HOST and perhaps THIRDBOOT_CA. Not exported: what is
# started from here must not find the secret in its environment.
# shellcheck source=/dev/null
. "$etc/reporter.env"

boot_id() {
    cat "$root/proc/sys/kernel/random/boot_id"
}

# Posts the file $2 to the path $1, keeps the answer's body in the file $3, prints its status: 000 when none came.
# The secret goes to curl on its standard input, so that it never stands in a command line.
api() {
    local answer status ca=()
    answer=$3
    : >"$answer"
    if [[ -n ${THIRDBOOT_CA:-} ]]; then ca=(--cacert "$root$THIRDBOOT_CA"); fi
    status=$(printf 'header = "Authorization: Bearer %s"\n' "$THIRDBOOT_SECRET" |
        curl --config - --silent --show-error --connect-timeout 10 --max-time 60 "${ca[@]}" \
            --header 'Content-Type: application/json' --data-binary "@$2" \
            --output "$answer" --write-out '%{http_code}' "$THIRDBOOT_URL$1") || status=000
    printf '%s\n' "${status:-000}"
}

# A field of a problem document or other answer; empty when there is none.
field() {
    jq --raw-output --arg key "$2" '.[$key]? // empty | tostring' "$1" 2>/dev/null || true
}

# The stage of the run, as the server last said it.
stage() {
    cat "$runtime/stage" 2>/dev/null || true
}

# Whether the server said that this run is over.
is_over() {
    [[ -e $runtime/over ]]
}

# Ends the script. The unit's OnFailure= reports the reason.
fail() {
    printf '%s\n' "$*" >"$runtime/why"
    printf '%s\n' "$*" >&2
    exit 1
}

# Seconds, cut short in tests.
pause() {
    sleep "${THIRDBOOT_PAUSE:-$1}"
}

# MACs of the network cards, as a JSON list. Virtual interfaces have no device; InfiniBand's addresses are no MACs.
macs() {
    local nic
    for nic in "$root"/sys/class/net/*; do
        if [[ -e $nic/device && $(<"$nic/type") == 1 ]]; then cat "$nic/address"; fi
    done | sort -u | jq --raw-input . | jq --slurp --compact-output .
}

# Serial, UUID and product of the machine, as a JSON object without what it does not state.
dmi() {
    local dir=$root/sys/class/dmi/id serial uuid product
    serial=$(cat "$dir/product_serial" 2>/dev/null) || serial=
    uuid=$(cat "$dir/product_uuid" 2>/dev/null) || uuid=
    product=$(cat "$dir/product_name" 2>/dev/null) || product=
    jq --null-input --compact-output --arg serial "$serial" --arg uuid "$uuid" --arg product "$product" \
        '{$serial, $uuid, $product} | map_values(select(. != ""))'
}

# The booted deployment: version, checksum, and which of the wanted packages it lacks.
deployment() {
    local want
    want=$(jq --raw-input . "$etc/packages" | jq --slurp --compact-output 'map(select(. != ""))')
    rpm-ostree status --json | jq --compact-output --argjson want "$want" '
        .deployments[] | select(.booted) | {
            os_version: .version,
            deployment: .checksum,
            missing: ($want - (."requested-packages" // []) - (.packages // [])),
        }'
}

# Reports `ready` until the server has it, then lets updates begin.
be_ready() {
    # From then on nobody does any of it again: what this machine became is on its disk first.
    sync
    thirdboot-report ready --message "$1"
    until [[ -e $state/ready ]]; do
        if is_over; then fail "the run is over: the server does not take this machine as ready"; fi
        thirdboot-report --send --for 60 || pause 5
        # Sent and not taken, an earlier report having been lost: say it again.
        if [[ ! -e $state/ready ]]; then pause 30 && thirdboot-report ready --message "$1"; fi
    done
    tell_provider ready "$1"
    begin_updates
}

# Tells the provider how it went, where its metadata service answers this machine.
tell_provider() {
    if [[ -e $etc/metadata-url ]]; then thirdboot-provider "$@" || true; fi
}

# Zincati was off until the machine was ready.
begin_updates() {
    local conf=$root/etc/zincati/config.d
    local off=$conf/90-disable-updates.toml strategy=$conf/55-updates-strategy.toml
    if [[ ! -e $off ]]; then return; fi
    # Where its lock is, is a secret: Zincati's own group may read it, nobody else.
    if [[ -e $etc/zincati.toml ]]; then
        if ! { cp "$etc/zincati.toml" "$strategy.new" && chgrp zincati "$strategy.new" && chmod 0640 "$strategy.new" &&
            mv "$strategy.new" "$strategy"; }; then
            rm -f "$strategy.new"
            thirdboot-report note --message "updates stay off: there is no group zincati to read where their lock is"
            return
        fi
    fi
    rm "$off"
    systemctl --no-block restart zincati.service || true
}

# Whether this machine does what it is for in this boot: its node is Ready, or its podman answers. The cluster may speak
# of the boot before for a while. The kubelet's own credentials may read its own node, on servers and agents alike.
is_well() {
    local node='{.status.nodeInfo.bootID} {.status.conditions[?(@.type=="Ready")].status}'
    if [[ -e $root/etc/rancher/k3s/config.yaml ]]; then
        [[ $(k3s kubectl --kubeconfig "$root/var/lib/rancher/k3s/agent/kubelet.kubeconfig" \
            get node "$THIRDBOOT_HOST" --output "jsonpath=$node" 2>/dev/null) == "$(boot_id) True" ]]
    elif [[ -e $root/usr/local/bin/thirdboot-runner ]]; then
        podman info >/dev/null 2>&1
    fi
}

# Asks for the reboot lock (`pre-reboot`) or gives it back (`steady-state`), keeps the answer's body in the file $2, prints
# its status. The URL is a secret: curl has it from its standard input.
lock() (
    # shellcheck source=/dev/null
    . "$etc/lock.env"
    status='' ca=()
    : >"$2"
    if [[ -n ${THIRDBOOT_CA:-} ]]; then ca=(--cacert "$root$THIRDBOOT_CA"); fi
    body=$(jq --null-input --compact-output --arg id "$THIRDBOOT_LOCK_ID" --arg group "$THIRDBOOT_LOCK_GROUP" \
        '{client_params: {$id, $group}}')
    status=$(printf 'url = "%s/fleetlock/%s/v1/%s"\n' "$THIRDBOOT_URL" "$THIRDBOOT_LOCK" "$1" |
        curl --config - --silent --show-error --connect-timeout 10 --max-time 60 "${ca[@]}" \
            --header 'fleet-lock-protocol: true' --header 'thirdboot-reason: monthly' --data-binary "$body" \
            --output "$2" --write-out '%{http_code}') || status=000
    printf '%s\n' "${status:-000}"
)
