#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# accel.sh IMAGE: prints the accelerator QEMU can use here, kvm or tcg. /dev/kvm may be there
# and still be unable to run a stock kernel (software virtualisation without vmx or svm):
# only a kernel that booted counts. MUSTER_ACCEL=kvm|tcg decides by hand.
set -u
image=$1
if [[ -n ${MUSTER_ACCEL:-} ]]; then
	echo "$MUSTER_ACCEL"
	exit
fi
# the initial RAM disk says this when no disk follows; it waits for one a minute, we do not
booted='image: '
if [[ -w /dev/kvm ]] && grep -qEw 'vmx|svm' /proc/cpuinfo &&
	timeout -k 1 8 qemu-system-x86_64 -accel kvm -cpu host -machine q35 -m 256 -nodefaults \
		-display none -serial stdio -no-reboot -kernel "$image/vmlinuz" \
		-initrd "$image/initrd" -append 'console=ttyS0 muster.probe panic=-1' \
		</dev/null 2>/dev/null | grep -qm 1 "$booted"; then
	echo kvm
else
	echo tcg
fi
