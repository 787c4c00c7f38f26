#!/usr/bin/env bash
# How long 200 hosts take in one apply, in an empty plan and in a destroy, with release binaries; beside them 200
# resources of Terraform's own, which ask nobody.
#
#   bash tests/bench/terraform.sh [HOSTS]
#
# THIRDBOOT_BIN names a server that is built already; the provider is beside it.
set -euo pipefail
if [[ -n ${THIRDBOOT_BIN:-} ]]; then THIRDBOOT_BIN=$(realpath "$THIRDBOOT_BIN"); fi
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export THIRDBOOT_BENCH=terraform THIRDBOOT_BENCH_HOSTS=${1:-200}
if [[ -z ${THIRDBOOT_BIN:-} ]]; then
  cargo build --release --quiet -p thirdboot -p thirdboot-terraform-provider
  THIRDBOOT_BIN=$(realpath "${CARGO_TARGET_DIR:-target}/release/thirdboot")
fi
export THIRDBOOT_BIN
cargo test --quiet -p thirdboot-tests --features terraform --test terraform -- --test-threads 1 --nocapture two_hundred |
  grep -oE '[0-9]+ (hosts|of terraform_data), .*'
