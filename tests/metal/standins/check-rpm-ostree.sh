#!/usr/bin/env bash
# Whether the stand-in for rpm-ostree keeps its promises, with real packages from a real
# repository. Runs itself in namespaces of its own (root).
#
#   check-rpm-ostree.sh PACKAGES     the folder that tests/metal/os/packages.sh made
set -euo pipefail

if [[ ${2:-} != inside ]]; then
  exec unshare --mount --net bash "$(realpath "${BASH_SOURCE[0]}")" "$(realpath "$1")" inside
fi
packages=$1
standin=$(dirname "${BASH_SOURCE[0]}")/rpm-ostree
layers=$(mktemp -d)
mount -t tmpfs layers "$layers"
for folder in /etc /var/lib /usr/lib /usr/share; do
  mkdir -p "$layers$folder"/{upper,work}
  mount -t overlay -o "lowerdir=$folder,upperdir=$layers$folder/upper,workdir=$layers$folder/work" overlay "$folder"
done
mount -t tmpfs run /run
ip link set lo up
busybox httpd -f -p 127.0.0.1:80 -h "$packages" &
web=$!
# Of its own, so that no agent outlives the namespaces.
export GNUPGHOME=$layers/gnupg
mkdir -m 700 "$GNUPGHOME"
trap 'kill $web; gpgconf --kill gpg-agent' EXIT

mkdir -p /usr/lib/thirdboot-standin /etc/yum.repos.d
rm -f /etc/yum.repos.d/*
echo '{"version": "1.0", "checksum": "base", "base-packages": ["curl"]}' >/usr/lib/thirdboot-standin/base.json
cp "$packages/RPM-GPG-KEY-standin" /etc/key.asc
repository() {
  printf '[packages]\nbaseurl=http://127.0.0.1/\ngpgcheck=1\ngpgkey=file://%s\n' "$1" >/etc/yum.repos.d/packages.repo
}

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
ostree() {
  bash "$standin" "$@" 2>&1
}
refused() {
  local said
  if said=$(ostree "${@:2}"); then fail "not refused: $1"; fi
  [[ $said == *"$1"* ]] || fail "wanted '$1', got: $said"
  echo "ok: $1"
}
# Which deployments there are: what boots next first, the booted one in brackets.
listed() {
  local is
  is=$(ostree status --json | jq --raw-output '[.deployments[]
    | ((.packages | join("+")) as $p | if $p == "" then "base" else $p end)
      + (if .booted then "(booted)" else "" end) + (if .staged then "(staged)" else "" end)] | join(" ")')
  [[ $is == "$1" ]] || fail "wanted deployments '$1', there are '$is'"
  echo "ok: $1"
}
file=/usr/share/thirdboot-standin/htop

repository /etc/key.asc
ostree standin-boot >/dev/null
listed "base(booted)"
refused "Packages not found: nope" install -y nope
refused "already provided by" install -y curl
refused "Unknown option --apply-live" install -y --apply-live htop
refused "Unknown command 'rebase'" rebase
ostree install -y --allow-inactive --idempotent htop >/dev/null
listed "htop(staged) base(booted)"
[[ ! -e $file ]] || fail "its files are there before the reboot"
refused "already requested" install -y htop
[[ $(ostree install -y --idempotent htop) == "No change." ]] || fail "not idempotent"
status=0
ostree install -y --idempotent --unchanged-exit-77 htop >/dev/null || status=$?
[[ $status == 77 ]] || fail "exit code $status for no change"

# A power cut: what was staged in /run is gone.
rm -r /run/ostree
ostree standin-boot >/dev/null
listed "base(booted)"
# An orderly shutdown.
ostree install -y --idempotent htop >/dev/null
ostree standin-finalize >/dev/null
rm -r /run/ostree
ostree standin-boot >/dev/null
listed "htop(booted) base"
[[ -e $file ]] || fail "its files are not there after the reboot"
ostree rollback >/dev/null
rm -r /run/ostree
ostree standin-boot >/dev/null
listed "base(booted) htop"
[[ ! -e $file ]] || fail "its files are there after the rollback"

# Signed by somebody else.
GNUPGHOME=$(mktemp -d)
export GNUPGHOME
gpg --batch --quiet --passphrase '' --quick-generate-key other@thirdboot.invalid rsa2048 sign never 2>/dev/null
gpg --batch --armor --export >/etc/other.asc
repository /etc/other.asc
refused "cannot be verified" install -y k3s-selinux
repository https://example.invalid/key
refused "must be a file" install -y k3s-selinux
