# What the parts share. Sourced from the top of the repository.
# shellcheck shell=bash
set -euo pipefail

# Runs a command as root.
as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "needs root for: $*" >&2
    return 1
  fi
}

# Installs the Debian packages that are missing.
need() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if ! command -v apt-get >/dev/null; then
    echo "install these first (no apt-get here to do it): ${missing[*]}" >&2
    return 1
  fi
  echo "-- installing ${missing[*]}"
  refresh_packages
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
}

# Reads the package lists, at most once in twelve hours.
refresh_packages() {
  local stamp=$THIRDBOOT_CACHE/apt-updated
  [[ -n $(find "$stamp" -mmin -720 2>/dev/null) && -n $(ls /var/lib/apt/lists) ]] ||
    { as_root apt-get update -qq && touch "$stamp"; }
}

# Says what is being done.
step() {
  echo "-- $*"
}

# Builds everything once, the way the tests use it, and names the server's binary.
build_server() {
  step "cargo build"
  # With the tests: their dependencies' features would otherwise make a second build.
  cargo build --workspace --bins --tests --quiet
  local target=${CARGO_TARGET_DIR:-target}
  THIRDBOOT_BIN=$(realpath "$target/debug/thirdboot")
  export THIRDBOOT_BIN
}

# Runs the test targets of one of tests/'s features.
cargo_test_feature() {
  local feature=$1
  shift
  cargo test --quiet --workspace --features "thirdboot-tests/$feature" --test "$feature" -- "$@"
}
