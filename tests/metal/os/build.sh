#!/usr/bin/env bash
# Builds the stand-in for Fedora CoreOS: a live system, a disk image and the documents that
# describe them, all of it from Debian's packages and the crate coreos-installer.
#
#   build.sh FOLDER     FOLDER is made anew; it appears whole or not at all
#
# What it is made of, and where it differs from the real thing, is in docs/metal.md.
source tests/parts/common.bash

out=$(realpath -m "$1")
recipe=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
standins=$(realpath "$recipe/../standins")
work=$(mktemp -d "$THIRDBOOT_CACHE/metal-work.XXXXXX")
trap 'rm -rf "$work"' EXIT
installer=$(bash tests/parts/coreos-installer.sh)
installer_source=$(bash tests/parts/coreos-installer.sh source)

# Like Fedora's: the release that it is made of, a date, and a number of its own.
version=12.20260901.99.0
export version work recipe standins installer installer_source

mkdir "$work/out"
for part in packages tree system initramfs live disk stream; do
  step "stand-in OS: $part"
  bash "$recipe/$part.sh"
done
rm -rf "$out"
mv "$work/out" "$out"
