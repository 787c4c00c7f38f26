#!/bin/bash
# One boot of an installed machine without systemd: the programs of its units, in their order, in a root of its own that
# is the tree which Ignition made, over this machine's.
#
#   unshare --mount --pid --fork --kill-child machine.sh FOLDER TREE BOOT_ID orderly|power-cut|stay
#
# FOLDER, on a file system that can be an overlay's upper one, keeps what was written from boot to boot.
set -euo pipefail
(($$ == 1)) || { echo "machine.sh: only as process 1 of namespaces of its own" >&2 && exit 1; }
folder=$1 tree=$2 boot_id=$3 end=$4
standins=$(dirname "${BASH_SOURCE[0]}")/../../metal/standins

mount --make-rprivate /
root=$folder/root
mkdir -p "$root" "$folder/upper" "$folder/work"
mount -t overlay -o "lowerdir=$tree:/,upperdir=$folder/upper,workdir=$folder/work" machine "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs run "$root/run"
printf '%s\n' "$boot_id" >"$folder/boot_id"
mount --bind "$folder/boot_id" "$root/proc/sys/kernel/random/boot_id"

# What Fedora CoreOS has and this machine has not, or has another of.
bin=/usr/lib/thirdboot-standin/bin
mkdir -p "$root$bin"
install --mode 755 "$standins/rpm-ostree" "$(dirname "${BASH_SOURCE[0]}")/systemctl" "$root$bin/"
echo '{"version": "43.20260901.3.0", "checksum": "base", "base-packages": ["curl"]}' >"$root/usr/lib/thirdboot-standin/base.json"
grep -q '^zincati:' "$root/etc/group" || echo zincati:x:980: >>"$root/etc/group"

# Pauses are cut short, and with them what is bounded by their number: a slow machine must still come to its end within
# that. Nothing else is told to these programs.
within() {
  chroot "$root" env -i PATH="$bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" THIRDBOOT_PAUSE=2 "$@"
}

within rpm-ostree standin-boot
for unit in boot layer network join; do
  program=$(sed -n 's/^ExecStart=//p' "$root/etc/systemd/system/thirdboot-$unit.service")
  if ! within "$program"; then
    echo "thirdboot-$unit failed: $(cat "$root/run/thirdboot/why" "$root/var/log/k3s" 2>/dev/null)" >&2
    exit 1
  fi
  if [[ -e $root/run/reboot ]]; then
    if [[ $end == orderly ]]; then within rpm-ostree standin-finalize; fi
    if [[ $end == stay ]]; then
      echo "thirdboot-$unit rebooted it, and it was to stay up" >&2
      exit 1
    fi
    exit
  fi
done
if [[ $end != stay ]]; then
  echo "it did not reboot" >&2
  exit 1
fi
exec sleep infinity
