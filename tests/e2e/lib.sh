# shellcheck shell=bash
# Shared by the whole-run tests: an emulator, workers, TAP. Source it, then call t_begin.
set -u
BUILD=${BUILD:-build}
T_GCSFUSE_VERSION=${T_GCSFUSE_VERSION:-v3.13.0}
t_count=0
t_failed=0
t_pids=()

ok() { # ok CONDITION-STATUS NAME
	t_count=$((t_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $t_count - $2"
	else
		echo "not ok $t_count - $2"
		t_failed=$((t_failed + 1))
	fi
}

is() { # is GOT WANTED NAME
	if [ "$1" = "$2" ]; then
		ok 0 "$3"
	else
		ok 1 "$3"
		printf '#      got: %s\n#   wanted: %s\n' "$1" "$2"
	fi
}

like() { # like TEXT SUBSTRING NAME
	case $1 in
	*"$2"*) ok 0 "$3" ;;
	*)
		ok 1 "$3"
		printf '%s\n' "$1" | tail -n 15 | sed 's/^/#   /'
		printf '#   has no: %s\n' "$2"
		;;
	esac
}

t_skip() {
	echo "1..0 # SKIP $*"
	exit 0
}

t_cleanup() {
	local pid
	for pid in "${t_pids[@]}"; do
		kill "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	[ -n "${KEEP:-}" ] || rm -rf "$t_dir"
}

t_begin() {
	t_dir=$(mktemp -d "${TMPDIR:-/tmp}/muster-test.XXXXXX")
	trap t_cleanup EXIT
	trap 'exit 130' INT TERM
	unset STORAGE_EMULATOR_HOST GOOGLE_APPLICATION_CREDENTIALS
	export MUSTER_RETRY_BASE_MS=20
	# tests run side by side: one measurer per test, not per host
	export MUSTER_MEASURE_LOCK=$t_dir/measure.lock
	# one cache of binaries for all tests: gcsfuse is built once
	export MUSTER_CACHE_DIR=${MUSTER_CACHE_DIR:-$PWD/build/gcsfuse-cache}
	mkdir -p "$MUSTER_CACHE_DIR"
}

# start_emulator [FLAGS…]: sets STORAGE_EMULATOR_HOST
start_emulator() {
	"$BUILD/muster-emulator" --port 0 --bucket ctl --bucket data "$@" \
		>"$t_dir/url" 2>"$t_dir/emulator.log" &
	t_pids+=($!)
	for _ in $(seq 200); do
		[ -s "$t_dir/url" ] && break
		sleep 0.02
	done
	STORAGE_EMULATOR_HOST=$(head -n 1 "$t_dir/url")
	export STORAGE_EMULATOR_HOST
}

muster() { "$BUILD/muster" "$@"; }

# worker RUN NAME [FLAGS…]: in the foreground, output in $t_dir/<run>-<name>.out
worker() {
	local run=$1 name=$2
	shift 2
	"$BUILD/muster-worker" --run "gs://ctl/$run" --worker "$name" \
		--workspace "$t_dir/ws-$run-$name" "$@" >>"$t_dir/$run-$name.out" 2>&1
}

# csv FILE COLUMN [FILTER-COLUMN VALUE]: a column of results.csv, one value a line
csv() {
	python3 - "$@" <<'PY'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
if len(sys.argv) > 3:
    rows = [r for r in rows if r[sys.argv[3]] == sys.argv[4]]
print("\n".join(r[sys.argv[2]] for r in rows))
PY
}

# processes and mounts that must not be left behind
leftovers() {
	local p
	for p in /proc/[0-9]*; do
		case $(readlink "$p/cwd" 2>/dev/null) in
		"$t_dir"/ws-*) echo "process ${p#/proc/} $(tr '\0' ' ' <"$p/cmdline" 2>/dev/null)" ;;
		esac
	done
	grep -F "$t_dir" /proc/self/mountinfo
	return 0
}

# find_child WORKSPACE TEXT: pid of a process that runs below WORKSPACE with TEXT in its
# command line
find_child() {
	local p
	for p in /proc/[0-9]*; do
		case $(readlink "$p/cwd" 2>/dev/null) in
		"$1" | "$1"/*) grep -qaF -- "$2" "$p/cmdline" 2>/dev/null && basename "$p" && return ;;
		esac
	done
	return 1
}

# find_fio WORKSPACE: the measured fio, not one that lays data out. One look at each
# process: of two, the second may be after a layout that the first has seen
find_fio() {
	local p line
	for p in /proc/[0-9]*; do
		case $(readlink "$p/cwd" 2>/dev/null) in
		"$1"/*)
			line=$(tr '\0' ' ' 2>/dev/null <"$p/cmdline")
			case $line in
			*--create_only*) ;;
			*--lat_percentiles*) basename "$p" && return ;;
			esac
			;;
		esac
	done
	return 1
}

# wait_fio WORKSPACE: until the measured fio runs
wait_fio() {
	for _ in $(seq 1200); do
		find_fio "$1" >/dev/null && return 0
		sleep 0.1
	done
	return 1
}

# no_leftovers NAME: within 3 s
no_leftovers() {
	local left
	for _ in $(seq 30); do
		left=$(leftovers)
		[ -z "$left" ] && break
		sleep 0.1
	done
	is "$left" "" "$1"
}

need_gcsfuse() {
	[ "$(id -u)" = 0 ] || command -v fusermount3 >/dev/null || t_skip "cannot mount here"
	[ -w /dev/fuse ] || t_skip "/dev/fuse is not usable here"
	scripts/deps.sh find-go >/dev/null 2>&1 || t_skip "no Go to build gcsfuse with"
}

done_testing() {
	echo "1..$t_count"
	[ $t_failed = 0 ]
	exit $?
}
