#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The image that `make image` built, looked into without starting or mounting it: what is in
# it and why, drivers, nobody who could log in, nothing of the machine that built it.
set -u
cd "$(dirname "$0")/../.." || exit 1
image=${VM_IMAGE:-build/image}
PATH=$PATH:/usr/sbin:/sbin
skip_all() { echo "1..0 # SKIP $*" && exit 0; }
for file in disk.raw manifest.json; do
	[ -f "$image/$file" ] || skip_all "no $image/$file (make image)"
done
for tool in debugfs sfdisk jq; do
	command -v $tool >/dev/null || skip_all "$tool is missing (scripts/deps.sh vm)"
done
count=0
failed=0

ok() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		failed=$((failed + 1))
	fi
}
is() {
	[ "$1" = "$2" ]
	ok $? "$3"
	[ "$1" = "$2" ] || printf '#      got: %s\n#   wanted: %s\n' "$1" "$2"
}
manifest() { jq -r "$1" "$image/manifest.json"; }

# --- the tree on the disk ---
start=$(sfdisk -J "$image/disk.raw" | jq '.partitiontable.partitions[] | select(.name == "root").start')
on_disk() { debugfs -R "$1" "$image/disk.raw?offset=$((start * 512))" 2>/dev/null; }
cat_file() { on_disk "cat \"$1\""; }
exists() { [ -n "$(on_disk "stat \"$1\"")" ]; }
# names FOLDER: what is in it
names() { on_disk "ls -p \"$1\"" | cut -d/ -f6 | grep -vx '\.\|\.\.' | grep .; }
link() { on_disk "stat \"$1\"" | sed -n 's/^Fast link dest: "\(.*\)"$/\1/p'; }

# --- what the manifest says ---
is "$(cat_file /var/lib/dpkg/status | sed -n 's/^Package: //p' | sort)" "$(manifest '.packages[].name' | sort)" \
	"the manifest names every package on the disk"
is "$(manifest '[.packages[].name] as $names | .packages[] | select((.because_of | IN("wanted", "base", $names[])) | not).name')" \
	"" "and because of what each is there"
is "$(grep -v '^#' image/packages | grep . | awk 'NF < 3 || $2 !~ /^(always|lean|full|go)$/')" "" "image/packages says why"
is "$(grep -v '^#' image/trims | grep . | awk 'NF < 3')" "" "image/trims says why"
for file in vmlinuz initrd; do
	is "$(sha256sum <"$image/$file" | cut -d' ' -f1)" "$(manifest ".files.$file.sha256")" "$file is the manifest's"
done
is "$(manifest '[paths | map(tostring) | join(".")] | map(select(test("time|date|created"))) | .[]')" "" \
	"no times in the manifest"

# --- drivers ---
kernel=$(manifest .kernel)
modules=/usr/lib/modules/$kernel
built_in=$(cat_file "$modules/modules.builtin")
alias=$(cat_file "$modules/modules.alias")
for module in nvme ext4 fuse virtio_pci virtio_net virtio_scsi virtio_blk sd_mod gve idpf evdev button; do
	path=$(cat_file "$modules/modules.dep" | sed -n "s,^\([^:]*/$module\.ko[^:]*\):.*,\1,p")
	{ [ -n "$path" ] && exists "$modules/$path"; } || grep -q "/$module\.ko" <<<"$built_in"
	ok $? "driver $module is there"
done
# as udev would ask for them: Google's own NIC, Intel's IPU on C3 and later
grep -q '^alias pci:v00001AE0d00000042sv.* gve$' <<<"$alias"
ok $? "gVNIC's PCI id finds gve"
grep -q '^alias pci:v00008086d00001452sv.* idpf$' <<<"$alias"
ok $? "the IPU's PCI id finds idpf"

# --- nobody logs in ---
is "$(cat_file /etc/shadow | cut -d: -f2 | grep -v '^[!*]')" "" "no account has a password, nor none"
for file in /usr/sbin/sshd /etc/ssh/sshd_config /root/.ssh/authorized_keys; do
	! exists $file
	ok $? "no $file"
done
for unit in getty.target getty@tty1.service serial-getty@ttyS0.service serial-getty@ttyAMA0.service; do
	is "$(link "/etc/systemd/system/$unit")" /dev/null "$unit is masked"
done

# --- nothing of the builder's ---
is "$(on_disk "stat /etc/machine-id" | grep -o 'Size: [0-9]*' | head -n 1)" "Size: 0" "the machine's id is empty"
is "$(names /var/lib/apt/lists)" "" "no lists of apt"
is "$(names /var/cache/apt)" "" "no cache of apt"
is "$(cat_file /etc/apt/sources.list)" "" "no mirror of the builder's"
! exists /etc/fstab
ok $? "no fstab"
is "$(link /etc/resolv.conf)" ../run/resolv.conf "no name server but the network's"

# --- the unit ---
unit=$(cat_file /etc/systemd/system/muster-worker.service)
while read -r line; do
	grep -qxF -- "$line" <<<"$unit"
	ok $? "the unit: $line"
done <<'END'
After=network-online.target cloud-init.service cloud-init-network.service
ExecStart=/usr/local/sbin/muster-worker --power-off
Restart=on-abnormal
StartLimitAction=poweroff
StartLimitBurst=5
KillMode=mixed
TimeoutStopSec=25
OOMPolicy=continue
OOMScoreAdjust=-900
Delegate=yes
LimitNOFILE=1048576
LimitMEMLOCK=infinity
TasksMax=infinity
END
is "$(link /etc/systemd/system/multi-user.target.wants/muster-worker.service)" ../muster-worker.service "it starts at boot"
exists /usr/local/sbin/muster-worker
ok $? "the worker is there"

# --- Google Cloud's form ---
is $(($(stat -c %s "$image/disk.raw") % 1073741824)) 0 "the disk is whole GiB"
pack=$image/disk.tar.gz
if [ -f "$pack" ]; then
	header=$(gzip -dc "$pack" 2>/dev/null | head -c 512 | od -An -v -tx1 -w1 | tr -d ' ')
	is "$(tar -tzf "$pack")" disk.raw "the archive's only member is disk.raw"
	# "ustar", two spaces, NUL
	is "$(sed -n '258,265p' <<<"$header" | tr -d '\n')" 7573746172202000 "in the old GNU format"
	is "$(sed -n 157p <<<"$header")" 53 "sparse: type S"
	# Go is 80 MB more, a gcsfuse 27
	limit_mb=130
	[ -z "$(manifest '.packages[].name | select(. == "golang-go")')" ] || limit_mb=$((limit_mb + 85))
	! exists /var/cache/muster || limit_mb=$((limit_mb + 30))
	size=$(stat -c %s "$pack")
	[ "$size" -le $((limit_mb * 1000000)) ]
	ok $? "of at most $limit_mb MB: $size bytes"
fi
echo "1..$count"
[ $failed = 0 ]
