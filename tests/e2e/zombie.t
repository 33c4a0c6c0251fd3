#!/bin/bash
# A machine falls silent in the middle of a step, another takes its name over, and it comes
# back: its attempt and its heir's never share a path, and only the heir goes on.
. tests/e2e/lib.sh
t_begin
start_emulator
[ -n "$("$BUILD/muster-worker" --list-points 2>/dev/null)" ] ||
	t_skip "the worker is not built with TESTING=1"
export MUSTER_LEASE_STALE_MS=2000 MUSTER_LEASE_LOOK_MS=200

printf 'rw,bs,filesize\nread,64k,256k\n' >"$t_dir/tests.csv"
cat >"$t_dir/job.fio" <<'END'
[t]
ioengine=psync
fallocate=none
rw=${IO_TYPE}
bs=${BS}
filesize=${FILE_SIZE}
directory=${TEST_DATA_DIR}
END

# start RUN WORKSPACE [POINT]: in the background, each machine with its own measure lock
start() {
	MUSTER_STOP_AT=${3:-} MUSTER_MEASURE_LOCK="$t_dir/lock-$1-$2" "$BUILD/muster-worker" \
		--run "gs://ctl/$1" --worker w-1 --workspace "$t_dir/ws-$1-$2" \
		>"$t_dir/$1-$2.out" 2>&1 &
	pid=$!
	t_pids+=("$pid")
}
# wait_stopped PID: until it has stopped itself
wait_stopped() {
	for _ in $(seq 200); do
		case $(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null) in T) return 0 ;; esac
		sleep 0.05
	done
	return 1
}
split_run() { # RUN MAX-ATTEMPTS
	muster split "gs://ctl/$1" --tests "$t_dir/tests.csv" --fio "$t_dir/job.fio" --kind dir \
		--data gs://data --workers w-1 --iterations 2 --max-attempts "$2" --heartbeat 1s \
		--stale 2s >"$t_dir/split.out" 2>&1 || sed 's/^/# /' "$t_dir/split.out"
}

owners() { # RUN: incarnation and state of w-1's lease, then of its manifest
	local name
	for name in workers/w-1 results/w-1/manifest; do
		muster store cat "gs://ctl/$1/$name.json" | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["incarnation"]["n"], d["state"])'
	done | xargs
}

# the emulator's are the times of the writes
generation() { # RUN NAME
	muster store stat --json "gs://ctl/$1/$2.json" |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["generation"])'
}

# it is silent from before its first heartbeat of the step on: nobody can know of it
split_run late 2
start late one before:upload; one=$pid
wait_stopped "$one"; is $? 0 "a machine falls silent before it uploads"
start late two before:upload; two=$pid
wait_stopped "$two"; is $? 0 "another one takes over and comes as far"
kill -CONT "$one"; wait "$one"
is $? 5 "the first one comes back and finds itself fenced out"
kill -CONT "$two"; wait "$two"
is $? 0 "its heir is not disturbed"
muster collect gs://ctl/late --out "$t_dir/late" >/dev/null
is $? 0 "every step is ok"
is "$(csv "$t_dir/late/results.csv" attempt counts yes | tr '\n' ' ')" "2 1 " \
	"the step that may have been begun is the heir's attempt 2"

# with one attempt alone both are at it: spoiled files are no failure of the step's own
split_run last 1
start last one before:upload; one=$pid
wait_stopped "$one"
start last two before:upload; two=$pid
wait_stopped "$two"; is $? 0 "both machines are at the only attempt"
kill -CONT "$one"; wait "$one"
kill -CONT "$two"; wait "$two"
code=$?
muster collect gs://ctl/last --out "$t_dir/last" >/dev/null
reasons=$(csv "$t_dir/last/results.csv" reason state failed)
case "$code $reasons" in
"0 " | "1 interrupted 1 time; "*"another incarnation"*) ok 0 "adopted, or interrupted with the cause" ;;
*) ok 1 "adopted, or interrupted with the cause: exit $code, $reasons" ;;
esac
is "$(csv "$t_dir/last/results.csv" step counts yes | sort | uniq -d)" "" "nothing counts twice"
# the heir dies as soon as it has the name: what it knew of the silent one goes on all the same
split_run chain 4
start chain one before:upload; one=$pid
wait_stopped "$one"; is $? 0 "once more a machine falls silent in a step"
# as if there had been no time for it: only its heartbeat tells of the step
muster store rm gs://ctl/chain/results/w-1/manifest.json >/dev/null
MUSTER_DIE_AT=after:lease start chain two; wait "$pid"
is $? 137 "its heir is killed when it has just taken the name over"
start chain two before:upload; two=$pid
wait_stopped "$two"
kill -CONT "$one"; wait "$one"
kill -CONT "$two"; wait "$two"
is $? 0 "the heir's second life ends 0"
muster collect gs://ctl/chain --out "$t_dir/chain" >/dev/null
is "$(csv "$t_dir/chain/results.csv" attempt counts yes | tr '\n' ' ')" "2 1 " \
	"and begins with attempt 2"
is "$(csv "$t_dir/chain/results.csv" attempt state interrupted)" "" "it never was at the silent one's"
# what one life found out goes on to the next, even if it had no time to begin anything
split_run handed 8
MUSTER_DIE_AT=before:upload start handed one; wait "$pid"
is $? 137 "a worker is killed in its first step"
start handed one before:run-steps; one=$pid
wait_stopped "$one"
kill -TERM "$one"; kill -CONT "$one"; wait "$one"
is $? 3 "the next life, on the same machine, is told to stop before it begins"
start handed two; wait "$pid"
is $? 0 "another machine finishes"
muster collect gs://ctl/handed --out "$t_dir/handed" >/dev/null
is "$(csv "$t_dir/handed/results.csv" attempt counts yes | tr '\n' ' ')" "2 1 " \
	"and does not use the first attempt's number again"
# killed at the only attempt, and then its steps are moved: their end is not its to write
split_run moved 1
MUSTER_DIE_AT=before:upload start moved one; wait "$pid"
is $? 137 "a worker is killed at the only attempt of a step"
sleep 2.5
muster resume gs://ctl/moved --workers w-2 >/dev/null
start moved one; wait "$pid"
is $? 0 "it comes back when its steps are another's"
muster store ls -r gs://ctl/moved/results/ >"$t_dir/moved.ls"
is "$(grep -c manifest "$t_dir/moved.ls") $(grep -c step_ "$t_dir/moved.ls")" "1 0" \
	"and says nothing of how they ended"
# silent between the lease and the index it has to take over: by then the index is its heir's
split_run index 4
MUSTER_DIE_AT=before:upload start index zero; wait "$pid"
is $? 137 "a worker is killed and leaves an index"
sleep 2.5
start index one after:take-name; one=$pid
wait_stopped "$one"; is $? 0 "the next one falls silent as soon as it has the name"
start index two; wait "$pid"
is $? 0 "its heir finishes"
kill -CONT "$one"; wait "$one"
is $? 5 "the silent one comes back and finds the name another's"
is "$(owners index)" "3 done 3 done" "lease and index are the heir's"
# nobody goes on where a lease says that all is done: the index has to be there by then
ok $(($(generation index workers/w-1) > $(generation index results/w-1/manifest) ? 0 : 1)) \
	"the index was written before the lease said that all is done"
# silent before there is an index: what it writes when it comes back ends nobody but itself;
# its next heartbeat, which would be refused, is late enough
split_run first 4
MUSTER_BEAT_GAP_MS=20000 start first one after:lease; one=$pid
wait_stopped "$one"; is $? 0 "a machine falls silent before it has an index"
start first two after:lease; two=$pid
wait_stopped "$two"; is $? 0 "and its heir finds none"
kill -CONT "$one"; wait "$one"
is $? 5 "the first one writes one and is fenced out"
kill -CONT "$two"; wait "$two"
is $? 0 "its heir is not disturbed by it"
is "$(owners first)" "2 done 2 done" "lease and index are its heir's"
no_leftovers "nothing is left"
done_testing
