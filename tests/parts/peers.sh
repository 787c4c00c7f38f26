#!/usr/bin/env bash
# The mirror, as the real coreos-installer sees it.
source tests/parts/common.bash
need gcc libc6-dev

COREOS_INSTALLER=$(bash tests/parts/coreos-installer.sh)
export COREOS_INSTALLER
build_server
step "coreos-installer"
cargo_test_feature peers
