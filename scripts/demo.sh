#!/bin/bash
# The main job, end to end, on this machine: an emulated bucket, two workers, real fio,
# real gcsfuse where it can be had, results in a folder.
#   KIND=dir     without gcsfuse        KEEP=1    leave the workspace behind
#   OUT=DIR      the results' folder    BUILD=DIR where the programs are
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
OUT=${OUT:-demo-out}
GCSFUSE_VERSION=${GCSFUSE_VERSION:-v3.13.0}
SUITE=tests/data/suite
work=$(mktemp -d "${TMPDIR:-/tmp}/muster-demo.XXXXXX") || exit 1
emulator=
workers=()

# shellcheck disable=SC2317 # called by the trap
finish() {
	for pid in "${workers[@]}" $emulator; do
		kill "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	[ -n "${KEEP:-}" ] || rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

say() { printf '\n== %s\n' "$*"; }

why_no_gcsfuse() {
	if [ "$(id -u)" != 0 ] && ! command -v fusermount3 >/dev/null; then
		echo "neither root nor fusermount3 to mount with"
	elif [ ! -r /dev/fuse ] || [ ! -w /dev/fuse ]; then
		echo "/dev/fuse is not usable here"
	elif ! scripts/deps.sh find-go >/dev/null 2>&1; then
		echo "no Go 1.21 or newer to build it with"
	fi
}

start_emulator() {
	say "1. an emulated bucket (nothing else is a server)"
	"$BUILD/muster-emulator" --port 0 --bucket muster-control --bucket muster-data \
		>"$work/url" 2>"$work/emulator.log" &
	emulator=$!
	for _ in $(seq 100); do
		[ -s "$work/url" ] && break
		kill -0 "$emulator" 2>/dev/null || break
		sleep 0.05
	done
	STORAGE_EMULATOR_HOST=$(head -n 1 "$work/url")
	[ -n "$STORAGE_EMULATOR_HOST" ] || { cat "$work/emulator.log"; exit 1; }
	export STORAGE_EMULATOR_HOST
	echo "STORAGE_EMULATOR_HOST=$STORAGE_EMULATOR_HOST"
}

# run_once KIND RUN: split, two workers, watch, collect; returns collect's exit code
run_once() {
	local kind=$1 run=gs://muster-control/$2 name
	local pin=()
	[ "$kind" = gcsfuse ] && pin=(--pin "master=$GCSFUSE_VERSION")
	say "2. muster split: the plan, written into the bucket as jobs"
	"$BUILD/muster" split "$run" --tests $SUITE/tests.csv --configs $SUITE/configs.csv \
		--fio $SUITE/job.fio --data gs://muster-data --workers 2 --iterations 2 \
		--kind "$kind" "${pin[@]}" || return 2
	say "3. two workers read their jobs and run them; muster watch shows the fleet"
	workers=()
	for name in w-1 w-2; do
		"$BUILD/muster-worker" --run "$run" --worker $name \
			--workspace "$work/$2-$name" >"$work/$2-$name.out" 2>&1 &
		workers+=($!)
	done
	"$BUILD/muster" watch "$run" --every 1s
	wait "${workers[@]}"
	workers=()
	say "what worker w-1 said"
	tail -n 12 "$work/$2-w-1.out"
	say "4. muster collect: results.csv, results.json, summary.md and the raw files"
	rm -rf "$OUT"
	"$BUILD/muster" collect "$run" --out "$OUT"
}

kind=${KIND:-gcsfuse}
if [ "$kind" = gcsfuse ]; then
	why=$(why_no_gcsfuse)
	if [ -n "$why" ]; then
		echo "gcsfuse cannot be used here ($why): measuring a local folder instead"
		kind=dir
	fi
fi
start_emulator
run_once "$kind" demo
code=$?
if [ $code != 0 ] && [ "$kind" = gcsfuse ] && [ -z "${KIND:-}" ] &&
	! grep -qs ',ok,' "$OUT/results.csv"; then
	echo "gcsfuse could not be had or mounted here (reasons above): the same with a local folder"
	kind=dir
	run_once dir demo-dir
	code=$?
fi
say "done (exit $code)"
cat <<END
Measured: fio's figures of $SUITE/tests.csv, each case with both arms of configs.csv, through
$([ "$kind" = gcsfuse ] && echo "gcsfuse $GCSFUSE_VERSION on the emulated bucket" || echo "a local folder"): figures for plumbing on this machine, not of Cloud Storage.
Next: $OUT/summary.md; change tests.csv or configs.csv and run make demo again;
      muster split --help shows how to aim the same at real buckets and VMs.
END
exit $code
