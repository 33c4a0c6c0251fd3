#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The emulated bucket and metadata server of a local base.
#   server.sh up      starts it and returns when it answers; on the ports it had before
#   server.sh down    ends it and deletes everything in it
# Environment: SERVER_DIR, its folder; SERVER_PROGRAM, the muster-emulator; SERVER_BUCKETS;
# SERVER_START, the number of this start.
# The folder has emulator.pid, url (two lines: bucket, metadata host:port), start, data/.
set -euo pipefail
: "${SERVER_DIR:?}"

pid()
{
	local pid
	pid=$(cat "$SERVER_DIR/emulator.pid" 2>/dev/null) &&
		tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF "$SERVER_DIR/data" &&
		echo "$pid"
}

start()
{
	local bucket options=(--data "$SERVER_DIR/data" --port "$1" --metadata-port "$2")
	for bucket in $SERVER_BUCKETS; do
		options+=(--bucket "$bucket")
	done
	: >"$SERVER_DIR/url"
	setsid "$SERVER_PROGRAM" "${options[@]}" </dev/null >"$SERVER_DIR/url" 2>>"$SERVER_DIR/emulator.log" &
	echo $! >"$SERVER_DIR/emulator.pid"
	for _ in $(seq 100); do
		[[ $(wc -l <"$SERVER_DIR/url") -lt 2 ]] || return 0
		kill -0 $! 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}

up()
{
	local port=0 metadata_port=0
	! pid >/dev/null || return 0
	mkdir -p "$SERVER_DIR/data"
	if [[ -f $SERVER_DIR/url && $(wc -l <"$SERVER_DIR/url") == 2 ]]; then
		port=$(sed -n '1s/.*://p' "$SERVER_DIR/url")
		metadata_port=$(sed -n '2s/.*://p' "$SERVER_DIR/url")
	fi
	# somebody else may have the ports by now
	start "$port" "$metadata_port" || start 0 0 || {
		tail -n 5 "$SERVER_DIR/emulator.log" >&2
		return 1
	}
	echo "$SERVER_START" >"$SERVER_DIR/start"
	echo "bucket and metadata server: $(paste -sd' ' "$SERVER_DIR/url")"
}

down()
{
	local pid
	if pid=$(pid); then
		kill "$pid"
		for _ in $(seq 100); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.1
		done
	fi
	rm -rf "$SERVER_DIR"/{data,emulator.pid,emulator.log,url,start}
}

case ${1:-} in
up) up ;;
down) down ;;
*)
	echo "usage: server.sh up|down (see its head)" >&2
	exit 2
	;;
esac
