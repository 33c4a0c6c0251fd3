#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# assemble.sh WORK INIT: WORK/root and WORK/stub become WORK/disk.raw, with the boot files
# WORK/{vmlinuz,initrd,cmdline} beside it. No loop device, no mount, no chroot.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$1
init=$2
root=$work/root
kernel=$(ls "$root/usr/lib/modules")
esp_mib=32 # at least; arm64's kernel is not packed

# Root partition types: the Discoverable Partitions Specification.
case $(dpkg --print-architecture) in
amd64)
	efi=x64 console=ttyS0,115200n8 library=x86_64-linux-gnu
	loader=lib64/ld-linux-x86-64.so.2 root_type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
	;;
arm64)
	efi=aa64 console=ttyAMA0,115200n8 library=aarch64-linux-gnu
	loader=lib/ld-linux-aarch64.so.1 root_type=B921B045-1DF0-41C3-AF44-4C6F280D3FAE
	;;
*)
	echo "image: amd64 and arm64 are known, not $(dpkg --print-architecture)" >&2
	exit 1
	;;
esac

# Fixed, so that the same files give the same disk; only one such disk is in a machine.
id() { echo "$1$1$1$1$1$1$1$1-6d75-7374-6572-000000000000"; }

# The words the kernel gets: AppArmor is off because the image has no profiles (3 s of an
# emulated boot); a panic restarts after 5 s, so that no machine hangs and costs money. A disk
# over the network may stall longer than NVMe's 30 s, which would abort what is written and
# leave the root read-only: Google Cloud's advice is to wait for it without an end.
words="root=PARTLABEL=root rootfstype=ext4 rw console=$console panic=5 lsm=yama apparmor=0"
words+=" nvme_core.io_timeout=4294967295"
[[ $LEAN != 1 ]] || words+=" quiet systemd.show_status=0 loglevel=4"

boot_files()
{
	printf '%s' "$words" >"$work/cmdline"
	cp "$root/boot/vmlinuz-$kernel" "$work/vmlinuz"
	# what can carry the root and the root's own; built-in ones are left out by themselves
	python3 "$here/initrd.py" "$init" "$root/usr/lib/modules/$kernel" "$work/initrd" \
		nvme virtio_scsi sd_mod virtio_blk ext4
}

# One EFI program of stub, kernel, initial RAM disk and words: sections behind the stub's
# last one, each at a multiple of 64 KiB.
unified_kernel()
{
	local stub=$work/stub/usr/lib/systemd/boot/efi/linux$efi.efi.stub
	local at=0 size vma name file options=()
	while read -r size vma; do
		((0x$size + 0x$vma <= at)) || at=$((0x$size + 0x$vma))
	done < <(objdump -h "$stub" | awk '$1 ~ /^[0-9]+$/ { print $3, $4 }')
	printf '%s' "$kernel" >"$work/uname"
	cp "$root/usr/lib/os-release" "$work/osrel"
	for name in osrel uname cmdline initrd linux; do
		file=$work/$name
		[[ $name != linux ]] || file=$work/vmlinuz
		at=$(((at + 65535) / 65536 * 65536))
		options+=(--add-section ".$name=$file" --set-section-flags ".$name=data,readonly"
			--change-section-vma ".$name=$(printf 0x%x $at)")
		at=$((at + $(stat -c %s "$file")))
	done
	objcopy "${options[@]}" "$stub" "$work/kernel.efi"
	# objcopy stamps the time of day and a checksum of it
	python3 - "$work/kernel.efi" <<'END'
import os, struct, sys
with open(sys.argv[1], "r+b") as f:
    pe = struct.unpack_from("<I", f.read(0x40), 0x3C)[0]
    f.seek(pe + 8)
    f.write(struct.pack("<I", int(os.environ["SOURCE_DATE_EPOCH"])))
    f.seek(pe + 24 + 64)
    f.write(bytes(4))
END
}

# FAT16: the firmware takes it from the removable path, and it can be smaller than FAT32.
esp()
{
	local need_mib=$(($(stat -c %s "$work/kernel.efi") / 1048576 + 4))
	((need_mib <= esp_mib)) || esp_mib=$need_mib
	mkdir -p "$work/esp/EFI/BOOT"
	mv "$work/kernel.efi" "$work/esp/EFI/BOOT/BOOT${efi^^}.EFI"
	find "$work/esp" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
	truncate -s ${esp_mib}M "$work/esp.img"
	mkfs.vfat -F 16 -n ESP -i 0xBE9C0001 --invariant "$work/esp.img" >/dev/null
	mcopy -m -s -i "$work/esp.img" "$work/esp/EFI" ::
}

# The tree's own mke2fs: from 1.47.1 on it sorts folders and obeys SOURCE_DATE_EPOCH. A small
# journal stays: machines are stopped hard and started again.
root_file_system()
{
	truncate -s "${root_mib}M" "$work/root.img"
	"$root/usr/$loader" --library-path "$root/usr/lib/$library" "$root/usr/sbin/mke2fs" \
		-q -F -t ext4 -b 4096 -J size=8 -e remount-ro -L root -U "$(id 1)" -m 0 \
		-E "hash_seed=$(id 2),lazy_itable_init=0,root_owner=0:0" \
		-d "$root" "$work/root.img"
}

disk()
{
	truncate -s "${gib}G" "$work/disk.raw"
	sfdisk -q "$work/disk.raw" <<-END
		label: gpt
		label-id: $(id 3)
		first-lba: 2048
		start=2048, size=${esp_mib}MiB, type=U, name=esp, uuid=$(id 4)
		size=${root_mib}MiB, type=$root_type, name=root, uuid=$(id 5)
	END
	dd if="$work/esp.img" of="$work/disk.raw" bs=1M seek=1 conv=notrunc,sparse status=none
	dd if="$work/root.img" of="$work/disk.raw" bs=1M seek=$((esp_mib + 1)) \
		conv=notrunc,sparse status=none
	rm "$work"/{esp,root}.img
}

boot_files
unified_kernel
esp
# Google takes whole GiB. The root fills the disk, with room for a run's small files; a larger
# disk is grown into at boot.
used_mib=$(du -sm --apparent-size "$root" | cut -f1)
gib=$(((esp_mib + used_mib * 120 / 100 + 96 + 1023) / 1024))
root_mib=$((gib * 1024 - esp_mib - 2))
root_file_system
disk
