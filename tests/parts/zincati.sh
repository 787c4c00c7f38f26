#!/usr/bin/env bash
# Builds the real Zincati, once, and prints where the program is.
#
# A library for other parts as well: its standard output is only the path.
source tests/parts/common.bash

version=0.0.32
root=$THIRDBOOT_CACHE/zincati-$version

build() {
  # Whoever comes second waits for the first.
  mkdir -p "$root"
  exec 9>"$root/lock"
  flock 9
  [[ ! -x $root/bin/zincati ]] || return 0
  need gcc libc6-dev pkg-config libssl-dev libostree-dev
  step "building zincati $version, once (4 to 10 minutes on two cores)"
  local target
  target=$(mktemp -d "$THIRDBOOT_CACHE/zincati-target.XXXXXX")
  # shellcheck disable=SC2064  # the folder's name is known now
  trap "rm -rf '$target'" EXIT
  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 \
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_STRIP=true \
    nice cargo install --quiet --locked "zincati@$version" --root "$root" --target-dir "$target"
}

build >&2
echo "$root/bin/zincati"
