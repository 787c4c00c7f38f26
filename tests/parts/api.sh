#!/usr/bin/env bash
# Schemathesis against the running server with hosts on their way.
source tests/parts/common.bash
need gcc libc6-dev python3 python3-venv

version=4.32.5
folder=$THIRDBOOT_CACHE/schemathesis-$version
THIRDBOOT_SCHEMATHESIS=$folder/bin/schemathesis
export THIRDBOOT_SCHEMATHESIS
if ! [[ -x $THIRDBOOT_SCHEMATHESIS ]]; then
  step "schemathesis $version, once"
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
fi

build_server
step "schemathesis"
cargo_test_feature api --nocapture
