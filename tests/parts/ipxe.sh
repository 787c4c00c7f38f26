#!/usr/bin/env bash
# A virtual machine with a real iPXE against the real server.
source tests/parts/common.bash
source tests/parts/kernel.bash
need gcc libc6-dev qemu-system-x86 ipxe-qemu ovmf seabios busybox-static

test_kernel
build_server
step "real iPXE"
# One machine at a time: two cores carry no more.
cargo_test_feature ipxe --test-threads 1
