#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One machine of a local fleet: known to the metadata server, then started by vm.sh.
#   machine.sh up|down
# Environment: vm.sh's, and
#   MACHINE_INSTANCE    what the metadata server says of it (JSON); kept when it starts again
#   MACHINE_SERVER      URL of the emulated bucket
#   MACHINE_START       the number of this start
#   MACHINE_LIMIT_S     it is stopped after so long; empty: never
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

up()
{
	curl -sSf -X PUT -H 'Content-Type: application/json' --data-binary "$MACHINE_INSTANCE" \
		"$MACHINE_SERVER/_emulator/instances/$VM_NAME" >/dev/null
	mkdir -p "$VM_DIR"
	printf '%s\n' "$MACHINE_INSTANCE" >"$VM_DIR/instance.json"
	# the disk is used again; a console of its own for every start
	[[ ! -f $VM_DIR/console.log ]] || mv "$VM_DIR/console.log" "$VM_DIR/console.$((MACHINE_START - 1)).log"
	"$here/vm.sh" up
	echo "$MACHINE_START" >"$VM_DIR/start"
	if [[ -n ${MACHINE_LIMIT_S:-} ]]; then
		# shellcheck disable=SC2016 # the inner shell expands it
		VM_WAIT_S=$MACHINE_LIMIT_S setsid bash -c '"$0" wait || "$0" down' "$here/vm.sh" \
			</dev/null >/dev/null 2>&1 &
	fi
}

down()
{
	"$here/vm.sh" down
	curl -sS -X DELETE "$MACHINE_SERVER/_emulator/instances/$VM_NAME" >/dev/null || true
	rm -rf "$VM_DIR"
}

case ${1:-} in
up) up ;;
down) down ;;
*)
	echo "usage: machine.sh up|down (see its head)" >&2
	exit 2
	;;
esac
