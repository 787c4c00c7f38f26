#!/usr/bin/env bash
# Builds the real Afterburn, once, and prints where it is.
#
#   afterburn.sh        prints the program's path
#   afterburn.sh units  prints the folder of its systemd units, as the crate carries them
#
# A library for other parts as well: their standard output is only the path.
source tests/parts/common.bash

version=5.11.0
root=$THIRDBOOT_CACHE/afterburn-$version

build() {
  # Whoever comes second waits for the first.
  mkdir -p "$root"
  exec 9>"$root/lock"
  flock 9
  [[ ! -x $root/bin/afterburn || ! -d $root/systemd ]] || return 0
  need gcc libc6-dev pkg-config libssl-dev
  step "building afterburn $version, once (10 to 20 minutes on two cores)"
  local target
  target=$(mktemp -d "$THIRDBOOT_CACHE/afterburn-target.XXXXXX")
  # shellcheck disable=SC2064  # the folder's name is known now
  trap "rm -rf '$target'" EXIT
  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 \
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_STRIP=true \
    nice cargo install --quiet --locked "afterburn@$version" --root "$root" --target-dir "$target"
  # Cargo has just unpacked the crate: the units that it carries are installed with it.
  local sources=("${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"afterburn-$version")
  cp -r "${sources[0]}/systemd" "$root/"
}

build >&2
case ${1:-program} in
program) echo "$root/bin/afterburn" ;;
units) echo "$root/systemd" ;;
*)
  echo "afterburn.sh: 'units' or nothing, not '$1'" >&2
  exit 2
  ;;
esac
