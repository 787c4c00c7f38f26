# The kernel that virtual machines start. Sourced by the parts that do.
# shellcheck shell=bash

# Fetches Debian's small kernel, once, and names it to the tests.
test_kernel() {
  THIRDBOOT_KERNEL=$THIRDBOOT_CACHE/kernel/vmlinuz
  export THIRDBOOT_KERNEL
  [[ ! -f $THIRDBOOT_KERNEL ]] || return 0
  step "Debian's small kernel, once"
  refresh_packages
  local folder package
  folder=$(mktemp -d)
  package=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" { print $2; exit }')
  (cd "$folder" && apt-get download -qq "$package")
  mkdir -p "$THIRDBOOT_CACHE/kernel"
  dpkg-deb --fsys-tarfile "$folder"/*.deb | tar -x -C "$folder" --wildcards './boot/vmlinuz-*'
  mv "$folder"/boot/vmlinuz-* "$THIRDBOOT_KERNEL"
  rm -rf "$folder"
}
