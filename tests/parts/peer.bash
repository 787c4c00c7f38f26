# Programs of others, built from their published crates: once, into the cache. Sourced after common.bash by scripts
# whose standard output is only a path.
# shellcheck shell=bash

# Builds a crate, and lays folders that the crate carries into `source` beside `bin`.
#
#   build_peer CRATE VERSION LEVEL "FOLDER…" PACKAGE…
#
# LEVEL is how much the compiler optimises; PACKAGEs of Debian are needed beside a linker and OpenSSL. All of it is in
# $THIRDBOOT_CACHE/CRATE-VERSION then.
build_peer() {
  local crate=$1 version=$2 level=$3 folders folder target
  read -ra folders <<<"$4"
  local root=$THIRDBOOT_CACHE/$crate-$version
  mkdir -p "$root"
  # Whoever comes second waits for the first.
  exec 9>"$root/lock"
  flock 9
  if [[ -x $root/bin/$crate && -d $root/source ]]; then return 0; fi
  need gcc libc6-dev pkg-config libssl-dev "${@:5}"
  step "building $crate $version, once (4 to 12 minutes on two cores)"
  target=$(mktemp -d "$THIRDBOOT_CACHE/$crate-target.XXXXXX")
  # shellcheck disable=SC2064  # the folder's name is known now
  trap "rm -rf '$target'" EXIT
  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 \
    CARGO_PROFILE_RELEASE_OPT_LEVEL=$level CARGO_PROFILE_RELEASE_STRIP=true \
    nice cargo install --quiet --locked "$crate@$version" --root "$root" --target-dir "$target"
  # Cargo has just unpacked the crate.
  local sources=("${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"$crate-$version")
  rm -rf "$root/source" "$root/source.new"
  mkdir "$root/source.new"
  for folder in "${folders[@]}"; do cp -r "${sources[0]}/$folder" "$root/source.new/"; done
  mv "$root/source.new" "$root/source"
}
