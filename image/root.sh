#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# root.sh WORK: WORK/root, a plain Debian tree of the packages in image/packages (or PACKAGES);
# WORK/stub, the boot stub; WORK/packages.tsv, what was installed and because of what.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$1
suite=trixie
arch=$(dpkg --print-architecture)

# The repository apt uses here for Debian, or for its security updates.
mirror()
{
	local uri
	# shellcheck disable=SC2016 # apt's own placeholders
	uri=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
		sed -n "s/^Debian [a-z]*$1 //p" | head -n 1)
	echo "${uri%/}"
}

# Names of the list that are wanted in this image.
wanted()
{
	local name when rest kind=lean
	[[ $LEAN == 1 ]] || kind=full
	while read -r name when rest; do
		case $name in '' | '#'*) continue ;; esac
		case $when in
		always | "$kind") ;;
		go) [[ $WITH_GO == 1 ]] || continue ;;
		*) continue ;;
		esac
		[[ $name != linux-image-cloud ]] || name=linux-image-cloud-$arch
		echo "$name"
	done <"${PACKAGES:-$here/packages}"
}

main_mirror=${SUITE_MIRROR:-$(mirror '')}
security_mirror=${SECURITY_MIRROR:-$(mirror -security)}
[[ -n $main_mirror && -n $security_mirror ]] || {
	echo "image: apt knows no Debian repository here: set SUITE_MIRROR and SECURITY_MIRROR" >&2
	exit 1
}
sources=("deb $main_mirror $suite main" "deb $main_mirror $suite-updates main"
	"deb $security_mirror $suite-security main")

# Documentation, and what only compiling a locale needs: nothing reads it at run time.
excluded=()
for path in man locale doc info lintian bash-completion zsh bug i18n; do
	excluded+=(--dpkgopt="path-exclude=/usr/share/$path/*")
done

# the image has an initial RAM disk of its own: initramfs-tools is there for the kernel
# package's dependency alone, and shall not make one
export INITRD=No
mmdebstrap --mode=root --variant=minbase --format=directory --quiet \
	--include="$(wanted | paste -sd,)" --aptopt='Apt::Install-Recommends "false"' \
	"${excluded[@]}" $suite "$work/root" "${sources[@]}"
mmdebstrap --mode=root --variant=extract --quiet --include=systemd-boot-efi $suite \
	"$work/stub" "${sources[0]}"
wanted >"$work/wanted"
dpkg-query --admindir="$work/root/var/lib/dpkg" -W \
	-f '${Package}\t${Version}\t${Installed-Size}\t${Essential}\t${Priority}\t${Provides}\t${Pre-Depends}, ${Depends}\n' \
	>"$work/installed"
python3 "$here/account.py" "$work/wanted" "$work/installed" >"$work/packages.tsv"
