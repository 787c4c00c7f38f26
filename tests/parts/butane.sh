#!/usr/bin/env bash
# crates/butane, and `thirdboot butane`, against a folder of cases with Butane's own output:
# BUTANE_CASES, or ../shared/butane-cases beside the checkout.
source tests/parts/common.bash
need gcc libc6-dev python3

cases=${BUTANE_CASES:-../shared/butane-cases}
if [[ ! -d $cases ]]; then
  echo "no folder $cases: set BUTANE_CASES to the folder of Butane cases" >&2
  exit 1
fi
cases=$(realpath "$cases")
bash crates/butane/tests/conformance.sh "$cases"

build_server
step "thirdboot butane"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$cases/compare.py" --cases "$cases/cases.tar.gz" --extract "$work" >/dev/null
python3 "$cases/compare.py" --cases "$work/cases" --strict-flag=--strict \
  --cmd "$THIRDBOOT_BIN butane {files} {input}"
