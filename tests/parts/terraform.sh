#!/usr/bin/env bash
# The real terraform with the provider, the real server and simulated machines. No network but loopback.
source tests/parts/common.bash
need gcc libc6-dev

if ! command -v "${THIRDBOOT_TERRAFORM:-terraform}" >/dev/null; then
  cat >&2 <<'END'
no terraform: this part runs the real one, 1.11 or newer. It is one file: get the zip for this machine from HashiCorp's
download page, unpack it into /usr/local/bin, or name the file in THIRDBOOT_TERRAFORM.
END
  exit 1
fi

build_server
step "$("${THIRDBOOT_TERRAFORM:-terraform}" version | head -n 1)"
cargo_test_feature terraform
