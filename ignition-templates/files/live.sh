#!/bin/bash
# Reports that the live system runs, and which machine this is.
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"

jq --null-input --argjson dmi "$(dmi)" --argjson macs "$(macs)" '{$dmi, $macs}' >"$runtime/live.json"
thirdboot-report live --facts "$runtime/live.json" --for 60
