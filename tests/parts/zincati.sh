#!/usr/bin/env bash
# Builds the real Zincati, once, and prints where the program is.
source tests/parts/common.bash
source tests/parts/peer.bash

version=0.0.32
build_peer zincati "$version" 1 '' libostree-dev >&2
echo "$THIRDBOOT_CACHE/zincati-$version/bin/zincati"
