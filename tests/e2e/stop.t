#!/bin/bash
# stop, stop --abort, SIGTERM, duplicates: the right states, and nothing left behind. fio
# jobs run without thread=1, so that each is a process of its own that called setsid().
. tests/e2e/lib.sh
t_begin
start_emulator

printf 'rw,bs,filesize,numjobs\nread,64k,1m,4\n' >"$t_dir/tests.csv"
printf 'commit,mount_args,label\nmaster,,a\nmaster,--implicit-dirs,b\n' >"$t_dir/configs.csv"
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
runtime=5
[t]
END

split_run() { # RUN [FLAGS…]
	local run=$1
	shift
	muster split "gs://ctl/$run" --tests "$t_dir/tests.csv" --configs "$t_dir/configs.csv" \
		--fio "$t_dir/${job:-job.fio}" --data gs://data --workers w-1 --iterations 2 \
		--kind dir "$@" >"$t_dir/split.out" 2>&1 || sed 's/^/# /' "$t_dir/split.out"
}

# drain: the step in flight is finished, the rest cancelled
split_run drain
worker drain w-1 & pid=$!
wait_fio "$t_dir/ws-drain-w-1"; is $? 0 "fio runs"
muster stop gs://ctl/drain >"$t_dir/stop.out"
is $? 0 "stop writes an order"
wait $pid; is $? 3 "the worker ends 3: stopped by order"
muster collect gs://ctl/drain --out "$t_dir/drain" >/dev/null
is "$(csv "$t_dir/drain/results.csv" state | sort | uniq -c | tr -s ' ' | tr '\n' ';')" \
	" 3 cancelled; 1 ok;" "drain: one step ok, the rest cancelled"

# abort: fio is interrupted; orders are read at each heartbeat, so it must last longer
sed 's/^runtime=.*/runtime=45/' "$t_dir/job.fio" >"$t_dir/long.fio"
job=long.fio split_run abort
worker abort w-1 & pid=$!
wait_fio "$t_dir/ws-abort-w-1"
muster stop gs://ctl/abort --abort >/dev/null
wait $pid; is $? 3 "the aborted worker ends 3"
no_leftovers "abort: no fio is left"
muster collect gs://ctl/abort --out "$t_dir/abort" >/dev/null
is "$(csv "$t_dir/abort/results.csv" state | sort | uniq -c | grep -c ' ok')" 0 "abort: no step is ok"

# SIGTERM: interrupted, then resumed by the same worker; nothing committed is run again
split_run term
worker term w-1 & pid=$!
wait_fio "$t_dir/ws-term-w-1"
t0=$(date +%s)
wpid=$(pgrep -f "muster-worker.*ws-term-w-1" | head -n 1)
kill -TERM "$wpid"
wait $pid; is $? 3 "SIGTERM: the worker ends 3"
t1=$(date +%s)
ok "$([ $((t1 - t0)) -le 25 ]; echo $?)" "within 25 s ($((t1 - t0)) s)"
no_leftovers "SIGTERM: nothing is left"
like "$(muster status gs://ctl/term)" interrupted "status says interrupted"
worker term w-1
is $? 0 "started again, the worker finishes"
muster collect gs://ctl/term --out "$t_dir/term" >/dev/null
is $? 0 "every step is ok"
is "$(csv "$t_dir/term/results.csv" attempt counts yes | sort | tr '\n' ' ')" "1 1 1 2 " \
	"the interrupted step is attempt 2, the others 1"

# a timeout ends the step, kills all of fio, and the next step runs
split_run timeout --timeout 2s
worker timeout w-1
is $? 1 "timeout: the worker ends 1"
no_leftovers "timeout: no fio is left"
muster collect gs://ctl/timeout --out "$t_dir/timeout" >/dev/null
is "$?" 1 "collect says no"
is "$(csv "$t_dir/timeout/results.csv" state | sort -u)" timeout "every step is timeout"

# two workers of one name
split_run twins
worker twins w-1 & pid=$!
wait_fio "$t_dir/ws-twins-w-1"
"$BUILD/muster-worker" --run gs://ctl/twins --worker w-1 --workspace "$t_dir/ws-twins-w-1" \
	>"$t_dir/twin.out" 2>&1
is $? 5 "a second process in one workspace ends 5"
timeout 20 "$BUILD/muster-worker" --run gs://ctl/twins --worker w-1 \
	--workspace "$t_dir/ws-twins-other" >"$t_dir/twin2.out" 2>&1 &
twin=$!
wait $pid; is $? 0 "the first one is not disturbed"
wait $twin
muster collect gs://ctl/twins --out "$t_dir/twins" >/dev/null
is $? 0 "twins: every step ok"
is "$(csv "$t_dir/twins/results.csv" attempt | sort -u)" 1 "and none was run twice"
done_testing
