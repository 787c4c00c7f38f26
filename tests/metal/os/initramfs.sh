#!/usr/bin/env bash
# The initramfs: busybox and one script around the real Ignition, the real NetworkManager and
# dracut's own emergency script. In $work/initramfs.cpio; $work/live.cpio makes it a live one.
set -euo pipefail
: "${work:?}" "${recipe:?}"
# shellcheck source=kernel-modules.bash
source "$recipe/kernel-modules.bash"

tree=$work/tree
root=$work/initramfs
mkdir -p "$root"/{proc,sys,dev,run,etc/ssl/certs,tmp,boot,sysroot,usr/bin,usr/sbin,usr/lib/udev/rules.d,usr/lib64}
mkdir -p "$root"/usr/lib/{systemd,dracut,ignition/base.d,x86_64-linux-gnu/systemd}
for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done

cp /bin/busybox "$root/usr/bin/busybox"
for applet in sh mount umount mkdir cat cp rm ls ip udhcpc cpio awk sed grep tr tee tail head sleep modprobe findfs \
  switch_root sync chmod ln readlink basename dmesg mv mkfifo sha256sum wc uname stat mknod; do
  ln -s busybox "$root/usr/bin/$applet"
done
ln -s ../bin/busybox "$root/usr/sbin/chroot"

# Programs as they are in the package; libraries are found below.
programs=(
  usr/bin/curl usr/bin/lsblk usr/bin/udevadm usr/bin/dbus-daemon
  usr/sbin/useradd usr/sbin/groupadd usr/sbin/usermod usr/sbin/userdel usr/sbin/groupdel
  usr/sbin/sgdisk usr/sbin/mkfs.ext4 usr/sbin/mkfs.fat usr/sbin/mkswap usr/sbin/wipefs usr/sbin/blkid usr/sbin/sulogin
  usr/sbin/NetworkManager usr/lib/NetworkManager/nm-initrd-generator
  usr/bin/dash usr/lib/dracut/dracut-util
)
for program in "${programs[@]}"; do
  install -D "$tree/$program" "$root/$program"
done
install -s "$tree/usr/lib/dracut/modules.d/30ignition/ignition" "$root/usr/bin/ignition"
ln -s ../../bin/udevadm "$root/usr/lib/systemd/systemd-udevd"
cp "$tree"/usr/lib/udev/rules.d/{50-udev-default,60-block,60-persistent-storage}.rules "$root/usr/lib/udev/rules.d/"

# Its emergency script is dracut's, to the letter, with what it calls.
install "$tree/usr/lib/dracut/modules.d/98dracut-systemd/dracut-emergency.sh" "$root/usr/bin/dracut-emergency"
install "$tree"/usr/lib/dracut/modules.d/99base/dracut{,-dev}-lib.sh "$root/usr/lib/"
install "$tree/usr/lib/dracut/modules.d/99base/rdsosreport.sh" "$root/usr/bin/rdsosreport"
for name in dracut-getarg dracut-getargs; do ln -s ../lib/dracut/dracut-util "$root/usr/bin/$name"; done
for verb in reboot poweroff halt; do
  install /dev/stdin "$root/usr/sbin/$verb" <<<$'#!/bin/sh\n'"exec busybox $verb -f"
done

# Ignition relabels what it wrote; without SELinux there is nothing to do.
install /dev/stdin "$root/usr/sbin/setfiles" <<<$'#!/bin/sh\nexec cat >/dev/null'

# Every library that these load.
cp "$tree/lib64/ld-linux-x86-64.so.2" "$root/usr/lib64/"
for program in "${programs[@]}" usr/lib/dracut/modules.d/30ignition/ignition; do
  # Statically linked ones and scripts have none.
  chroot "$tree" ldd "/$program" || true
done 2>/dev/null | awk '$3 ~ /^\// { print $3 }' | sort -u | while read -r library; do
  case $library in
  */systemd/*) cp -L "$tree$library" "$root/usr/lib/x86_64-linux-gnu/systemd/" ;;
  *) cp -L "$tree$library" "$root/usr/lib/x86_64-linux-gnu/" ;;
  esac
done

cp "$tree"/etc/{passwd,group,nsswitch.conf,login.defs} "$root/etc/"
install --mode 600 /dev/stdin "$root/etc/shadow" <<<'root:*:19000:0:99999:7:::'
cp "$tree/etc/ssl/certs/ca-certificates.crt" "$root/etc/ssl/certs/"
echo 00000000000000000000000000000001 >"$root/etc/machine-id"
# The user that Fedora CoreOS brings along in a base config of its own.
install -D --mode 644 /dev/stdin "$root/usr/lib/ignition/base.d/00-core.ign" <<'END'
{"ignition": {"version": "3.0.0"}, "passwd": {"users": [{"name": "core", "gecos": "CoreOS Admin",
  "groups": ["adm", "sudo", "systemd-journal", "wheel"]}]}}
END
# As dracut's module for it says: no port gets a connection that nobody wrote.
install -D --mode 644 /dev/stdin "$root/etc/NetworkManager/NetworkManager.conf" <<<$'[main]\nplugins=keyfile\nno-auto-default=*'
copy_modules "$root" virtio_pci virtio_blk virtio_net virtio_rng overlay squashfs loop ext4 vfat nls_ascii nls_cp437 \
  bonding 8021q dmi_sysfs af_packet
install "$recipe/initramfs/init" "$root/init"
install "$recipe/initramfs/lease" "$root/usr/bin/lease"
(cd "$root" && find . | cpio --quiet --create --format newc --owner 0:0) >"$work/initramfs.cpio"
