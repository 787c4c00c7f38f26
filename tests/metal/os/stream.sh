#!/usr/bin/env bash
# Names, signatures and descriptions: the files as Fedora's release server lays them out, with the
# stream's metadata, and as Thirdboot's assets. In $work/out/{www,assets}.
set -euo pipefail
: "${work:?}" "${version:?}"
export GNUPGHOME=$work/gnupg

builds=prod/streams/stable/builds/$version/x86_64
name=fedora-coreos-$version
www=$work/out/www
folder=$www/$builds
mkdir -p "$folder" "$www/streams" "$work/out/assets/x86_64/$version"

mv "$work/out/live/kernel" "$folder/$name-live-kernel.x86_64"
mv "$work/out/live/initramfs.img" "$folder/$name-live-initramfs.x86_64.img"
mv "$work/out/live/rootfs.img" "$folder/$name-live-rootfs.x86_64.img"
rmdir "$work/out/live"
# Fedora ships xz; zstd is what a machine without KVM unpacks in a tenth of the time.
xz -0 --threads=2 --stdout "$work/disk.raw" >"$folder/$name-metal.x86_64.raw.xz"
zstd -q -6 -T2 "$work/disk.raw" -o "$folder/$name-metal.x86_64.raw.zst"
for file in "$folder"/*; do gpg --batch --quiet --detach-sign --output "$file.sig" "$file"; done

# A stream's metadata knows its files by their whole URLs: BASE stands for wherever this is served.
sum() {
  sha256sum "$1" | cut -d ' ' -f 1
}
artifact() {
  jq --null-input --arg place "BASE/$builds/$1" --arg sum "$(sum "$folder/$1")" --arg raw "${2:-}" \
    '{location: $place, signature: ($place + ".sig"), sha256: $sum} + if $raw == "" then {} else {"uncompressed-sha256": $raw} end'
}
raw=$(sum "$work/disk.raw")
jq --null-input --arg version "$version" \
  --argjson kernel "$(artifact "$name-live-kernel.x86_64")" \
  --argjson initramfs "$(artifact "$name-live-initramfs.x86_64.img")" \
  --argjson rootfs "$(artifact "$name-live-rootfs.x86_64.img")" \
  --argjson xz "$(artifact "$name-metal.x86_64.raw.xz" "$raw")" \
  --argjson zst "$(artifact "$name-metal.x86_64.raw.zst" "$raw")" '{
    stream: "stable",
    metadata: {"last-modified": "2026-09-01T00:00:00Z", generator: "thirdboot tests/metal"},
    architectures: {x86_64: {artifacts: {metal: {release: $version, formats: {
      pxe: {$kernel, $initramfs, $rootfs},
      "raw.xz": {disk: $xz},
      "raw.zst": {disk: $zst},
    }}}}}
  }' >"$www/streams/stable.json"

assets=$work/out/assets/x86_64/$version
entry() {
  ln "$folder/$2" "$assets/$2"
  jq --null-input --arg role "$1" --arg name "$2" --arg sha256 "$(sum "$folder/$2")" --argjson size "$(stat -c %s "$folder/$2")" \
    '{($role): {$name, $sha256, $size}}'
}
{
  entry kernel "$name-live-kernel.x86_64"
  entry initramfs "$name-live-initramfs.x86_64.img"
  entry rootfs "$name-live-rootfs.x86_64.img"
  entry image "$name-metal.x86_64.raw.zst"
  entry image-signature "$name-metal.x86_64.raw.zst.sig"
} | jq --slurp --arg version "$version" '{$version, arch: "x86_64", files: add}' >"$assets/manifest.json"
ln -s "$version" "$work/out/assets/x86_64/current"
