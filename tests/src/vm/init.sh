#!/bin/busybox sh
# shellcheck shell=dash
# The whole of the test's initramfs: says what stands in it and goes off.
/bin/busybox mkdir -p /proc /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>&1
echo "thirdboot-init: cmdline $(/bin/busybox cat /proc/cmdline)"
if [ -f /config.ign ]; then
  echo "thirdboot-init: config.ign mode $(/bin/busybox stat -c %a:%u:%g /config.ign)"
  echo "thirdboot-init: config.ign sha256 $(/bin/busybox sha256sum </config.ign)"
else
  echo "thirdboot-init: no config.ign"
fi
echo "thirdboot-init: end"
/bin/busybox poweroff -f
