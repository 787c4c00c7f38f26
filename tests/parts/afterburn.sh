#!/usr/bin/env bash
# Builds the real Afterburn, once, and prints where it is.
#
#   afterburn.sh        prints the program's path
#   afterburn.sh units  prints the folder of its systemd units, as the crate carries them
source tests/parts/common.bash
source tests/parts/peer.bash

version=5.11.0
build_peer afterburn "$version" 1 systemd >&2
case ${1:-program} in
program) echo "$THIRDBOOT_CACHE/afterburn-$version/bin/afterburn" ;;
units) echo "$THIRDBOOT_CACHE/afterburn-$version/source/systemd" ;;
*)
  echo "afterburn.sh: 'units' or nothing, not '$1'" >&2
  exit 2
  ;;
esac
