#!/usr/bin/env bash
# Whole virtual machines against the real server, from power-on to ready: docs/metal.md.
#
#   metal.sh                the short story
#   metal.sh --full         all of them
#   metal.sh --story=WORD   those with this word in their name; may be given several times
#   metal.sh --build        builds what the machines boot, and says where it is
#
# It ends with a table of all stories, those that were not asked for too.
source tests/parts/common.bash

full='' build='' words=()
for option; do
  case $option in
  --full) full=1 ;;
  --build) build=1 ;;
  --story=?*) words+=("--regexp=${option#*=}") ;;
  *)
    echo "metal: no option '$option'; there are --full, --story=WORD and --build" >&2
    exit 2
    ;;
  esac
done

need gcc libc6-dev mmdebstrap squashfs-tools cpio lz4 xz-utils zstd dosfstools mtools fdisk grub-pc-bin \
  grub-efi-amd64-bin busybox-static e2fsprogs kmod rpm createrepo-c gpg jq systemd openssl curl iproute2 \
  qemu-system-x86 ipxe-qemu ovmf seabios

free_mib=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
if ((free_mib < 5000)); then
  echo "metal: two machines of 2 GiB need 5000 MiB of free memory, here are $free_mib: close something, or add memory" >&2
  exit 1
fi

recipe=$(find tests/metal/os tests/metal/standins/{gpg,podman*,rpm-ostree,ostree-*.service} \
  tests/parts/coreos-installer.sh tests/parts/peer.bash -type f | sort | xargs sha256sum | sha256sum | cut -c 1-12)
THIRDBOOT_METAL=$THIRDBOOT_CACHE/metal-$recipe
export THIRDBOOT_METAL
if [[ ! -d $THIRDBOOT_METAL ]]; then
  step "building the stand-in OS, once"
  as_root true
  # Older ones were made by another recipe.
  find "$THIRDBOOT_CACHE" -maxdepth 1 -name 'metal-[0-9a-f]*' ! -name 'metal-tree-*' -mtime +1 -exec rm -rf {} +
  as_root env PATH="$PATH" THIRDBOOT_CACHE="$THIRDBOOT_CACHE" HOME="$HOME" bash tests/metal/os/build.sh "$THIRDBOOT_METAL"
fi
if [[ $build ]]; then
  echo "$THIRDBOOT_METAL"
  exit 0
fi

step "the stand-ins keep their promises"
as_root bash tests/metal/standins/check-rpm-ostree.sh "$THIRDBOOT_METAL/packages"
as_root bash tests/metal/standins/check-k3s.sh

build_server
step "virtual metal"
# Each by its own, with its time: the short one, which is not ignored, comes first.
stories() {
  cargo_test_feature metal --list --format terse "$@" | sed --quiet 's/: test$//p'
}
all=$(stories)
long=$(stories --ignored)
short=$(grep --line-regexp --invert-match --file <(echo "$long") <<<"$all")
if ((${#words[@]})); then
  if ! asked=$(grep --fixed-strings "${words[@]}" <<<"$all"); then
    printf "metal: no story with %s in its name; there are\n%s\n" "${words[*]#*=}" "$all" >&2
    exit 2
  fi
else
  asked=$short${full:+$'\n'$long}
fi

# A machine is one busy thread: as many stories at a time as there are processors, where there is the memory for each.
# What they say is shown when they end.
lanes=$((free_mib / 5000)) most=$(nproc)
if ((lanes > most)); then lanes=$most; fi
work=$(mktemp -d)
table=() failed=0 left=0
declare -A story_of=()
# Each is a process group of its own: Ctrl-C is for this script, which ends with all that it started.
set -m
leave() {
  local pid
  for pid in "${!story_of[@]}"; do kill -- "-$pid" || true; done
  rm -rf "$work"
}
trap leave EXIT
end_one() {
  local pid='' verdict=ok
  wait -n -p pid "${!story_of[@]}" || { verdict=FAILED && failed=$((failed + 1)); }
  local story=${story_of[$pid]}
  unset "story_of[$pid]"
  cat "$work/$story.log"
  table+=("$(printf '%-7s %4d s  %s' "$verdict" "$(<"$work/$story.took")" "$story")")
}
run_story() {
  local start=$SECONDS failed=0
  cargo_test_feature metal --exact "$1" --include-ignored --nocapture >"$work/$1.log" 2>&1 || failed=1
  echo $((SECONDS - start)) >"$work/$1.took"
  return "$failed"
}
for story in $asked; do
  ((${#story_of[@]} < lanes)) || end_one
  echo "metal: $story"
  run_story "$story" &
  story_of[$!]=$story
done
while ((${#story_of[@]})); do end_one; done
while read -r story; do
  table+=("$(printf '%-7s %6s  %s' 'not run' '' "$story")") left=$((left + 1))
done < <(grep --line-regexp --invert-match --file <(echo "$asked") <<<"$all")

step "stories of virtual metal"
printf '%s\n' "${table[@]}"
echo "stories: $((${#table[@]} - failed - left)) passed, $failed failed, $left not asked for"
if ((failed)); then
  echo "metal: serial logs, server logs, events and timelines are in $(realpath target/metal)" >&2
  exit 1
fi
