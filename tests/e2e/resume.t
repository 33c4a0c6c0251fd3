#!/bin/bash
# Three workers, one killed with -9 for good: muster resume gives its steps to the others.
# Every step has one final result, and none that was committed is run again.
. tests/e2e/lib.sh
t_begin
start_emulator

printf 'rw,bs,filesize,numjobs\nread,64k,256k,1\nread,32k,256k,1\nread,16k,256k,1\n' >"$t_dir/tests.csv"
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
runtime=1
[t]
END

# a run whose workers count as dead after STALE_S, so that nobody has to wait two minutes
split_run() { # RUN STALE_S
	muster split "gs://ctl/$1" --tests "$t_dir/tests.csv" --configs "$t_dir/configs.csv" \
		--fio "$t_dir/job.fio" --data gs://data --workers 3 --iterations 2 \
		--kind dir >"$t_dir/split.out" 2>&1 || sed 's/^/# /' "$t_dir/split.out"
	PYTHONPATH=tests/cli PYTHONDONTWRITEBYTECODE=1 python3 - "$1" "$2" <<'PY'
import hashlib, json, sys
from make_run import Bucket
run, stale_s, b = sys.argv[1], int(sys.argv[2]), Bucket()
config = json.loads(b.get(run + "/config.json"))
config["settings"].update(stale_s=stale_s, heartbeat_s=2)
text = json.dumps(config)
b.put(run + "/config.json", text)
for name in b.names(run + "/jobs/"):
    job = json.loads(b.get(name))
    job["settings"].update(stale_s=stale_s, heartbeat_s=2)
    job["config_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    b.put(name, json.dumps(job))
PY
}

records() { # every record with its generation
	muster store ls -r -l "gs://ctl/$1/results/" 2>/dev/null | grep 'step_[0-9]*\.json' | sort
}

split_run r 6
worker r w-1 &
pids=($!)
# in the middle of a step, after another one has been committed
for _ in $(seq 600); do
	records r | grep -q results/w-1/ && break
	sleep 0.1
done
wait_fio "$t_dir/ws-r-w-1"
is $? 0 "w-1 has ended a step, and runs the next"
kill -9 "$(pgrep -f "muster-worker.*ws-r-w-1" | head -n 1)"
wait "${pids[0]}" 2>/dev/null
killed=$(date +%s%N)
for w in w-2 w-3; do
	worker r $w &
	pids+=($!)
done
for _ in $(seq 300); do
	muster status gs://ctl/r | grep -q '^w-1 .*stale' && break
	sleep 0.2
done
committed=$(records r)
muster resume gs://ctl/r >"$t_dir/resume.out"
is $? 0 "resume"
echo "# resumed $((($(date +%s%N) - killed) / 1000000)) ms after the kill"
like "$(cat "$t_dir/resume.out")" "w-1 is stale" "it says what happened to w-1"
like "$(cat "$t_dir/resume.out")" "steps moved" "and that its steps moved"
muster resume gs://ctl/r >"$t_dir/again.out"
like "$(cat "$t_dir/again.out")" "nothing to move" "once more: nothing to move"
wait "${pids[1]}"
two=$?
wait "${pids[2]}"
is "$two $?" "0 0" "the others end with every step ok"
muster collect gs://ctl/r --out "$t_dir/r" >"$t_dir/collect.out"
is $? 0 "collect: every step is ok"
is "$(csv "$t_dir/r/results.csv" step counts yes | sort | uniq -c | awk '{print $1}' | sort | uniq -c | tr -s ' ')" \
	" 12 1" "every step has one result that counts"
is "$(comm -23 <(echo "$committed") <(records r))" "" "what was committed is as it was"
rerun=$(for step in $(echo "$committed" | sed -n 's|.*results/[^/]*/test-\([0-9]*\)/.*step_\([0-9]*\).json.*|\1-\2|p'); do
	csv "$t_dir/r/results.csv" worker step "$step" | sort | uniq | wc -l
done | sort -u)
is "$rerun" 1 "no step that had ended was run again"
# the last heartbeat may be older than the attempt it would tell of: then no number is skipped
attempts=$(csv "$t_dir/r/results.csv" attempt counts yes | sort | uniq -c | tr -s ' ' | tr '\n' ';')
case $attempts in
" 12 1;" | " 11 1; 1 2;") ok 0 "the one in flight is begun anew:$attempts" ;;
*) ok 1 "the one in flight is begun anew:$attempts" ;;
esac
muster wait gs://ctl/r --timeout 5s
is $? 0 "wait: the run is over, w-1's death notwithstanding"

# the killed worker is started again: it finds that its steps are others'
worker r w-1
is $? 0 "w-1 comes back, and has nothing to do"
like "$(cat "$t_dir/r-w-1.out")" "was moved to another worker" "it says why"
muster collect gs://ctl/r --out "$t_dir/r2" >/dev/null
is "$?" 0 "collect again"
is "$(csv "$t_dir/r/results.csv" step | wc -l)" "$(csv "$t_dir/r2/results.csv" step | wc -l)" "nothing was added"

# nobody is left: new workers are named
split_run n 6
MUSTER_DIE_AT=after:commit worker n w-1 2>/dev/null
MUSTER_DIE_AT=before:measure worker n w-2 2>/dev/null
MUSTER_DIE_AT=before:run-steps worker n w-3 2>/dev/null
sleep 7
committed=$(records n)
muster resume gs://ctl/n --workers new-1,new-2 >"$t_dir/resume.out"
is $? 0 "resume with new workers"
like "$(cat "$t_dir/resume.out")" "new-1 new-2" "it says whom to start"
worker n new-1 & pid=$!
worker n new-2
is $? 0 "new-2 ends with every step ok"
wait $pid; is $? 0 "new-1 too"
muster collect gs://ctl/n --out "$t_dir/n" >/dev/null
is $? 0 "every step is ok"
is "$(comm -23 <(echo "$committed") <(records n))" "" "what was committed is as it was"
is "$(csv "$t_dir/n/results.csv" step counts yes | sort | uniq | wc -l)" 12 "all twelve"

# stopped by an order, and resumed
split_run s 60
worker s w-1 & pid=$!
wait_fio "$t_dir/ws-s-w-1"
muster stop gs://ctl/s >/dev/null
wait $pid; is $? 3 "stopped by order"
muster resume gs://ctl/s --workers w-1 >"$t_dir/resume.out"
is $? 0 "resume lifts the order"
like "$(cat "$t_dir/resume.out")" "the order to stop is lifted" "and says so"
worker s w-1
is $? 0 "started again, it ends with every step ok"

# by hand: what the worker makes of jobs of later rounds, and of former owners
edit() { PYTHONPATH=tests/cli PYTHONDONTWRITEBYTECODE=1 python3 -c "
import json
from make_run import Bucket
b = Bucket()
def job(w, k, steps, name, **more):
    d = json.loads(b.get('h/jobs/w-1.json'))
    d.update(worker=w, round=k, steps=[dict(s, **more) for s in d['steps'] if s['step'] in steps])
    b.put('h/jobs/' + name + '.json', d)
def order(n, workers, steps, k, kind='reassign'):
    b.put('h/control/%04d.json' % n, {'schema': 'muster/control/1', 'kind': kind,
          'workers': workers, 'steps': steps, 'round': k, 'reason': None})
first = [s['step'] for s in json.loads(b.get('h/jobs/w-1.json'))['steps']]
$1"; }
split_run h 60
edit "job('new', 2, first, 'new')"
MUSTER_JOB_WAIT_S=1 worker h new
is $? 2 "a job of round 2 without an order is none"
like "$(cat "$t_dir/h-new.out")" "no job at" "and the worker says so"
MUSTER_DIE_AT=after:commit worker h w-1 2>/dev/null
edit "job('new', 3, first, 'new.r3', **{'from': 'w-1', 'attempt': 2}); order(1, ['w-1', 'new'], first[:3], 3)"
MUSTER_JOB_WAIT_S=20 worker h new
is $? 0 "an order of round 3 brings its job into force, whatever lies under the first name"
like "$(cat "$t_dir/h-new.out")" "step $(edit 'print(first[0])') was committed by w-1 before it moved" \
	"what its former owner has ended is not run"
like "$(cat "$t_dir/h-new.out")" "done: 2 of 2 steps ok" "and of its job only the steps that the order names"
edit "order(2, ['w-1', 'new'], first[3:], 3)"
worker h new
is $? 0 "started again"
like "$(tail -n 3 "$t_dir/h-new.out")" "done: 3 of 3 steps ok" "another order of the round brings in the rest"
is "$(records h | grep -c results/new)" 3 "three records of its own"
worker h w-1
is $? 0 "the old owner comes back"
like "$(tail -n 2 "$t_dir/h-w-1.out")" "done: 1 of 1 steps ok" "with what it had ended, and nothing else"
no_leftovers "nothing is left behind"
done_testing
