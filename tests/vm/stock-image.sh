#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# stock-image.sh OUT: an image like a distribution's own (tests/vm/stock.packages, cloud-init
# as its package sets it up, nothing of muster's in it), for tests/vm/stock.t. As root; the
# environment is image/build.sh's. Nothing happens when OUT is newer than what makes it.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$(mkdir -p "$1" && cd "$1" && pwd)
BUILD=${BUILD:-build}
export LEAN=0 WITH_GO=0 SOURCE_DATE_EPOCH=1700000000 TZ=UTC LC_ALL=C
export PACKAGES=tests/vm/stock.packages

if [[ -f $out/disk.raw ]]; then
	newer=$(find "$0" $PACKAGES image/root.sh image/assemble.sh image/initrd.py -newer "$out/disk.raw")
	[[ -n $newer ]] || exit 0
fi
work=$(mktemp -d "$out/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
image/root.sh "$work"
root=$work/root
: >"$root/etc/machine-id"
echo stock >"$root/etc/hostname"
# Google's images have the second line
printf '%s\n' '127.0.0.1 localhost' '169.254.169.254 metadata.google.internal metadata' >"$root/etc/hosts"
ln -sfn ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/etc/ssh/ssh_host_* "$root"/boot/initrd.img-*
image/assemble.sh "$work" "$BUILD/image/init"
mv -f "$work"/{vmlinuz,initrd,cmdline,disk.raw} "$out/"
