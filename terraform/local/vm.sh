#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One virtual machine of the worker's image under QEMU, with Google Cloud's metadata server
# and bucket at the addresses a machine there has them.
#   vm.sh up      starts it and returns; an earlier disk of the same folder is used again
#   vm.sh down    presses its power button, waits, ends what does not end
#   vm.sh wait    until it is off; exit 1 after VM_WAIT_S seconds
# Environment:
#   VM_DIR        the folder of disk, console.log, qemu.pid, qmp
#   VM_IMAGE      the folder `make image` wrote
#   VM_NAME       its name (default: the folder's)
#   VM_ADDRESS    the loopback address it is known by at the servers: 127.x.y.z
#   VM_METADATA   host:port of the metadata server here, 169.254.169.254:80 in the VM
#   VM_ENDPOINT   host:port of the bucket here, 169.254.169.253:80 in the VM
#   VM_BOOT       kernel (default: QEMU loads the kernel), or uefi (the disk alone)
#   VM_DISK       nvme (default) or scsi
#   VM_CLOUD_INIT yes, or no (default with VM_BOOT=kernel): no puts it off by the command line
#   VM_PRODUCT    what the firmware says it is (default: Google Compute Engine); with another
#                 name cloud-init asks no metadata server
#   VM_SEED       an image attached read-only as a second disk: a NoCloud disk
#   VM_CPUS=1 VM_MEMORY_MIB=1024 VM_DISK_GIB=4 VM_WORDS=…more words for the kernel
#   MUSTER_ACCEL  see accel.sh
# shellcheck disable=SC2054 # commas belong to QEMU's options
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${VM_DIR:?}"
VM_NAME=${VM_NAME:-$(basename "$VM_DIR")}
# Slirp carries only its own network; Google's link-local addresses are made to be in it.
network=net=169.254.169.0/24,host=169.254.169.1,dns=169.254.169.3,dhcpstart=169.254.169.15

# Is it running? QEMU takes its pid file away when it ends; after a kill -9 it stays, and the
# number may be another process's.
pid()
{
	local pid
	pid=$(cat "$VM_DIR/qemu.pid" 2>/dev/null) &&
		tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF "$VM_DIR/qemu.pid" &&
		echo "$pid"
}

make_disk()
{
	[[ -f $VM_DIR/disk.qcow2 ]] && return
	qemu-img create -q -f qcow2 -b "$VM_IMAGE/disk.raw" -F raw "$VM_DIR/disk.qcow2" \
		"${VM_DISK_GIB:-4}G"
}

# guest address:port=host:port; each connection is a socat, which the server knows by its
# own address (a comma of an option is written twice)
forward()
{
	echo "guestfwd=tcp:$1-cmd:socat -b65536 - TCP:$2,,bind=${VM_ADDRESS:-127.0.0.1}"
}

options()
{
	local boot=${VM_BOOT:-kernel} accel cpu=qemu64 words
	accel=$("$here/accel.sh" "$VM_IMAGE")
	[[ $accel == tcg ]] || cpu=host
	# emulated processors are the faster the less they can: qemu64 without AVX
	argv=(qemu-system-x86_64 -name "$VM_NAME" -accel "$accel" -cpu "$cpu"
		-machine q35,sata=off,smbus=off,i8042=off,usb=off,vmport=off
		-smp "${VM_CPUS:-1}" -m "${VM_MEMORY_MIB:-1024}"
		-nodefaults -no-user-config -display none -no-reboot
		-serial "file:$VM_DIR/console.log" -qmp "unix:qmp,server=on,wait=off"
		-pidfile "$VM_DIR/qemu.pid" -daemonize -device virtio-rng-pci
		-smbios "type=1,product=${VM_PRODUCT:-Google Compute Engine}"
		-drive "if=none,id=disk,file=$VM_DIR/disk.qcow2,format=qcow2,cache=unsafe"
		-netdev "user,id=net,restrict=on,ipv6=off,$network,$(forward 169.254.169.254:80 "$VM_METADATA"),$(forward 169.254.169.253:80 "$VM_ENDPOINT")"
		-device virtio-net-pci,netdev=net,romfile=)
	case ${VM_DISK:-nvme} in
	nvme) argv+=(-device nvme,drive=disk,serial=nvme_card-pd) ;;
	scsi) argv+=(-device virtio-scsi-pci,id=scsi -device scsi-hd,drive=disk,bus=scsi.0) ;;
	*)
		echo "vm: VM_DISK is nvme or scsi" >&2
		return 2
		;;
	esac
	# virtio-blk: a namespace of NVMe cannot be read-only in older QEMUs
	[[ -z ${VM_SEED:-} ]] ||
		argv+=(-drive "if=none,id=seed,file=$VM_SEED,format=raw,readonly=on"
			-device virtio-blk-pci,drive=seed)
	words=${VM_WORDS:-}
	[[ ${VM_CLOUD_INIT:-$([[ $boot == uefi ]] && echo yes)} == yes ]] || words+=" cloud-init=disabled"
	if [[ $boot == kernel ]]; then
		argv+=(-kernel "$VM_IMAGE/vmlinuz" -append "$(cat "$VM_IMAGE/cmdline")$words")
		# the kernel itself finds a partition's name on NVMe
		[[ ${VM_DISK:-nvme} == nvme ]] || argv+=(-initrd "$VM_IMAGE/initrd")
		return
	fi
	cp /usr/share/OVMF/OVMF_VARS_4M.fd "$VM_DIR/efi-vars"
	argv+=(-drive if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd
		-drive "if=pflash,format=raw,unit=1,file=$VM_DIR/efi-vars")
	[[ -z ${words# } ]] ||
		argv+=(-smbios "type=11,value=io.systemd.stub.kernel-cmdline-extra=${words# }")
}

up()
{
	: "${VM_IMAGE:?}" "${VM_METADATA:?}" "${VM_ENDPOINT:?}"
	if pid >/dev/null; then
		echo "vm: $VM_NAME runs already"
		return
	fi
	mkdir -p "$VM_DIR"
	rm -f "$VM_DIR"/{qemu.pid,qmp}
	cd "$VM_DIR"
	make_disk
	local argv
	options
	date +%s.%N >"$VM_DIR/started"
	# QEMU must hold none of our descriptors, or who waits for their end waits for the VM's
	exec "${argv[@]}" </dev/null >"$VM_DIR/qemu.log" 2>&1
}

# gone PID SECONDS: has it ended by then?
gone()
{
	local end=$((SECONDS + $2))
	while kill -0 "$1" 2>/dev/null; do
		((SECONDS < end)) || return 1
		sleep 0.1
	done
}

# As Google Cloud stops a machine: the button, 30 s and more, then its end.
down()
{
	local pid begin=$SECONDS
	if ! pid=$(pid); then
		echo "vm: $VM_NAME is off already"
		return
	fi
	# relative, as where it was made: a socket's whole path has at most 108 characters
	cd "$VM_DIR"
	printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"system_powerdown"}' |
		socat -t 1 - UNIX-CONNECT:qmp >/dev/null || true
	if gone "$pid" 60; then
		echo "vm: $VM_NAME went off in $((SECONDS - begin)) s"
		return
	fi
	echo "vm: $VM_NAME did not go off in 60 s: ended"
	kill -9 "$pid" 2>/dev/null || true
	gone "$pid" 5
}

wait_off()
{
	local pid
	pid=$(pid) || return 0
	gone "$pid" "${VM_WAIT_S:-600}"
}

case ${1:-} in
up) up ;;
down) down ;;
wait) wait_off ;;
*)
	echo "usage: vm.sh up|down|wait (see its head)" >&2
	exit 2
	;;
esac
