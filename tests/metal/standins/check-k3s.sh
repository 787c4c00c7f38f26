#!/usr/bin/env bash
# Whether the stand-in for k3s keeps its promises. Runs itself in namespaces of its own (root): a
# network with nothing but loopback, and layers over /etc, /var/lib and /run that go with it.
set -euo pipefail

if [[ ${1:-} != inside ]]; then
  exec unshare --mount --net bash "$(realpath "${BASH_SOURCE[0]}")" inside
fi
k3s=$(dirname "${BASH_SOURCE[0]}")/k3s
layers=$(mktemp -d)
mount -t tmpfs layers "$layers"
for folder in /etc /var/lib; do
  mkdir -p "$layers$folder"/{upper,work}
  mount -t overlay -o "lowerdir=$folder,upperdir=$layers$folder/upper,workdir=$layers$folder/work" overlay "$folder"
done
mount -t tmpfs run /run
mkdir -p /etc/rancher/k3s
ip link set lo up
ip address add 192.0.2.1/24 dev lo
ip address add 192.0.2.2/24 dev lo

config() {
  install --mode 600 /dev/stdin /etc/rancher/k3s/config.yaml
}
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
# Runs an agent with the config on standard input, and wants this reason.
refused() {
  local said
  config
  if said=$(timeout 20 bash "$k3s" agent 2>&1); then fail "not refused: $1"; fi
  [[ $said == *"$1"* ]] || fail "wanted '$1', got: $said"
  echo "ok: $1"
}
is_ready() {
  bash "$k3s" kubectl --kubeconfig /var/lib/rancher/k3s/agent/kubelet.kubeconfig get node "$1" \
    --output 'jsonpath={.status.nodeInfo.bootID} {.status.conditions[?(@.type=="Ready")].status}'
}

config <<'END'
cluster-init: true
token: "server-token"
agent-token: "agent-token"
disable:
  - "servicelb"
node-name: "m1"
node-ip: "192.0.2.1"
END
bash "$k3s" server &
server=$!
trap 'kill $server; wait' EXIT
until [[ -f /run/k3s-standin/ready ]]; do
  kill -0 $server || fail "the first server ended"
  sleep 0.2
done
boot_id=$(cat /proc/sys/kernel/random/boot_id)
[[ $(is_ready m1) == "$boot_id True" ]] || fail "the first server is not Ready"
ca=/var/lib/rancher/k3s/server/tls/server-ca.crt
hash=$(sha256sum <$ca | cut -d ' ' -f 1)
[[ $(curl --silent --cacert $ca https://192.0.2.1:6443/cacerts | sha256sum) == "$hash"* ]] || fail "another CA is served"
[[ $(stat -c %a /etc/rancher/k3s/k3s.yaml) == 600 ]] || fail "the kubeconfig can be read"

# An agent's config: $1 its token, further lines on standard input.
agent() {
  printf 'server: "https://192.0.2.1:6443"\ntoken: "%s"\nnode-name: "m2"\n' "$1"
  cat
}
agent "K10$hash::node:wrong" <<<'node-ip: "192.0.2.2"' | refused "not authorized"
agent "K10${hash//[0-9]/0}::node:agent-token" <<<'node-ip: "192.0.2.2"' | refused "CA hash does not match"
agent "agent-token" <<<'node-ip: "192.0.2.2"' | refused "cannot be pinned"
agent "K10$hash::server:server-token" <<<'node-ip: "192.0.2.2"' | refused "joins no node"
agent "K10$hash::node:agent-token" </dev/null | refused "node-ip is missing"
agent "K10$hash::node:agent-token" <<<'node-ip: "192.0.2.3"' | refused "no address of this machine"
agent "K10$hash::node:agent-token" <<<$'node-ip: "192.0.2.2"\nflannel-iface: "bond0.9"' | refused "no interface bond0.9"
agent "K10$hash::node:agent-token" <<<$'node-ip: "192.0.2.2"\ndisable:\n  - "x"' | refused "does not know disable"
agent "K10$hash::node:agent-token" <<<$'node-ip: "192.0.2.2"\nnod-label: "x"' | refused "unknown flag: nod-label"

agent "K10$hash::node:agent-token" <<<'node-ip: "192.0.2.2"' | config
rm /run/k3s-standin/ready
bash "$k3s" agent &
agent=$!
trap 'kill $server $agent; wait' EXIT
until [[ $(is_ready m2 2>/dev/null) == "$boot_id True" ]]; do
  kill -0 $agent || fail "the agent ended"
  sleep 0.2
done
echo "ok: an agent joins"
