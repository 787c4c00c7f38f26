#!/bin/bash
# Third boot of a server or agent: asks to join, installs what the answer says, starts k3s, waits until the node is Ready.
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"

if [[ $(cat "$runtime/kind") != layered-boot || -e $state/ready ]] || is_over; then exit 0; fi

question=$runtime/join.json answer=$runtime/joined.json
jq --null-input --argjson run "$THIRDBOOT_RUN" --arg boot_id "$(boot_id)" '{$run, $boot_id}' >"$question"

# Whose turn it is, and why, is the server's to say.
said=
while :; do
    status=$(api /v1/join "$question" "$answer")
    case $status in
    200) break ;;
    409) fail "the join was refused: $(field "$answer" detail)" ;;
    503)
        detail=$(field "$answer" detail)
        if [[ $detail != "$said" ]]; then thirdboot-report note --message "waiting to join: $detail"; fi
        said=$detail
        wait=$(field "$answer" retry_after_s)
        if [[ ! $wait =~ ^[0-9]{1,3}$ ]]; then wait=15; fi
        pause "$wait"
        ;;
    *)
        echo "no answer to the join, status $status" >&2
        pause 10
        ;;
    esac
done

# Fetches $2 to $1 with the checksum $3 and the mode $4, unless it is there.
download() {
    local path=$root$1 try ca=()
    local folders='/usr/local/bin|/var/lib/rancher/k3s/server/manifests'
    if [[ ! $1 =~ ^($folders)/[a-z0-9][a-z0-9._-]*$ || ! $3 =~ ^[0-9a-f]{64}$ || ! $4 =~ ^0[0-7]{3}$ ]]; then
        fail "the join names a download that is not allowed: $1 $3 $4"
    fi
    if [[ ! $2 =~ ^https?://[^\"\\[:space:]]+$ ]]; then fail "the join names a URL that is none for $1"; fi
    # The pinned CA is this server's own; a release page has a public one.
    if [[ -n ${THIRDBOOT_CA:-} && $2 == "$THIRDBOOT_URL"/* ]]; then ca=(--cacert "$root$THIRDBOOT_CA"); fi
    mkdir -p "${path%/*}"
    for try in 1 2 3 4 5 6; do
        if sha256sum --check --status <<<"$3  $path" 2>/dev/null; then
            chmod "$4" "$path"
            return
        fi
        # The URL may carry a secret: it goes to curl on its standard input, not into a command line.
        printf 'url = "%s"\n' "$2" | curl --config - --silent --show-error --fail --location --connect-timeout 10 \
            --max-time 1800 "${ca[@]}" --output "$path.new" &&
            sha256sum --check --status <<<"$3  $path.new" && mv "$path.new" "$path" && continue
        rm -f "$path.new"
        thirdboot-report note --message "${1##*/} could not be fetched or has the wrong checksum (try $try of 6)"
        pause $((try * 10))
    done
    fail "$1 could not be fetched with the right checksum"
}

while IFS=$'\t' read -r path url sum mode; do
    download "$path" "$url" "$sum" "$mode" </dev/null
done < <(jq --raw-output '.downloads[]? | [.path, .url, .sha256, .mode] | @tsv' "$answer")

kind=$(field "$answer" kind)
mkdir -p "$root/etc/rancher/k3s"
if [[ $kind != none ]]; then
    jq --join-output '.config' "$answer" >"$root/etc/rancher/k3s/config.yaml"
fi
# It carries the cluster's token.
node=$(field "$answer" node_name)
rm "$answer"
thirdboot-report joining --message "$kind as $node"
if [[ $kind == none ]]; then
    be_ready "nothing to join"
    exit 0
fi

# Written before the layered policy existed.
if command -v restorecon >/dev/null; then restorecon -v "$root/usr/local/bin/k3s" || true; fi
# After a power cut an enabled k3s with an empty config would begin a cluster of its own.
sync
systemctl enable k3s.service
systemctl restart --no-block k3s.service

# The first server hands in the CA that the others pin, and the cluster's kubeconfig: again until somebody took it. The
# second time is refused, and means the same.
handed_in=
hand_in() {
    local certificate=$root/var/lib/rancher/k3s/server/tls/server-ca.crt kubeconfig=$root/etc/rancher/k3s/k3s.yaml status sum
    if [[ ! -s $certificate || ! -s $kubeconfig ]]; then return; fi
    sum=$(sha256sum <"$certificate")
    jq --null-input --argjson run "$THIRDBOOT_RUN" --arg boot_id "$(boot_id)" --rawfile kubeconfig "$kubeconfig" \
        --arg ca_sha256 "${sum%% *}" '{$run, $boot_id, $kubeconfig, $ca_sha256}' >"$runtime/cluster.json"
    status=$(api /v1/cluster "$runtime/cluster.json" "$answer")
    rm "$runtime/cluster.json"
    case $status in
    200) handed_in=yes ;;
    409) handed_in=yes && thirdboot-report note --message "handing in the cluster: $(field "$answer" detail)" ;;
    422) fail "the cluster was not taken: $(field "$answer" detail)" ;;
    *) echo "no answer to the hand-in, status $status" >&2 ;;
    esac
}

for try in {1..180}; do
    if [[ $kind == init && -z $handed_in ]]; then hand_in; fi
    if [[ $kind != init || -n $handed_in ]] && is_well; then
        be_ready "node $node is Ready"
        exit 0
    fi
    if ((try % 30 == 0)); then thirdboot-report note --message "k3s runs, node $node is not Ready yet"; fi
    pause 10
done
fail "node $node was not Ready within 30 minutes: $(systemctl is-active k3s.service || true)"
