#!/usr/bin/env bash
# The system that runs, live and installed: Debian without what no boot needs, with the
# installer's own units, its generator and its scripts, and with stand-ins in place of what
# cannot be had. In $work/system.
set -euo pipefail
: "${work:?}" "${recipe:?}" "${standins:?}" "${installer:?}" "${installer_source:?}" "${version:?}"
# shellcheck source=kernel-modules.bash
source "$recipe/kernel-modules.bash"

system=$work/system
units=$system/usr/lib/systemd/system
mkdir "$system"
tar -C "$work/tree" -cf - \
  --exclude='./boot/*' --exclude='./usr/lib/modules' --exclude='./usr/lib/dracut' \
  --exclude='./var/cache/*' --exclude='./var/lib/apt' --exclude='./var/lib/dpkg' --exclude='./var/log/*' \
  --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/info' \
  --exclude='./usr/share/locale' --exclude='./usr/share/i18n' --exclude='./usr/share/zoneinfo' \
  --exclude='./usr/share/perl*' --exclude='./usr/share/bash-completion' --exclude='./usr/lib/x86_64-linux-gnu/perl*' \
  --exclude='./usr/lib/x86_64-linux-gnu/gconv' --exclude='./usr/lib/udev/hwdb.*' --exclude='./usr/bin/perl*' \
  --exclude='./etc/machine-id' --exclude='./etc/hostname' --exclude='./etc/resolv.conf' \
  . | tar -C "$system" -xf -
copy_modules "$system" virtio_pci virtio_blk virtio_net virtio_rng overlay squashfs loop vfat nls_ascii nls_cp437 \
  bonding 8021q vxlan bridge br_netfilter dmi_sysfs af_packet nf_tables dm_mod raid1 ext4

# The installer and all that its crate carries for a live system.
install -D "$installer" "$system/usr/bin/coreos-installer"
mkdir -p "$system/usr/libexec" "$system/usr/lib/systemd/system-generators"
install "$installer_source"/scripts/* "$system/usr/libexec/"
install "$installer_source/systemd/coreos-installer-generator" "$system/usr/lib/systemd/system-generators/"
install --mode 644 "$installer_source"/systemd/*.{service,target} "$units/"

# The installer trusts Fedora's keys, built in; here it trusts this build's key besides.
mkdir -p "$work/gnupg" "$system/usr/lib/thirdboot-standin"
chmod 700 "$work/gnupg"
export GNUPGHOME=$work/gnupg
gpg --batch --quiet --passphrase '' --quick-generate-key 'Stand-in OS <standin@thirdboot.invalid>' ed25519 sign never
gpg --batch --quiet --armor --export >"$system/usr/lib/thirdboot-standin/signing-key.asc"
mv "$system/usr/bin/gpg" "$system/usr/lib/thirdboot-standin/gpg"
install "$standins/gpg" "$system/usr/bin/gpg"

# rpm-ostree with its deployments, and podman.
install "$standins/rpm-ostree" "$standins/podman" "$system/usr/bin/"
install --mode 644 "$standins"/ostree-*.service "$standins"/podman{.socket,@.service} "$units/"
dpkg-query --admindir "$work/tree/var/lib/dpkg" --show --showformat '${Package}\n' | jq --raw-input . |
  jq --slurp --arg version "$version" \
    --arg checksum "$(find "$recipe" "$standins" -type f -exec cat {} + | sha256sum | cut -d ' ' -f 1)" \
    '{$version, $checksum, "base-packages": .}' >"$system/usr/lib/thirdboot-standin/base.json"
cat >>"$system/usr/lib/os-release" <<END
VARIANT_ID=coreos-standin
OSTREE_VERSION=$version
END

# The image's own repository, as Fedora's image knows Fedora's: an address of the virtual network.
install -D --mode 644 "$work/out/packages/RPM-GPG-KEY-standin" "$system/etc/pki/rpm-gpg/RPM-GPG-KEY-standin"
install -D --mode 644 /dev/stdin "$system/etc/yum.repos.d/standin.repo" <<'END'
[standin]
name=Packages of the stand-in OS
baseurl=http://10.0.2.9/
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-standin
END

# SELinux is not there; Ignition asks for its configuration.
install -D --mode 644 /dev/stdin "$system/etc/selinux/config" <<<$'SELINUX=disabled\nSELINUXTYPE=targeted'
# The user that Fedora CoreOS brings, and its groups.
for group in wheel:10 sudo:27 systemd-journal:190; do
  grep -q "^${group%:*}:" "$system/etc/group" || echo "${group%:*}:x:${group#*:}:" >>"$system/etc/group"
done
install -D --mode 644 /dev/stdin "$system/etc/NetworkManager/NetworkManager.conf" <<<$'[main]\nplugins=keyfile\n'
install -D --mode 644 /dev/stdin "$system/etc/systemd/journald.conf" <<<$'[Journal]\nStorage=persistent\nForwardToSyslog=no'
ln -s /run/NetworkManager/resolv.conf "$system/etc/resolv.conf"
install --mode 644 "$recipe"/{ignition-firstboot-complete,volume-groups}.service "$units/"

# Units that cost seconds of a machine without KVM and that no boot of ours needs.
for unit in systemd-logind.service systemd-hostnamed.service dbus-org.freedesktop.hostname1.service \
  dbus-org.freedesktop.login1.service NetworkManager-dispatcher.service dbus-org.freedesktop.nm-dispatcher.service \
  getty@.service serial-getty@.service systemd-user-sessions.service systemd-tmpfiles-clean.timer \
  proc-sys-fs-binfmt_misc.automount systemd-binfmt.service dev-hugepages.mount dev-mqueue.mount \
  sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount \
  systemd-firstboot.service systemd-sysusers.service systemd-pstore.service systemd-hwdb-update.service \
  systemd-update-utmp.service systemd-update-utmp-runlevel.service ldconfig.service \
  systemd-journal-catalog-update.service systemd-update-done.service apt-daily.timer apt-daily-upgrade.timer \
  dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer mdmonitor.service mdcheck_start.timer \
  mdcheck_continue.timer mdmonitor-oneshot.timer modprobe@drm.service modprobe@configfs.service \
  modprobe@fuse.service modprobe@efi_pstore.service; do
  ln -sf /dev/null "$system/etc/systemd/system/$unit"
done
rm -f "$units"/dracut-* "$units"/*.wants/dracut-* "$system"/etc/systemd/system/*.wants/e2scrub*
install -D --mode 644 "$recipe/udev-trigger.conf" "$system/etc/systemd/system/systemd-udev-trigger.service.d/standin.conf"
# In /usr, where the installer's generator can put its own target before it.
rm -f "$system/etc/systemd/system/default.target"
ln -sf multi-user.target "$units/default.target"
wants() {
  mkdir -p "$system/etc/systemd/system/$1.wants"
  ln -sf "/usr/lib/systemd/system/$2" "$system/etc/systemd/system/$1.wants/$2"
}
wants multi-user.target NetworkManager.service
wants multi-user.target ignition-firstboot-complete.service
wants network-online.target NetworkManager-wait-online.service
wants sysinit.target ostree-standin-boot.service
wants coreos-installer-pre.target volume-groups.service
wants multi-user.target ostree-finalize-staged.service
# As on Fedora CoreOS: units are enabled by Ignition, never by a package's wish.
rm -f "$system"/usr/lib/systemd/system-preset/*
echo 'disable *' >"$system/usr/lib/systemd/system-preset/99-default.preset"
