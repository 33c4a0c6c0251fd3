# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Shared by the coordinator's tests: an emulator, hand-made runs, TAP. Source it.
set -u
BUILD=${BUILD:-build}
BUILD=$(realpath "$BUILD")
muster=$BUILD/muster
n=0
failed=0

command -v python3 >/dev/null || {
	echo "1..0 # SKIP python3 is not installed"
	exit 0
}
dir=$(mktemp -d "${TMPDIR:-/tmp}/muster-cli.XXXXXX")
"$BUILD/muster-emulator" --port 0 --bucket ctl --bucket data >"$dir/url" 2>"$dir/emulator.log" &
emulator=$!
trap 'kill $emulator 2>/dev/null; wait 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
for _ in $(seq 200); do
	[ -s "$dir/url" ] && break
	sleep 0.02
done
STORAGE_EMULATOR_HOST=$(head -n 1 "$dir/url")
export STORAGE_EMULATOR_HOST MUSTER_RETRY_BASE_MS=5
unset GOOGLE_APPLICATION_CREDENTIALS
export PYTHONPATH=tests/cli PYTHONDONTWRITEBYTECODE=1

ok() { # ok STATUS NAME
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
		sed 's/^/# out: /' "$dir/out" | head -n 30
		sed 's/^/# err: /' "$dir/err" | head -n 30
	fi
}

# run WANTED_EXIT ARG...: muster's output in $dir/out and $dir/err
run() {
	local want=$1 got
	shift
	"$muster" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	[ $got -eq "$want" ] || echo "# exit $got, want $want: muster $*"
	[ $got -eq "$want" ]
}
has() { grep -qF -- "$1" "$dir/out"; }
says() { grep -qF -- "$1" "$dir/err"; }
one_line() { [ "$(wc -l <"$dir/err")" -eq 1 ] && grep -q '^muster: ' "$dir/err"; }

# py: a python program on stdin, after `from make_run import *`
py() {
	{
		printf 'import csv, json, os, subprocess, sys\nfrom make_run import *\n'
		cat
	} | python3 - "$@" >>"$dir/py" 2>&1 || {
		tail -n 8 "$dir/py" | sed 's/^/# py: /'
		return 1
	}
}

finish() {
	echo "1..$n"
	exit $failed
}
