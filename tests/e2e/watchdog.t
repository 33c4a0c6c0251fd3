#!/bin/bash
# A store that hangs, stalls on one upload or is away for a while: every wait has an end, the
# reason says which, and what was measured meanwhile is brought home.
. tests/e2e/lib.sh
t_begin
start_emulator --data "$t_dir/store"
emulator=${t_pids[0]}
disown "$emulator" # killed below without a word

printf 'rw,bs,filesize\nread,64k,1m\n' >"$t_dir/tests.csv"
printf 'commit,mount_args,label\nmaster,,a\nmaster,--implicit-dirs,b\n' >"$t_dir/configs.csv"
cat >"$t_dir/job.fio" <<'END_FIO'
[t]
ioengine=psync
fallocate=none
rw=${IO_TYPE}
bs=${BS}
filesize=${FILE_SIZE}
directory=${TEST_DATA_DIR}
time_based
runtime=2
END_FIO

# split_run RUN [SED-EXPRESSION]: the job, edited before the worker sees it
split_run() {
	muster split "gs://ctl/$1" --tests "$t_dir/tests.csv" --configs "$t_dir/configs.csv" \
		--fio "$t_dir/job.fio" --data gs://data --workers w-1 --iterations 2 \
		--kind dir >"$t_dir/split.out" 2>&1 || sed 's/^/# /' "$t_dir/split.out"
	[ -n "${2:-}" ] || return
	muster store cat "gs://ctl/$1/jobs/w-1.json" | sed "$2" >"$t_dir/job.json"
	muster store cp "$t_dir/job.json" "gs://ctl/$1/jobs/w-1.json" >/dev/null
}
faults() {
	curl -sf -X POST -H 'Content-Type: application/json' -d "$1" \
		"$STORAGE_EMULATOR_HOST/_emulator/faults" >/dev/null
}
states() { csv "$t_dir/$1/results.csv" state counts yes | sort | uniq -c | tr -s ' ' | tr '\n' ';'; }

# one upload never gets an answer: its step fails within upload_timeout_s, the rest is ok
split_run upload 's/"upload_timeout_s":600/"upload_timeout_s":3/'
faults '{"rules":[{"kind":"stall","seconds":3600,"count":1,"method":"POST","match":"monitor_1.csv"}]}'
worker upload w-1
is $? 1 "a stalled upload: the worker ends 1"
faults '{"rules":[]}'
muster collect gs://ctl/upload --out "$t_dir/upload" >/dev/null
is "$(states upload)" " 1 failed; 3 ok;" "one step failed, the others are ok"
like "$(csv "$t_dir/upload/results.csv" reason state failed)" "upload" "its reason names the upload"
ns=$(csv "$t_dir/upload/results.csv" upload_ns state failed)
ok "$([ "${ns:-0}" -ge 3000000000 ] && [ "$ns" -lt 15000000000 ]; echo $?)" \
	"which was given up after upload_timeout_s ($ns ns)"

# an incarnation that was cut off comes back and writes files of the attempt that runs here:
# that attempt is given up, the step goes on with the next one
split_run twin
step=$(muster store cat gs://ctl/twin/jobs/w-1.json |
	python3 -c 'import json, sys; print(json.load(sys.stdin)["steps"][0]["step"])')
worker twin w-1 & pid=$!
wait_fio "$t_dir/ws-twin-w-1"
muster store cp "$t_dir/job.json" \
	"gs://ctl/twin/results/w-1/test-${step%-*}/fio_output_${step#*-}.json" >/dev/null
wait $pid; is $? 0 "an attempt another incarnation wrote to: the worker ends 0"
muster collect gs://ctl/twin --out "$t_dir/twin" >/dev/null
is "$(states twin)" " 4 ok;" "every step is ok"
is "$(csv "$t_dir/twin/results.csv" attempt counts yes | sort | tr '\n' ' ')" "1 1 1 2 " \
	"that step by its second attempt"
like "$(csv "$t_dir/twin/results.csv" reason state interrupted)" "another incarnation" \
	"the first one says why"

# the store is away for some seconds in mid-run: nothing is lost, nothing is run again
split_run away
worker away w-1 & pid=$!
wait_fio "$t_dir/ws-away-w-1"
kill -9 "$emulator"
sleep 4
port=${STORAGE_EMULATOR_HOST##*:}
"$BUILD/muster-emulator" --port "$port" --data "$t_dir/store" >"$t_dir/url2" 2>>"$t_dir/emulator.log" &
emulator=$!
t_pids+=("$emulator")
wait $pid; is $? 0 "a store away for 4 s: the worker ends 0"
muster collect gs://ctl/away --out "$t_dir/away" >/dev/null
is "$(states away)" " 4 ok;" "every step is ok"
is "$(csv "$t_dir/away/results.csv" attempt | sort -u)" 1 "at its first attempt"

# started while orders cannot be read: one of them may say to stop, so no step begins
split_run unread
faults '{"rules":[{"kind":"403","method":"GET","match":"control/000"}]}'
muster stop gs://ctl/unread >/dev/null
[ -n "$("$BUILD/muster-worker" --list-points 2>/dev/null)" ] && {
	MUSTER_JOB_LOOK_MS=100 MUSTER_JOB_WAIT_S=1 worker unread w-1
	is $? 2 "orders that cannot be read: the worker gives up and ends 2"
	like "$(muster store cat gs://ctl/unread/workers/w-1.json)" "control orders" \
		"its reason names them"
	rm "$t_dir/unread-w-1.out"
}
MUSTER_JOB_LOOK_MS=100 worker unread w-1 & pid=$!
for _ in $(seq 100); do
	grep -q "waiting for the control orders" "$t_dir/unread-w-1.out" && break
	sleep 0.1
done
is $? 0 "another one waits"
faults '{"rules":[]}'
wait $pid; is $? 3 "until it reads the order to stop"
muster collect gs://ctl/unread --out "$t_dir/unread" >/dev/null
is "$(states unread)" " 4 cancelled;" "no step was begun"

# a signal while nothing of the store answers: the worker is gone in 25 s all the same
split_run hung
worker hung w-1 & pid=$!
wait_fio "$t_dir/ws-hung-w-1"
kill -STOP "$emulator"
t0=$(date +%s)
kill -TERM "$(pgrep -f "muster-worker.*ws-hung-w-1" | head -n 1)"
wait $pid; is $? 3 "SIGTERM while the store hangs: the worker ends 3"
t1=$(date +%s)
ok "$([ $((t1 - t0)) -le 25 ]; echo $?)" "within 25 s ($((t1 - t0)) s)"
no_leftovers "and nothing is left"
kill -CONT "$emulator"
worker hung w-1
is $? 0 "started again, it finishes"
muster collect gs://ctl/hung --out "$t_dir/hung" >/dev/null
is "$(states hung)" " 4 ok;" "every step is ok"
is "$(csv "$t_dir/hung/results.csv" step counts yes | sort | uniq -d)" "" "and has one result that counts"
done_testing
