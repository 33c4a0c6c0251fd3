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
# boots QEMU-OPTIONS…: does the image's kernel come as far as its initial RAM disk (image/init.c)?
boots()
{
	timeout -k 1 "${MUSTER_PROBE_S:-8}" qemu-system-x86_64 "$@" -machine q35 -m 256 -nodefaults \
		-display none -serial stdio -no-reboot -kernel "$image/vmlinuz" -initrd "$image/initrd" \
		-append 'console=ttyS0 muster.probe panic=-1' </dev/null 2>/dev/null |
		grep -q '^image: booted'
}

if [[ ${2:-} == probe-tcg ]]; then # for the test of the probe itself
	boots -accel tcg
	exit
fi
if [[ -w /dev/kvm ]] && grep -qEw 'vmx|svm' /proc/cpuinfo && boots -accel kvm -cpu host; then
	echo kvm
else
	echo tcg
fi
