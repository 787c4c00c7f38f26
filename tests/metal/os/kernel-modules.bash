# shellcheck shell=bash
# Copies kernel modules, and what they need, from $work/tree.
#   copy_modules ROOT MODULE…
copy_modules() {
  : "${work:?}"
  local root=$1 kernel folder module file
  shift
  kernel=$(ls "$work/tree/usr/lib/modules")
  folder=usr/lib/modules/$kernel
  mkdir -p "$root/$folder"
  cp "$work/tree/$folder"/modules.{builtin,builtin.modinfo,order} "$root/$folder/"
  for module; do
    # Modules that are built in print nothing.
    modprobe --dirname "$work/tree" --set-version "$kernel" --show-depends "$module" |
      sed --quiet 's|^insmod .*/\(usr/\)\?lib/modules/||p' | while read -r file; do
      file=${file%% *}
      install -D --mode 644 "$work/tree/usr/lib/modules/$file" "$root/usr/lib/modules/$file"
    done
  done
  depmod --basedir "$root" "$kernel"
}
