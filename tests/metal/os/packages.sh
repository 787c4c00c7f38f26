#!/usr/bin/env bash
# A repository of small real packages, signed: what the machines layer. In $work/out/packages.
set -euo pipefail
: "${work:?}"

packages=$work/out/packages
export GNUPGHOME=$work/gnupg-packages
mkdir -p "$packages" "$GNUPGHOME"
chmod 700 "$GNUPGHOME"
# RSA: rpm 4.18 as Debian builds it reads no others.
gpg --batch --quiet --passphrase '' --quick-generate-key 'Packages <packages@thirdboot.invalid>' rsa2048 sign never
gpg --batch --quiet --armor --export >"$packages/RPM-GPG-KEY-standin"

# name, version, what it says of itself
while read -r name version summary; do
  cat >"$work/$name.spec" <<END
Name: $name
Version: $version
Release: 1
Summary: $summary
License: MIT
BuildArch: noarch
%description
A small package for machines that are tested.
%install
mkdir -p %{buildroot}/usr/share/thirdboot-standin
echo "$name $version" >%{buildroot}/usr/share/thirdboot-standin/$name
%files
/usr/share/thirdboot-standin/$name
END
  rpmbuild --quiet -bb --define "_topdir $work/rpmbuild" --define "_rpmdir $packages" "$work/$name.spec" >/dev/null
done <<'END'
k3s-selinux 1.6 A policy that is none
htop 3.4.1 A package that anybody may want
END
find "$packages" -name '*.rpm' -exec rpmsign --addsign --define '_gpg_name packages@thirdboot.invalid' \
  --define "_gpg_path $GNUPGHOME" --define '__gpg /usr/bin/gpg' {} + >/dev/null
createrepo_c --quiet --compress-type gz "$packages" >/dev/null
