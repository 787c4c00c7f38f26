#!/usr/bin/env bash
# The packages: an unpacked Debian in $work/tree. Kept as one file, since it is what takes longest.
set -euo pipefail
: "${work:?}"

packages=(
  systemd systemd-sysv udev dbus kmod util-linux passwd login procps
  linux-image-cloud-amd64 ignition dracut-core
  network-manager iproute2 iputils-ping nftables curl ca-certificates jq
  # What the installer and the disk check call.
  gdisk fdisk e2fsprogs dosfstools lvm2 mdadm gpg gpg-agent gpgv zstd xz-utils cpio
  # The stand-in for rpm-ostree installs real packages.
  rpm
  # That for k3s makes certificates and serves by them.
  openssl
)
kept=$THIRDBOOT_CACHE/metal-tree-$(printf '%s\n' "${packages[@]}" | sha256sum | cut -c 1-12).tar
if [[ ! -f $kept ]]; then
  rm -f "$THIRDBOOT_CACHE"/metal-tree-*.tar
  mmdebstrap --quiet --format=tar --variant=minbase --include="$(IFS=, && echo "${packages[*]}")" \
    --aptopt='Apt::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    bookworm "$kept.new"
  mv "$kept.new" "$kept"
fi
mkdir "$work/tree"
tar -C "$work/tree" --exclude='./dev/*' -xf "$kept"
