#!/bin/bash
# gcsfuse that does not build, does not mount, is stopped or dies in mid-run: the step ends
# with its reason, nothing is left behind, the next step is ok.
. tests/e2e/lib.sh
t_begin
need_gcsfuse
start_emulator

printf 'rw,bs,filesize,numjobs\nread,64k,1m,2\n' >"$t_dir/tests.csv"
cat >"$t_dir/job.fio" <<'END'
[global]
ioengine=psync
fallocate=none
rw=${IO_TYPE}
bs=${BS}
filesize=${FILE_SIZE}
numjobs=${THREADS}
directory=${TEST_DATA_DIR}
time_based
runtime=4
[t]
END

split_run() { # RUN CONFIGS-TEXT [FLAGS…]
	local run=$1
	printf '%b' "$2" >"$t_dir/$run.csv"
	shift 2
	muster split "gs://ctl/$run" --tests "$t_dir/tests.csv" --configs "$t_dir/$run.csv" \
		--fio "$t_dir/job.fio" --data gs://data --workers w-1 --iterations 2 \
		--pin "master=$T_GCSFUSE_VERSION" "$@" >"$t_dir/split.out" 2>&1 ||
		sed 's/^/# /' "$t_dir/split.out"
}

# stopped in mid-fio: the step times out, the next one is ok
split_run hang 'commit,mount_args,label\nmaster,,a\n' --timeout 8s
worker hang w-1 & pid=$!
wait_fio "$t_dir/ws-hang-w-1"; is $? 0 "fio runs through gcsfuse"
g=$(find_child "$t_dir/ws-hang-w-1" --custom-endpoint)
kill -STOP "$g"; is $? 0 "gcsfuse is stopped"
wait $pid; is $? 1 "the worker ends 1"
no_leftovers "stopped gcsfuse: no process and no mount is left"
muster collect gs://ctl/hang --out "$t_dir/hang" >/dev/null
is "$(csv "$t_dir/hang/results.csv" state | sort | tr '\n' ' ')" "ok timeout " \
	"the hung step is timeout, the next is ok"

# dies in mid-fio: failed with a reason, the next step is ok
split_run dies 'commit,mount_args,label\nmaster,,a\n'
worker dies w-1 & pid=$!
wait_fio "$t_dir/ws-dies-w-1"
g=$(find_child "$t_dir/ws-dies-w-1" --custom-endpoint)
kill -KILL "$g"; is $? 0 "gcsfuse is killed"
wait $pid; is $? 1 "the worker ends 1"
no_leftovers "dead gcsfuse: no process and no mount is left"
muster collect gs://ctl/dies --out "$t_dir/dies" >/dev/null
is "$(csv "$t_dir/dies/results.csv" state | sort | tr '\n' ' ')" "failed ok " \
	"the step is failed, the next is ok"
like "$(csv "$t_dir/dies/results.csv" reason state failed)" gcsfuse "its reason names gcsfuse"

# told to go when fio has ended and gcsfuse hangs: gone in time, and no failure of the step's
if [ -n "$("$BUILD/muster-worker" --list-points 2>/dev/null)" ]; then
	split_run late 'commit,mount_args,label\nmaster,,a\n'
	MUSTER_STOP_AT=before:unmount worker late w-1 & pid=$!
	wait_fio "$t_dir/ws-late-w-1"
	wpid=$(pgrep -f "muster-worker.*ws-late-w-1" | head -n 1)
	for _ in $(seq 200); do
		case $(cut -d' ' -f3 "/proc/$wpid/stat") in T) break ;; esac
		sleep 0.1
	done
	kill -STOP "$(find_child "$t_dir/ws-late-w-1" --custom-endpoint)"
	t0=$(date +%s)
	kill -TERM "$wpid"
	kill -CONT "$wpid"
	wait $pid; is $? 3 "SIGTERM before an unmount that hangs: the worker ends 3"
	t1=$(date +%s)
	ok "$([ $((t1 - t0)) -le 25 ]; echo $?)" "within 25 s ($((t1 - t0)) s)"
	no_leftovers "no process and no mount is left"
	muster collect gs://ctl/late --out "$t_dir/late" >/dev/null
	is "$(csv "$t_dir/late/results.csv" state label a | sort | tr '\n' ' ')" \
		"interrupted pending pending " "the step is interrupted, not failed"
fi

# does not mount: a flag it does not know
split_run mount 'commit,mount_args,label\nmaster,--no-such-flag,bad\nmaster,,good\n'
worker mount w-1
is $? 1 "one arm cannot mount: the worker ends 1"
muster collect gs://ctl/mount --out "$t_dir/mount" >/dev/null
is "$(csv "$t_dir/mount/results.csv" state label bad | sort -u)" failed "the bad arm's steps failed"
like "$(csv "$t_dir/mount/results.csv" reason label bad)" no-such-flag "with gcsfuse's own words"
is "$(csv "$t_dir/mount/results.csv" state label good | sort -u)" ok "the good arm's are ok"
no_leftovers "no process and no mount is left"

# a program that is not gcsfuse
split_run other 'commit,mount_args,label\nx,,other\nmaster,,good\n' --binary "other=/bin/true"
worker other w-1
is $? 1 "a binary that is no gcsfuse: the worker ends 1"
muster collect gs://ctl/other --out "$t_dir/other-out" >/dev/null
is "$(csv "$t_dir/other-out/results.csv" state label other | sort -u)" failed "its steps failed"
is "$(csv "$t_dir/other-out/results.csv" state label good | sort -u)" ok "the other arm's are ok"

# does not build: no module proxy, nothing in any cache
split_run nobuild 'commit,mount_args,label\nmaster,,a\n'
GOPROXY=off GOMODCACHE="$t_dir/empty-mod" GOFLAGS= MUSTER_CACHE_DIR="$t_dir/empty" worker nobuild w-1
is $? 1 "gcsfuse that does not build: the worker ends 1"
muster collect gs://ctl/nobuild --out "$t_dir/nobuild" >/dev/null
is "$(csv "$t_dir/nobuild/results.csv" state | sort -u)" failed "its steps failed"
like "$(csv "$t_dir/nobuild/results.csv" reason)" "build" "and say that it could not be built"
done_testing
