#!/usr/bin/env bash
# Programs that others wrote and that speak with the server on real machines: the installer and Zincati.
source tests/parts/common.bash
need gcc libc6-dev gnupg libfaketime jq util-linux

COREOS_INSTALLER=$(bash tests/parts/coreos-installer.sh)
ZINCATI=$(bash tests/parts/zincati.sh)
export COREOS_INSTALLER ZINCATI
build_server

step "coreos-installer: download from the mirror"
cargo_test_feature peers
# Zincati's machines are mount namespaces: the test binary runs as root, cargo does not.
[[ $(id -u) -eq 0 ]] || export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER='sudo -E'
step "Zincati: steady-state, stage, pre-reboot, finalize"
cargo_test_feature zincati
