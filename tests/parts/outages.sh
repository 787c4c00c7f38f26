#!/usr/bin/env bash
# A full disk, a locked database and one that is gone, under the real server. Small file systems are mounted in a namespace of their own.
source tests/parts/common.bash
need gcc libc6-dev util-linux mount python3

build_server
step "outages"
runner='unshare --mount --propagation private'
[[ $(id -u) -eq 0 ]] || runner="sudo -E $runner"
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER=$runner
cargo_test_feature outages
