#!/usr/bin/env bash
# crates/butane against a folder of cases with their expected Ignition: BUTANE_CASES, or
# ../shared/butane-cases beside the checkout.
source tests/parts/common.bash
need gcc libc6-dev python3

cases=${BUTANE_CASES:-../shared/butane-cases}
if [[ ! -d $cases ]]; then
  echo "no folder $cases: set BUTANE_CASES to the folder of Butane cases" >&2
  exit 1
fi
bash crates/butane/tests/conformance.sh "$(realpath "$cases")"
