#!/usr/bin/env bash
# The live system, laid out as Fedora CoreOS ships it: kernel, initramfs, and a rootfs that is a
# cpio with one squashfs in it, whose hash the initramfs knows. In $work/out/live.
set -euo pipefail
: "${work:?}"

live=$work/out/live
mkdir -p "$live" "$work/want/etc"
cp "$work"/tree/boot/vmlinuz-* "$live/kernel"

# lz4: what unpacks it is a processor in software.
mksquashfs "$work/system" "$work/root.squashfs" -comp lz4 -noappend -quiet -no-progress
(cd "$work" && echo root.squashfs | cpio --quiet --create --format newc --owner 0:0) >"$live/rootfs.img"

sha256sum "$live/rootfs.img" | cut -d ' ' -f 1 >"$work/want/etc/coreos-live-want-rootfs"
(cd "$work/want" && find . | cpio --quiet --create --format newc --owner 0:0) >"$work/want.cpio"
lz4 -q -l -9 "$work/initramfs.cpio" "$work/initramfs.lz4"
cat "$work/want.cpio" "$work/initramfs.lz4" >"$live/initramfs.img"
