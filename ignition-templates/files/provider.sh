#!/bin/bash
# Tells the provider how it went, by the URLs that its metadata service names: user state, and at ready the phone home
# that makes its page show the machine as up. Nothing here is waited for long, and nothing fails by it.
#
#   thirdboot-provider ready|failed MESSAGE
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"

# The provider takes codes from 1000 to 1099.
case $1 in
ready) told=succeeded code=1000 ;;
failed) told=failed code=1001 ;;
*) echo "expected ready or failed" >&2 && exit 2 ;;
esac

ask() {
    curl --silent --show-error --fail --proto '=http,https' --connect-timeout 5 --max-time 20 --retry 2 --retry-delay 1 "$@"
}

ask --output "$runtime/metadata.json" "$(<"$etc/metadata-url")"

# A secret that a message might hold stays here.
message=$(printf '%s' "${2:-}" | LC_ALL=C tr -c '\40-\176' ' ' | sed -E 's/tb_([a-z]+)_[a-z2-7]+/tb_\1_***/g')
if url=$(field "$runtime/metadata.json" user_state_url) && [[ -n $url ]]; then
    jq --null-input --compact-output --arg state "$told" --argjson code "$code" --arg message "${message:0:200}" \
        '{$state, $code, $message}' >"$runtime/user-state.json"
    ask --output /dev/null --header 'Content-Type: application/json' --data-binary "@$runtime/user-state.json" "$url" ||
        echo "the provider did not take the state $told" >&2
fi
if [[ $1 == ready ]] && url=$(field "$runtime/metadata.json" phone_home_url) && [[ -n $url ]]; then
    # As Afterburn's check-in says it: with no body, and no word of its length.
    ask --output /dev/null --request POST --header 'Content-Type: application/json' "$url" ||
        echo "the provider did not take the phone home" >&2
fi
