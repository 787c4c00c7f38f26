#!/usr/bin/env bash
# A virtual machine with a real iPXE against the real server.
source tests/parts/common.bash
need gcc libc6-dev qemu-system-x86 ipxe-qemu ovmf seabios busybox-static

THIRDBOOT_KERNEL=$THIRDBOOT_CACHE/kernel/vmlinuz
export THIRDBOOT_KERNEL
if [[ ! -f $THIRDBOOT_KERNEL ]]; then
  step "Debian's small kernel, once"
  refresh_packages
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  package=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" { print $2; exit }')
  (cd "$folder" && apt-get download -qq "$package")
  mkdir -p "$THIRDBOOT_CACHE/kernel"
  dpkg-deb --fsys-tarfile "$folder"/*.deb | tar -x -C "$folder" --wildcards './boot/vmlinuz-*'
  mv "$folder"/boot/vmlinuz-* "$THIRDBOOT_KERNEL"
fi

build_server
step "real iPXE"
# One machine at a time: two cores carry no more.
cargo_test_feature ipxe --test-threads 1
