#!/usr/bin/env bash
# The mirror beside nginx: the same file, the same clients, one after the other.
#
#   tests/bench/mirror.sh [MIB]
#
# Each figure is the better of three runs of one server, interleaved with those of the other. The clients (curl) share the
# machine with the server that they ask. THIRDBOOT_BIN names a server that is built already: one with debug assertions
# says nothing.
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export THIRDBOOT_CACHE=${THIRDBOOT_CACHE:-${HOME:-/root}/.cache/thirdboot-tests}
mkdir -p "$THIRDBOOT_CACHE"
source tests/parts/common.bash
need nginx-light curl python3

mib=${1:-256}
binary=${THIRDBOOT_BIN:-}
if [[ -z $binary ]]; then
  step "cargo build --release"
  cargo build --release --quiet --package thirdboot
  binary=$(realpath "${CARGO_TARGET_DIR:-target}/release/thirdboot")
fi
work=$(mktemp -d)
server='' nginx=''
finish() {
  [[ -z $server ]] || kill "$server"
  [[ -z $nginx ]] || kill "$nginx"
  rm -rf "$work"
}
trap finish EXIT

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

head -c $((mib << 20)) /dev/urandom >"$work/file"
hash=$(sha256sum "$work/file" | cut -d' ' -f1)
boot=$(free_port) control=$(free_port) other=$(free_port)
"$binary" serve --data-dir "$work/data" --boot-listen "127.0.0.1:$boot" --control-listen "127.0.0.1:$control" \
  2>"$work/log" &
server=$!
until curl -sfo /dev/null "http://127.0.0.1:$control/readyz"; do sleep 0.1; done
THIRDBOOT_TOKEN_FILE=$work/data/admin-token "$binary" assets add "$work/file" --sha256 "$hash" \
  --endpoint "http://127.0.0.1:$control" >/dev/null

mkdir "$work/nginx"
cat >"$work/nginx.conf" <<CONF
daemon off;
worker_processes 2;
pid $work/nginx/pid;
error_log $work/nginx/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  server { listen 127.0.0.1:$other; root $work/data/assets/files; }
}
CONF
chmod -R a+rX "$work"
nginx -c "$work/nginx.conf" -p "$work/nginx" &
nginx=$!
until curl -sfo /dev/null -r 0-0 "http://127.0.0.1:$other/file"; do sleep 0.1; done

# Milliseconds for CLIENTS at once to fetch the file, each once.
run() {
  local clients=$1 url=$2 begin end pid pids=()
  begin=$(date +%s%N)
  for ((i = 0; i < clients; i++)); do
    curl -sfo /dev/null "$url" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || return 1; done
  end=$(date +%s%N)
  echo $(((end - begin) / 1000000))
}

ours=http://127.0.0.1:$boot/files/file theirs=http://127.0.0.1:$other/file
[[ $(curl -sf "$ours" | sha256sum | cut -d' ' -f1) == "$hash" ]]
printf '| clients | thirdboot | nginx | share |\n|---:|---:|---:|---:|\n'
for clients in 1 8 64; do
  best_ours=1000000000 best_theirs=1000000000
  for _ in 1 2 3; do
    took=$(run "$clients" "$ours")
    ((took >= best_ours)) || best_ours=$took
    took=$(run "$clients" "$theirs")
    ((took >= best_theirs)) || best_theirs=$took
  done
  total=$((clients * mib * 1000))
  printf '| %d | %d MiB/s | %d MiB/s | %d %% |\n' "$clients" $((total / best_ours)) $((total / best_theirs)) \
    $((100 * best_theirs / best_ours))
done
