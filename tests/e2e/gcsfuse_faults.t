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

wait_fio() {
	for _ in $(seq 1200); do
		# layout runs are over when the measured one has begun: it has --lat_percentiles
		pgrep -f "fio .*lat_percentiles.*$t_dir/ws-$1" >/dev/null &&
			! pgrep -f "fio .*create_only.*$t_dir/ws-$1" >/dev/null && return 0
		sleep 0.1
	done
	return 1
}

# stopped in mid-fio: the step times out, the next one is ok
split_run hang 'commit,mount_args,label\nmaster,,a\n' --timeout 8s
worker hang w-1 & pid=$!
wait_fio hang; is $? 0 "fio runs through gcsfuse"
g=$(pgrep -f "custom-endpoint.*$t_dir/ws-hang" | head -n 1)
[ -n "$g" ] || g=$(pgrep -f "$t_dir/ws-hang.*" | while read -r p; do
	grep -qa custom-endpoint "/proc/$p/cmdline" && echo "$p"; done | head -n 1)
kill -STOP "$g"; is $? 0 "gcsfuse is stopped"
wait $pid; is $? 1 "the worker ends 1"
no_leftovers "stopped gcsfuse: no process and no mount is left"
muster collect gs://ctl/hang --out "$t_dir/hang" >/dev/null
is "$(csv "$t_dir/hang/results.csv" state | sort | tr '\n' ' ')" "ok timeout " \
	"the hung step is timeout, the next is ok"

# dies in mid-fio: failed with a reason, the next step is ok
split_run dies 'commit,mount_args,label\nmaster,,a\n'
worker dies w-1 & pid=$!
wait_fio dies
g=$(pgrep -f "$t_dir/ws-dies" | while read -r p; do
	grep -qa custom-endpoint "/proc/$p/cmdline" && echo "$p"; done | head -n 1)
kill -KILL "$g"; is $? 0 "gcsfuse is killed"
wait $pid; is $? 1 "the worker ends 1"
no_leftovers "dead gcsfuse: no process and no mount is left"
muster collect gs://ctl/dies --out "$t_dir/dies" >/dev/null
is "$(csv "$t_dir/dies/results.csv" state | sort | tr '\n' ' ')" "failed ok " \
	"the step is failed, the next is ok"
like "$(csv "$t_dir/dies/results.csv" reason state failed)" gcsfuse "its reason names gcsfuse"

# does not mount: a flag it does not know
split_run mount 'commit,mount_args,label\nmaster,--no-such-flag,bad\nmaster,,good\n'
worker mount w-1
is $? 1 "one arm cannot mount: the worker ends 1"
muster collect gs://ctl/mount --out "$t_dir/mount" >/dev/null
is "$(csv "$t_dir/mount/results.csv" state label bad | sort -u)" failed "the bad arm's steps failed"
like "$(csv "$t_dir/mount/results.csv" reason label bad)" no-such-flag "with gcsfuse's own words"
is "$(csv "$t_dir/mount/results.csv" state label good | sort -u)" ok "the good arm's are ok"
no_leftovers "no process and no mount is left"

# does not build, does not exec: a binary that is none
printf '#!/bin/nothing\n' >"$t_dir/broken"
split_run broken 'commit,mount_args,label\nx,,broken\nmaster,,good\n' --binary "broken=$t_dir/broken"
worker broken w-1
is $? 1 "a binary that cannot run: the worker ends 1"
muster collect gs://ctl/broken --out "$t_dir/broken-out" >/dev/null
is "$(csv "$t_dir/broken-out/results.csv" state label broken | sort -u)" failed "its steps failed"
is "$(csv "$t_dir/broken-out/results.csv" state label good | sort -u)" ok "the other arm's are ok"
done_testing
