#!/usr/bin/env bash
# Licences, bans, sources and duplicates of all dependencies; advisories where their database
# can be had. The rules are in deny.toml.
source tests/parts/common.bash

version=0.20.2
deny=$THIRDBOOT_CACHE/cargo-deny-$version/bin/cargo-deny
if [[ ! -x $deny ]]; then
  step "building cargo-deny $version, once"
  # Unoptimised: it builds in a minute or two, and checks this graph in a second.
  CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug "cargo-deny@$version" \
    --root "$THIRDBOOT_CACHE/cargo-deny-$version" --target-dir "$THIRDBOOT_CACHE/cargo-deny-target"
  rm -rf "$THIRDBOOT_CACHE/cargo-deny-target"
fi

"$deny" --all-features check bans licenses sources
if timeout 120 "$deny" fetch db >"$THIRDBOOT_CACHE/advisories.log" 2>&1; then
  "$deny" --all-features check --disable-fetch advisories
else
  echo "!! ADVISORIES NOT CHECKED: the advisory database cannot be fetched from here:" >&2
  tail -n 3 "$THIRDBOOT_CACHE/advisories.log" | sed 's/^/!!   /' >&2
fi
