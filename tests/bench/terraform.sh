#!/usr/bin/env bash
# How long 200 hosts take in one apply, in an empty plan and in a destroy, with release binaries; beside them 200
# resources of Terraform's own, which ask nobody.
#
#   bash tests/bench/terraform.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

cargo build --release --quiet -p thirdboot -p thirdboot-terraform-provider
THIRDBOOT_BIN=$(realpath "${CARGO_TARGET_DIR:-target}/release/thirdboot")
export THIRDBOOT_BIN
cargo test --quiet -p thirdboot-tests --features terraform --test terraform -- --test-threads 1 --nocapture two_hundred |
  grep -oE '200 (hosts|of terraform_data), .*'
