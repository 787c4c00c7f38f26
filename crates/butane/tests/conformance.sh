#!/bin/sh
# Compares this crate with Butane itself over a folder of cases: inputs with Butane's own output, exit code and report.
#
#   conformance.sh DIR    DIR holds compare.py and cases.tar.gz, or the cases unpacked (DIR/cases)
#
# All valid and invalid cases must agree, and at least 95 of 100 reports.
set -eu

dir=${1:?"usage: conformance.sh DIR"}
[ -d "$dir" ] || { echo "no such folder: $dir" >&2; exit 1; }
[ -f "$dir/compare.py" ] || { echo "no compare.py in $dir" >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --quiet --release --package thirdboot-butane --features cli --manifest-path "$here/../Cargo.toml" \
    --message-format=json-render-diagnostics >"$work/build.json"
program=$(sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' "$work/build.json" | tail -n 1)
[ -x "$program" ] || { echo "the build made no program" >&2; exit 1; }

# The cases are prepared in place (links, modes), so they are copied first.
cases=$work/cases
if [ -d "$dir/cases" ]; then
    cp -R "$dir/cases" "$cases"
elif [ -f "$dir/cases.tar.gz" ]; then
    python3 "$dir/compare.py" --cases "$dir/cases.tar.gz" --extract "$work" >/dev/null
else
    echo "neither cases nor cases.tar.gz in $dir" >&2
    exit 1
fi

command="$program {files} {input}"
python3 "$dir/compare.py" --cases "$cases" --cmd "$command" --strict-flag=--strict
python3 "$dir/compare.py" --cases "$cases" --cmd "$command" --report --json "$work/report.json" || true
python3 - "$work/report.json" <<'PYTHON'
import json, sys
results = json.load(open(sys.argv[1]))
agree = sum(result["ok"] for result in results)
print("reports that agree: %d of %d" % (agree, len(results)))
sys.exit(0 if results and agree >= 0.95 * len(results) else 1)
PYTHON
