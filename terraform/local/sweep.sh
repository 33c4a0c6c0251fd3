# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What is left of a local base or its machines, for terraform/sweep.sh: processes found by their
# command lines, folders below STATE_DIR (default build/local).
# shellcheck disable=SC2154 # name, run and here come from terraform/sweep.sh

sweep_prepare()
{
	state_dir=$(cd "$here/.." && pwd)/build/local
	state_dir=${STATE_DIR:-$state_dir}
}

# pids FOLDER: QEMUs and emulators that have a file below it in their command line
pids()
{
	local file
	for file in /proc/[0-9]*/cmdline; do
		tr '\0' '\n' <"$file" 2>/dev/null |
			grep -qxE -- "$1(/machines/[^/]*/qemu\.pid|/data)" &&
			basename "${file%/cmdline}"
	done
	return 0
}

# The run of a machine's folder: names alone would take r1-x's w-1 for a machine of r1.
run_of()
{
	sed -n 's|.*"muster-run":"[^"]*/\([^/"]*\)".*|\1|p' "$1/instance.json" 2>/dev/null
}

sweep_list()
{
	local base=$state_dir/$name folder pid
	for folder in "$base"/machines/*/; do
		[[ -d $folder ]] || continue
		[[ -z $run || $(run_of "$folder") == "$run" ]] || continue
		echo "machine - $(basename "$folder")"
	done
	[[ -z $run ]] || return 0
	for pid in $(pids "$base"); do
		[[ $(tr '\0' '\n' <"/proc/$pid/cmdline") == *qemu.pid* ]] || echo "server - $pid"
	done
	[[ ! -d $base ]] || echo "folder - $base"
}

sweep_remove()
{
	local kind=$1 item
	shift 2
	for item in "$@"; do
		case $kind in
		machine)
			VM_DIR=$state_dir/$name/machines/$item "$here/local/vm.sh" down
			rm -rf "$state_dir/$name/machines/$item"
			;;
		server)
			kill "$item" 2>/dev/null || true
			for _ in $(seq 50); do
				kill -0 "$item" 2>/dev/null || break
				sleep 0.1
			done
			;;
		folder) rm -rf "$item" ;;
		esac
	done
}
