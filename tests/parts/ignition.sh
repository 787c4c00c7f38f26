#!/usr/bin/env bash
# What the server renders, checked by the real ignition-validate and applied by the real
# Ignition to a directory tree.
source tests/parts/common.bash
need busybox-static createrepo-c curl gcc gnupg jq libc6-dev ignition iproute2 nftables openssl passwd rpm systemd util-linux

build_server
step "real Ignition"
# Mount namespaces, chown and useradd: the test binary runs as root, cargo does not.
[[ $(id -u) -eq 0 ]] || export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER='sudo -E'
cargo_test_feature ignition
step "what Ignition made boots on: real packages, stand-ins for rpm-ostree and k3s"
cargo test --quiet --workspace --features thirdboot-tests/ignition --test standins
step "real Ignition and curl over HTTPS"
cargo test --quiet --workspace --features thirdboot-tests/ignition --test https
