#!/usr/bin/env bash
# The unit under a real systemd, the images as podman builds them, the compose file as it is run. Needs root.
source tests/parts/common.bash
need systemd podman crun ca-certificates dnsmasq-base ipxe python3-venv gcc libc6-dev curl util-linux iproute2 procps

build_server
work=$(mktemp -d)
trap 'as_root rm -rf "$work"' EXIT

step "systemd-analyze: at most 2.0"
systemd-analyze security --offline=true --threshold=20 --no-pager deploy/thirdboot.service | tail -n 1
step "systemd-analyze verify"
mkdir "$work/unit"
sed "s#/usr/local/bin/thirdboot#$THIRDBOOT_BIN#" deploy/thirdboot.service >"$work/unit/thirdboot.service"
systemd-analyze verify --man=no "$work/unit/thirdboot.service"
step "the unit, under a systemd of its own"
as_root bash tests/deploy/unit "$THIRDBOOT_BIN" "$work/systemd"

step "images, from an empty base"
# A store of its own: what is built here is gone afterwards.
printf '[storage]\ndriver = "vfs"\nrunroot = "%s/run"\ngraphroot = "%s/graph"\n' "$work" "$work" >"$work/storage.conf"
strip -g -o "$work/thirdboot" "$THIRDBOOT_BIN"
as_root env CONTAINERS_STORAGE_CONF="$work/storage.conf" THIRDBOOT_BIN="$work/thirdboot" BUILDER=podman \
  deploy/build-images thirdboot dnsmasq >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }
# Inside the image's own files, as its own user.
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

version=1.6.0
compose=$THIRDBOOT_CACHE/podman-compose-$version
if ! [[ -x $compose/bin/podman-compose ]]; then
  step "podman-compose $version, once"
  rm -rf "$compose"
  python3 -m venv "$compose"
  "$compose/bin/pip" install --quiet --disable-pip-version-check "podman-compose==$version"
fi
step "docker-compose.yml, up and down"
as_root env CONTAINERS_STORAGE_CONF="$work/storage.conf" tests/deploy/compose "$compose/bin/podman-compose" "$THIRDBOOT_BIN"
