# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For split.t and bad_input.t: an emulated bucket, a module proxy in a folder, TAP.
# shellcheck disable=SC2034,SC1091
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
BUILD=${BUILD:-build}
MUSTER=$BUILD/muster
for program in "$MUSTER" "$BUILD/muster-emulator"; do
	[ -x "$program" ] || { echo "1..0 # SKIP $program is not built"; exit 0; }
done
tmp=$(mktemp -d "${TMPDIR:-/tmp}/muster-split.XXXXXX") || exit 1
count=0
emulator=

finish() {
	[ -n "$emulator" ] && kill "$emulator" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$tmp"
}
trap finish EXIT

# ok CODE NAME: CODE 0 passes; further lines of $why are shown on failure
why=
ok() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		printf '%s\n' "$why" | sed 's/^/# /'
	fi
}
plan() { echo "1..$count"; }

start_emulator() {
	"$BUILD/muster-emulator" --port 0 --data "$tmp/store" --bucket control --bucket data \
		>"$tmp/url" 2>"$tmp/emulator.log" &
	emulator=$!
	for _ in $(seq 100); do
		[ -s "$tmp/url" ] && break
		sleep 0.05
	done
	STORAGE_EMULATOR_HOST=$(head -n 1 "$tmp/url")
	export STORAGE_EMULATOR_HOST
	[ -n "$STORAGE_EMULATOR_HOST" ] || { echo "Bail out! no emulator"; exit 1; }
}

# http METHOD PATH [BODY]: one request to the emulator; the reply's body on stdout
http() {
	local host=${STORAGE_EMULATOR_HOST#http://} body=${3:-} line
	exec 9<>"/dev/tcp/${host%:*}/${host##*:}" || return 1
	printf '%s %s HTTP/1.0\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s' \
		"$1" "$2" "$host" "${#body}" "$body" >&9
	while IFS= read -r line <&9 && [ "$line" != $'\r' ] && [ -n "$line" ]; do :; done
	cat <&9
	exec 9>&-
}

# object NAME: an object of the bucket "control"
object() { http GET "/storage/v1/b/control/o/${1//\//%2F}?alt=media"; }

# A module proxy in a folder: v3.1.0 of gcsfuse.
make_proxy() {
	local at=$tmp/proxy/github.com/googlecloudplatform/gcsfuse/v3/@v
	mkdir -p "$at"
	echo '{"Version":"v3.1.0"}' >"$at/v3.1.0.info"
	printf 'module github.com/googlecloudplatform/gcsfuse/v3\n\ngo 1.25.1\n' >"$at/v3.1.0.mod"
	export GOPROXY=file://$tmp/proxy GOSUMDB=off
}

SUITE=tests/data/suite
