#!/usr/bin/env bash
# Builds the real coreos-installer, once, and prints where it is.
#
#   coreos-installer.sh         prints the program's path
#   coreos-installer.sh source  prints the folder of what its crate carries: its units, its generator and its scripts
source tests/parts/common.bash
source tests/parts/peer.bash

version=0.27.0
build_peer coreos-installer "$version" 2 'scripts systemd' liblzma-dev libzstd-dev >&2
case ${1:-program} in
program) echo "$THIRDBOOT_CACHE/coreos-installer-$version/bin/coreos-installer" ;;
source) echo "$THIRDBOOT_CACHE/coreos-installer-$version/source" ;;
*)
  echo "coreos-installer.sh: 'source' or nothing, not '$1'" >&2
  exit 2
  ;;
esac
