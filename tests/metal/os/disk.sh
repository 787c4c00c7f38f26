#!/usr/bin/env bash
# The disk image that the installer writes, made in files: GPT with the partitions of Fedora
# CoreOS, GRUB for BIOS and UEFI, and what the installer edits on the boot file system.
# In $work/disk.raw.
set -euo pipefail
: "${work:?}" "${recipe:?}"

boot=$work/boot esp=$work/esp.img image=$work/disk.raw
boot_mib=80 root_mib=400

mkdir -p "$boot/loader/entries" "$boot/coreos" "$boot/ignition" "$boot/grub2"/{i386-pc,x86_64-efi}
cp "$work/out/live/kernel" "$boot/vmlinuz"
cp "$work/initramfs.lz4" "$boot/initramfs.img"
touch "$boot/ignition.firstboot"
cp "$recipe/disk/grub.cfg" "$boot/grub2/grub.cfg"
cp "$recipe/disk/entry.conf" "$boot/loader/entries/ostree-1.conf"
cp "$recipe/disk/platforms.json" "$boot/coreos/platforms.json"
modules=(biosdisk part_gpt ext2 normal configfile test echo serial terminal minicmd search search_label sleep reboot true ls boot)
for target in i386-pc x86_64-efi; do
  cp "/usr/lib/grub/$target"/*.mod "$boot/grub2/$target/"
done

cat >"$work/early.cfg" <<'END'
serial --unit=0 --speed=115200
terminal_input serial
terminal_output serial
search --label boot --set root
set prefix=($root)/grub2
normal /grub2/grub.cfg
END
grub-mkimage -O i386-pc -o "$work/core.img" -c "$work/early.cfg" -p /grub2 "${modules[@]}"
grub-mkimage -O x86_64-efi -o "$work/BOOTX64.EFI" -c "$work/early.cfg" -p /grub2 fat "${modules[@]:1}"

truncate --size 4M "$esp"
mkfs.vfat -n EFI-SYSTEM "$esp" >/dev/null
mmd -i "$esp" ::/EFI ::/EFI/BOOT
mcopy -i "$esp" "$work/BOOTX64.EFI" ::/EFI/BOOT/BOOTX64.EFI

install -D --mode 644 /dev/stdin "$work/system/etc/fstab" <<<'LABEL=boot /boot ext4 ro,nofail 0 0'
mkdir -p "$work/system/boot"
mke2fs -q -F -t ext4 -L boot -m 0 -O ^metadata_csum,^64bit -d "$boot" "$work/boot.ext4" "${boot_mib}M"
mke2fs -q -F -t ext4 -L root -m 0 -O ^metadata_csum -d "$work/system" "$work/root.ext4" "${root_mib}M"

# In MiB: 1 BIOS boot, 2 to 5 EFI, then boot and root, and room for the second table.
first=6
truncate --size $((first + boot_mib + root_mib + 1))M "$image"
sfdisk --quiet "$image" <<END
label: gpt
start=1MiB, size=1MiB, type=21686148-6449-6E6F-744E-656564454649, name=BIOS-BOOT
start=2MiB, size=4MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=EFI-SYSTEM
start=${first}MiB, size=${boot_mib}MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=boot
start=$((first + boot_mib))MiB, size=${root_mib}MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=root
END
put() {
  dd if="$1" of="$image" bs=1M seek="$2" conv=notrunc,sparse status=none
}
put "$esp" 2
put "$work/boot.ext4" $first
put "$work/root.ext4" $((first + boot_mib))

# What grub-install does on a real disk: the boot sector knows the core image's first sector, the
# core image where it goes on. A sector's number is 8 bytes, little-endian.
sector() {
  local number=$1 at
  for at in 0 8 16 24 32 40 48 56; do printf '%b' "\\x$(printf '%02x' $((number >> at & 255)))"; done
}
core=2048
head -c 440 /usr/lib/grub/i386-pc/boot.img >"$work/boot.img"
sector $core | dd of="$work/boot.img" bs=1 seek=$((0x5c)) conv=notrunc status=none
printf '\x90\x90' | dd of="$work/boot.img" bs=1 seek=$((0x66)) conv=notrunc status=none
sector $((core + 1)) | dd of="$work/core.img" bs=1 seek=$((0x1f4)) conv=notrunc status=none
dd if="$work/boot.img" of="$image" conv=notrunc status=none
dd if="$work/core.img" of="$image" bs=512 seek=$core conv=notrunc status=none
