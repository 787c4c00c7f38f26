#!/usr/bin/env bash
# Programs that others wrote and that speak on real machines with the server, or beside it with the provider: the installer,
# Zincati and Afterburn.
source tests/parts/common.bash
need gcc libc6-dev curl gnupg libfaketime jq util-linux

COREOS_INSTALLER=$(bash tests/parts/coreos-installer.sh)
ZINCATI=$(bash tests/parts/zincati.sh)
AFTERBURN=$(bash tests/parts/afterburn.sh)
AFTERBURN_UNITS=$(bash tests/parts/afterburn.sh units)
export COREOS_INSTALLER ZINCATI AFTERBURN AFTERBURN_UNITS
build_server

step "coreos-installer: download from the mirror"
cargo_test_feature peers
step "Afterburn: the check-in with the provider"
cargo_test_feature afterburn
# Zincati's machines are mount namespaces: the test binary runs as root, cargo does not.
[[ $(id -u) -eq 0 ]] || export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER='sudo -E'
step "Zincati: steady-state, stage, pre-reboot, finalize"
cargo_test_feature zincati
