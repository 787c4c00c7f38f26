#!/usr/bin/env bash
# The unit as systemd sees it, the images as podman builds them, the compose file as YAML. Needs root for the images.
source tests/parts/common.bash
need systemd podman crun ca-certificates dnsmasq-base ipxe python3-yaml gcc libc6-dev curl

build_server
work=$(mktemp -d)
server=
end() {
  [[ -z $server ]] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap end EXIT

step "systemd-analyze: at most 2.0"
systemd-analyze security --offline=true --threshold=20 --no-pager deploy/thirdboot.service | tail -n 1
step "systemd-analyze verify"
mkdir "$work/unit"
sed "s#/usr/local/bin/thirdboot#$THIRDBOOT_BIN#" deploy/thirdboot.service >"$work/unit/thirdboot.service"
systemd-analyze verify --man=no "$work/unit/thirdboot.service"
step "what the unit starts"
# The same commands, on a settings file in place of the one in /etc.
printf 'data_dir = "%s/data"\nboot_listen = "127.0.0.1:0"\ncontrol_listen = "127.0.0.1:0"\n' "$work" >"$work/thirdboot.toml"
mapfile -t commands < <(sed -n 's/^ExecStart\(Pre\)\?=//p' deploy/thirdboot.service)
for command in "${commands[@]}"; do
  command=${command/\/usr\/local\/bin\/thirdboot/$THIRDBOOT_BIN}
  read -ra words <<<"${command/\/etc\/thirdboot\/thirdboot.toml/$work/thirdboot.toml}"
  if [[ ${words[1]} == serve ]]; then
    "${words[@]}" 2>"$work/log" &
    server=$!
  else
    "${words[@]}" >/dev/null
  fi
done
[[ -n $server ]] || { echo "the unit starts no server" >&2; exit 1; }
until [[ -e $work/data/endpoints.json ]]; do
  kill -0 "$server" || { cat "$work/log" >&2; exit 1; }
  sleep 0.2
done
kill -TERM "$server"
wait "$server"
server=

step "docker-compose.yml"
python3 - docker-compose.yml <<'PYTHON'
import sys, yaml
document = yaml.safe_load(open(sys.argv[1]))
services = document["services"]
assert services["thirdboot"]["network_mode"] == "host" and "profiles" not in services["thirdboot"]
assert services["dnsmasq"]["profiles"] == ["dhcp"] and services["dnsmasq"]["network_mode"] == "host"
for service in services.values():
    for volume in service["volumes"]:
        name = volume.split(":")[0]
        assert name.startswith("./") or name in document["volumes"], volume
PYTHON

step "images, from an empty base"
# A store of its own: what is built here is gone afterwards.
printf '[storage]\ndriver = "vfs"\nrunroot = "%s/run"\ngraphroot = "%s/graph"\n' "$work" "$work" >"$work/storage.conf"
strip -g -o "$work/thirdboot" "$THIRDBOOT_BIN"
as_root env CONTAINERS_STORAGE_CONF="$work/storage.conf" THIRDBOOT_BIN="$work/thirdboot" BUILDER=podman \
  deploy/build-images thirdboot dnsmasq >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }
# Inside the image's own files, as its own user: `podman run` wants more of the kernel than a test machine may give.
mounted=$(as_root env CONTAINERS_STORAGE_CONF="$work/storage.conf" podman image mount thirdboot:latest)
as_root chroot --userspec=65532:65532 "$mounted" /usr/local/bin/thirdboot --version
as_root chroot --userspec=65532:65532 "$mounted" /usr/local/bin/thirdboot config check --data-dir /var/lib/thirdboot >/dev/null
[[ $(stat -c %u:%a "$mounted/var/lib/thirdboot") == 65532:700 ]]
mounted=$(as_root env CONTAINERS_STORAGE_CONF="$work/storage.conf" podman image mount thirdboot-dnsmasq:latest)
as_root cp deploy/dnsmasq.conf "$mounted/etc/dnsmasq.conf"
# It wants random numbers, which a container has and a bare folder has not.
as_root mkdir -p "$mounted/dev"
# shellcheck disable=SC2016 # expanded by the inner shell
as_root unshare --mount bash -c 'mount --rbind /dev "$0/dev" &&
  exec chroot "$0" /usr/local/bin/dnsmasq --test --conf-file=/etc/dnsmasq.conf' "$mounted"
as_root env CONTAINERS_STORAGE_CONF="$work/storage.conf" podman image unmount --all >/dev/null
