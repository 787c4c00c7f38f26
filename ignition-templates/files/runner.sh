#!/bin/bash
# Third boot of a runner: it is ready when podman answers.
set -euo pipefail
# shellcheck source=lib.sh
. "${THIRDBOOT_ROOT:-}/usr/local/lib/thirdboot.sh"

if [[ $(cat "$runtime/kind") != layered-boot || -e $state/ready ]] || is_over; then exit 0; fi

if command -v getenforce >/dev/null && [[ $(getenforce) != Enforcing ]]; then
    fail "SELinux is $(getenforce), and a runner executes strangers' jobs: expected Enforcing"
fi

# By its socket, as the jobs' own client will ask.
for _ in {1..60}; do
    if version=$(podman --remote info --format '{{.Version.Version}}' 2>"$runtime/podman.log"); then
        be_ready "podman $version answers"
        exit 0
    fi
    pause 10
done
fail "podman did not answer within ten minutes: $(tail -n 1 "$runtime/podman.log")"
