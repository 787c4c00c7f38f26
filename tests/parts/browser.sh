#!/usr/bin/env bash
# The pages in a real browser: Debian's chromium against the real server with simulated machines.
#
#   browser.sh                  every story
#   browser.sh --screenshots    makes pictures of every page in target/screenshots instead
source tests/parts/common.bash

screenshots=''
for option; do
  case $option in
  --screenshots) screenshots=1 ;;
  *)
    echo "browser: no option '$option'; there is --screenshots" >&2
    exit 2
    ;;
  esac
done

need gcc libc6-dev chromium chromium-driver fonts-dejavu-core
# Whoever has Node from elsewhere has an npm that Debian's package does not go with.
command -v npm >/dev/null || need npm

axe=4.14.1
THIRDBOOT_AXE=$THIRDBOOT_CACHE/axe-core-$axe/node_modules/axe-core/axe.min.js
export THIRDBOOT_AXE
if ! [[ -f $THIRDBOOT_AXE ]]; then
  step "axe-core $axe, once"
  npm install --silent --no-audit --no-fund --prefix "$THIRDBOOT_CACHE/axe-core-$axe" "axe-core@$axe"
fi

build_server
# One browser at a time: two cores carry no more.
if [[ $screenshots ]]; then
  THIRDBOOT_SCREENSHOTS=$(realpath -m "${CARGO_TARGET_DIR:-target}/screenshots")
  export THIRDBOOT_SCREENSHOTS
  step "pictures"
  cargo_test_feature browser --test-threads 1 --ignored
  echo "browser: the pictures are in $THIRDBOOT_SCREENSHOTS"
else
  step "stories"
  cargo_test_feature browser --test-threads 1
fi
