#!/usr/bin/env bash
# Format, lints, every test that needs neither root nor QEMU, shell scripts, dependencies.
source tests/parts/common.bash
need gcc libc6-dev git shellcheck

step "cargo fmt"
cargo fmt --all --check
step "cargo clippy"
cargo clippy --workspace --all-targets --all-features --quiet -- -D warnings

build_server
step "cargo test"
# Random histories: a few suffice while one works, this many must hold.
export THIRDBOOT_HISTORIES=${THIRDBOOT_HISTORIES:-100000}
references=$(mktemp)
trap 'rm -f "$references"' EXIT
# Insta lists in this file every snapshot that a test looked at.
INSTA_UPDATE=no INSTA_SNAPSHOT_REFERENCES_FILE=$references cargo test --workspace
step "snapshots that no test looks at"
bash tests/parts/snapshots.sh "$references"

step "shellcheck"
mapfile -t scripts < <(git ls-files | xargs grep -lE '^#!.*\b(sh|bash)\b|^# shellcheck shell=' --)
shellcheck --external-sources --source-path=SCRIPTDIR "${scripts[@]}"
step "shellcheck of what hosts run"
cargo_test_feature shellcheck

step "dependencies"
bash tests/parts/dependencies.sh
