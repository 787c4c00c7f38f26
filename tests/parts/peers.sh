#!/usr/bin/env bash
# Programs that others wrote and that speak with the server on real machines.
source tests/parts/common.bash

need libfaketime jq util-linux
ZINCATI=$(bash tests/parts/zincati.sh)
export ZINCATI

build_server
# Zincati's machines are mount namespaces: the test binary runs as root, cargo does not.
[[ $(id -u) -eq 0 ]] || export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER='sudo -E'
step "Zincati: steady-state, stage, pre-reboot, finalize"
cargo_test_feature zincati
