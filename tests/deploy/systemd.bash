# A real systemd as the first process of namespaces of its own, over this machine's files: what it changes is gone with
# it. Needs root, and cgroups of either version.
# shellcheck shell=bash

systemd_parent='' systemd_pid='' systemd_groups=()

# Boots it; `inside` runs in it afterwards. The folder is where its files lie.
boot_systemd() {
  local folder=$1
  mkdir -p "$folder"
  # A group of its own: what systemd makes of it can be taken away again.
  local top group
  for top in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    [[ -e $top/cgroup.procs ]] || continue
    group=$top/thirdboot-deploy.$$
    mkdir "$group"
    systemd_groups+=("$group")
  done
  # It ends with this script, even when that is killed.
  # shellcheck disable=SC2016 # expanded by the inner shell
  bash -ec 'for group in "${@:3}"; do echo $$ >"$group/cgroup.procs"; done
    exec setpriv --pdeathsig KILL \
      unshare --kill-child --mount --pid --uts --ipc --net --cgroup --fork --propagation private \
      bash "$1" "$2"' bash tests/deploy/first-process "$folder" "${systemd_groups[@]}" >"$folder.log" 2>&1 &
  systemd_parent=$!
  local tries=0
  until systemd_pid=$(pgrep --parent "$systemd_parent") && inside systemctl is-system-running --quiet 2>/dev/null; do
    if ! kill -0 "$systemd_parent" 2>/dev/null || ((++tries > 300)); then
      cat "$folder.log" >&2
      inside journalctl --no-pager --lines 50 >&2 || true
      echo "no systemd can be booted here" >&2
      return 1
    fi
    sleep 0.2
  done
}

# Runs a command inside. Until the first process is systemd, its root is this machine's own: nothing runs there.
inside() {
  if [[ $(cat "/proc/${systemd_pid:-none}/comm" 2>/dev/null) != systemd ]]; then
    echo "no systemd runs that could be asked: $*" >&2
    return 1
  fi
  nsenter --target "$systemd_pid" --mount --pid --uts --ipc --net --cgroup --root --wd -- "$@"
}

# Ends it with everything inside, and says what could not be taken away.
end_systemd() {
  if [[ -n $systemd_parent ]]; then
    kill -KILL "$systemd_parent" 2>/dev/null || true
    wait "$systemd_parent" 2>/dev/null || true
    systemd_parent='' systemd_pid=''
  fi
  local group
  for group in "${systemd_groups[@]}"; do
    # Empty as soon as the kernel is done with the processes.
    for _ in {1..50}; do
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
      sleep 0.1
    done
    if [[ -d $group ]]; then echo "left behind: $group" >&2; fi
  done
  systemd_groups=()
}
