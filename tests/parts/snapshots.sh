#!/usr/bin/env bash
# Fails when a snapshot waits for review or no test looked at it.
#
#   snapshots.sh REFERENCES     the file that insta wrote during a whole `cargo test`
set -euo pipefail
references=$1

pending=$(git ls-files --others --cached -- '*.snap.new')
if [[ -n $pending ]]; then
  printf 'snapshots that wait for review:\n%s\n' "$pending" >&2
  exit 1
fi
looked_at=$(while read -r file; do realpath -m --relative-to=. "$file"; done <"$references" | sort -u)
unreferenced=$(comm -13 <(echo "$looked_at") <(git ls-files -- '*.snap' | sort -u))
if [[ -n $unreferenced ]]; then
  printf 'snapshots that no test looks at (remove them):\n%s\n' "$unreferenced" >&2
  exit 1
fi
