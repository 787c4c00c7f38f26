#!/usr/bin/env bash
# Machines on a network of their own: a real dnsmasq with deploy/dnsmasq.conf gives them their address and the way to
# the real server. Needs root, /dev/net/tun and network namespaces.
source tests/parts/common.bash
source tests/parts/kernel.bash
need gcc libc6-dev qemu-system-x86 ipxe ipxe-qemu ovmf seabios busybox-static dnsmasq-base iproute2 util-linux
[[ -e /dev/net/tun ]] || { echo "no /dev/net/tun: modprobe tun" >&2; exit 1; }

test_kernel
build_server
step "real dnsmasq and real iPXE"
# The test binary, not cargo, runs in a namespace without any network but its own.
runner='unshare --net'
[[ $(id -u) -eq 0 ]] || runner="sudo -E $runner"
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER=$runner
cargo_test_feature dhcp --test-threads 1
