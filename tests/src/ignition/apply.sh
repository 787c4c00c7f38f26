#!/bin/sh
# Applies a config to a directory tree with the real Ignition, stage by stage, as the
# initramfs does. Runs in a mount namespace of its own: `unshare --mount apply.sh …`.
#
#   apply.sh IGNITION ROOT WORK
#
# WORK holds cmdline (the kernel's command line), system/ (base.d, user.ign) and stubs/.
set -eu
ignition=$1 root=$2 work=$3

# This Ignition reads the command line of the machine it runs on, and keeps its state in /run.
mount --bind "$work/cmdline" /proc/cmdline
mount -t tmpfs tmpfs /run

PATH=$work/stubs:$PATH
IGNITION_SYSTEM_CONFIG_DIR=$work/system
export PATH IGNITION_SYSTEM_CONFIG_DIR
for stage in fetch-offline fetch kargs disks mount files umount; do
  "$ignition" --root "$root" --platform metal --stage "$stage" --log-to-stdout \
    --config-cache /run/ignition.json --neednet /run/neednet --state-file /run/state || {
    echo "stage $stage failed"
    exit 1
  }
done
