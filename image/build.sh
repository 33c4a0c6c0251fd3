#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the worker's VM image: Debian 13, driven by cloud-init. As root; no loop device, no
# mount. The same packages and programs give the same bytes.
#   image/build.sh OUT      OUT/disk.raw, OUT/disk.tar.gz (Google Cloud's import form),
#                           OUT/{vmlinuz,initrd,cmdline} (direct boot), OUT/manifest.json
# Environment:
#   BUILD=build             where muster-worker and image/{init,power-button} are
#   WITH_GO=1               with Go, so that a VM can build gcsfuse
#   GCSFUSE=PATH            a gcsfuse binary baked into the local cache
#   LEAN=0                  without the trims (image/trims, image/lean): for debugging
#   PACK=0                  no disk.tar.gz
#   SUITE_MIRROR SECURITY_MIRROR   Debian's repositories; default: those apt uses here
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: image/build.sh OUT}
BUILD=${BUILD:-build}
export LEAN=${LEAN:-1} WITH_GO=${WITH_GO:-0}
# Every time stamp in the image: 2023-11-14, any fixed one would do.
export SOURCE_DATE_EPOCH=1700000000 TZ=UTC LC_ALL=C

die()
{
	echo "image: $*" >&2
	exit 1
}

[[ $EUID == 0 ]] || die "needs root: the files of the image belong to it"
for tool in mmdebstrap mcopy mkfs.vfat sfdisk objcopy python3; do
	command -v $tool >/dev/null || die "$tool is missing (scripts/deps.sh image installs it)"
done
for file in muster-worker image/init image/power-button; do
	[[ -x $BUILD/$file ]] || die "$BUILD/$file is missing (make image builds it)"
done
[[ -z ${GCSFUSE:-} || -x $GCSFUSE ]] || die "GCSFUSE=$GCSFUSE is no program"

mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d "$out/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
said=$SECONDS

step()
{
	local begin=$SECONDS
	"$@"
	echo "image: $(basename "$1" .sh) done in $((SECONDS - begin)) s"
}

step "$here/root.sh" "$work"
install -D -s -m 755 "$BUILD/muster-worker" "$work/root/usr/local/sbin/muster-worker"
install -D -m 755 "$BUILD/image/power-button" "$work/root/usr/local/lib/muster/power-button"
step "$here/finish.sh" "$work/root"
step "$here/assemble.sh" "$work" "$BUILD/image/init"
step "$here/pack.sh" "$work"
# last, and at once: an image is there whole or not at all
mv -f "$work"/{vmlinuz,initrd,cmdline,disk.raw,manifest.json} "$out/"
if [[ -f $work/disk.tar.gz ]]; then
	mv -f "$work/disk.tar.gz" "$out/"
else
	rm -f "$out/disk.tar.gz"
fi
echo "image: $out/disk.raw in $((SECONDS - said)) s"
