#!/bin/bash
# Runs the real Zincati as if on a machine of its own: a root of its own in a mount namespace of its own.
#
#   unshare --mount machine.sh FOLDER ZINCATI SPEED
#
# FOLDER has cmdline, machine-id, config.d, bin (the stand-ins) and state (what they remember).
set -euo pipefail
machine=$1 zincati=$2 speed=$3
id=7777

mount --make-rprivate /
root=$machine/root
mkdir -p "$root"
mount -t tmpfs tmpfs "$root"
for entry in /*; do
  name=${entry#/}
  if [[ -L $entry ]]; then
    cp -P "$entry" "$root/$name"
  elif [[ -d $entry && $name != run && $name != ostree ]]; then
    mkdir "$root/$name"
    mount --rbind "$entry" "$root/$name"
  fi
done

# What Fedora CoreOS has and this machine has not.
mkdir -p "$root/ostree/deploy" "$root/run/zincati/public" "$root/run/machine"
mount --bind "$machine" "$root/run/machine"
for name in passwd group; do
  {
    cat "/etc/$name"
    if [[ $name == passwd ]]; then echo "zincati:x:$id:$id::/:/usr/sbin/nologin"; else echo "zincati:x:$id:"; fi
  } >"$machine/$name"
  mount --bind "$machine/$name" "$root/etc/$name"
done
mount --bind "$machine/cmdline" "$root/proc/cmdline"
mount --bind "$machine/machine-id" "$root/etc/machine-id"
cp -r "$machine/config.d" "$root/run/zincati/config.d"
# As `begin_updates` leaves it: only its group reads where the lock is.
chown 0:$id "$root/run/zincati/config.d/55-updates-strategy.toml"
chmod 0640 "$root/run/zincati/config.d/55-updates-strategy.toml"
chown -R $id:$id "$root/run/zincati/public" "$machine/state"
cp "$zincati" "$root/run/zincati.bin"

# A refused question is asked again after 300 s: its clock runs faster, its sleeps are shorter. No `exec`: this shell is
# what dies with the machine, a process that changed its user would no longer be told to.
chroot "$root" setpriv --reuid=$id --regid=$id --clear-groups \
  env -i PATH=/run/machine/bin:/usr/bin:/bin \
  LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1 "FAKETIME=+0 x$speed" \
  /run/zincati.bin agent -vvv
