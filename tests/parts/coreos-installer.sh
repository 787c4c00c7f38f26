#!/usr/bin/env bash
# Builds the real coreos-installer, once, and prints where it is.
#
#   coreos-installer.sh         prints the program's path
#   coreos-installer.sh source  prints the folder of the crate's source: its units, its
#                               generator and its scripts
#
# A library for other parts as well: their standard output is only the path.
source tests/parts/common.bash

version=0.27.0
root=$THIRDBOOT_CACHE/coreos-installer-$version

build() {
  # Whoever comes second waits for the first.
  mkdir -p "$root"
  exec 9>"$root/lock"
  flock 9
  [[ ! -x $root/bin/coreos-installer || ! -f $root/source/systemd/coreos-installer.service ]] ||
    return 0
  need gcc libc6-dev pkg-config libssl-dev liblzma-dev libzstd-dev
  step "building coreos-installer $version, once (4 to 10 minutes on two cores)"
  local target
  target=$(mktemp -d "$THIRDBOOT_CACHE/coreos-installer-target.XXXXXX")
  # shellcheck disable=SC2064  # the folder's name is known now
  trap "rm -rf '$target'" EXIT
  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 \
    CARGO_PROFILE_RELEASE_OPT_LEVEL=2 CARGO_PROFILE_RELEASE_STRIP=true \
    nice cargo install --quiet --locked "coreos-installer@$version" --root "$root" --target-dir "$target"
  # Cargo has just unpacked the crate: what it carries beside the program is installed with it.
  local sources=("${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"coreos-installer-$version")
  rm -rf "$root/source"
  mkdir "$root/source"
  cp -r "${sources[0]}/scripts" "${sources[0]}/systemd" "$root/source/"
}

build >&2
case ${1:-program} in
program) echo "$root/bin/coreos-installer" ;;
source) echo "$root/source" ;;
*)
  echo "coreos-installer.sh: 'source' or nothing, not '$1'" >&2
  exit 2
  ;;
esac
