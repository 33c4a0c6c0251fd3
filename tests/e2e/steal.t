#!/bin/bash
# Work stealing: who is idle takes over what others have not begun; no step runs twice,
# whatever is killed or lost, and what a dead worker never began is done by the others.
. tests/e2e/lib.sh
t_begin
start_emulator
export MUSTER_RETRY_BASE_MS=5

printf 'rw,bs,filesize\nread,64k,256k\n' >"$t_dir/tests.csv"
printf 'commit,mount_args,label\nm,,a\nm,,b\n' >"$t_dir/configs.csv"
cat >"$t_dir/job.fio" <<'END'
[t]
ioengine=psync
fallocate=none
rw=${IO_TYPE}
bs=${BS}
filesize=${FILE_SIZE}
directory=${TEST_DATA_DIR}
END

# Workers of one host measure one at a time, by a lock in /run/lock; these are to stand for
# hosts of their own, so each gets a folder of its own there.
apart=no
unshare -m sh -c 'mount -t tmpfs none /run/lock' 2>/dev/null && apart=yes
if [ $apart = yes ]; then
	worker() { # RUN NAME, as in lib.sh
		unshare -m sh -c 'mount -t tmpfs none /run/lock && exec "$@"' - \
			"$BUILD/muster-worker" --run "gs://ctl/$1" --worker "$2" \
			--workspace "$t_dir/ws-$1-$2" >>"$t_dir/$1-$2.out" 2>&1
	}
fi

# split RUN ITERATIONS WORKERS [FLAGS…]: the blocks of the one test case are all w-1's
split() {
	local run=$1 iterations=$2 workers=$3
	shift 3
	muster split "gs://ctl/$run" --tests "$t_dir/tests.csv" --configs "$t_dir/configs.csv" \
		--fio "$t_dir/job.fio" --data gs://data --workers "$workers" \
		--iterations "$iterations" --kind dir "$@" >"$t_dir/split.out" 2>&1 ||
		sed 's/^/# /' "$t_dir/split.out"
}

# fleet RUN N: workers w-1 to w-N at once; sets codes
fleet() {
	local i pids=()
	for i in $(seq "$2"); do
		worker "$1" "w-$i" &
		pids+=($!)
	done
	codes=
	for i in "${pids[@]}"; do
		wait "$i"
		codes="$codes $?"
	done
}

faults() {
	python3 - "$@" <<'PY'
import os, sys, urllib.request
urllib.request.urlopen(os.environ["STORAGE_EMULATOR_HOST"] + "/_emulator/faults", sys.argv[1].encode())
PY
}

# every step of RUN: planned, with one record in all of the bucket, by the claim's holder
exactly_once() {
	python3 - "$1" "$BUILD/muster" <<'PY'
import collections, json, re, subprocess, sys
run, muster = "gs://ctl/" + sys.argv[1], sys.argv[2]
def sh(*a):
    return subprocess.run([muster, "store", *a], capture_output=True, text=True).stdout
names = sh("ls", "-r", run + "/").split()
cat = lambda n: json.loads(sh("cat", n))
jobs = [cat(n) for n in names if "/jobs/" in n]
claims = [cat(n) for n in names if "/claims/" in n]
holder = {s: c["worker"] for c in claims for s in c["steps"]}
planned = sorted(s["step"] for j in jobs for s in j["steps"])
records = collections.defaultdict(list)
for n in names:
    m = re.search(r"/results/([^/]+)/test-(\d+)/(?:attempt-\d+/)?step_(\d+)\.json$", n)
    if m:
        records["%s-%s" % (m[2], m[3])].append(m[1])
wrong = [s for s in planned if records[s] != [holder.get(s)]]
wrong += [s for s in records if s not in planned]
twice = len(holder) != sum(len(c["steps"]) for c in claims)
print("ok" if planned and not wrong and not twice else "wrong: %s" % [(s, records[s], holder.get(s)) for s in wrong])
PY
}
makespan() { # RUN: from the first record's start to the last one's end, in ms
	python3 - "$1" "$BUILD/muster" <<'PY'
import datetime, json, re, subprocess, sys
run, muster = "gs://ctl/" + sys.argv[1], sys.argv[2]
def sh(*a):
    return subprocess.run([muster, "store", *a], capture_output=True, text=True).stdout
t = lambda s: datetime.datetime.fromisoformat(s.replace("Z", "+00:00"))
recs = [json.loads(sh("cat", n)) for n in sh("ls", "-r", run + "/results/").split() if re.search(r"/step_\d+\.json$", n)]
print(int((max(t(r["ended"]) for r in recs) - min(t(r["started"]) for r in recs)).total_seconds() * 1000))
PY
}
ran() { csv "$t_dir/out-$1/results.csv" worker counts yes | sort | uniq -c | tr -s ' ' | tr '\n' ';'; }
collect() { muster collect "gs://ctl/$1" --out "$t_dir/out-$1" >"$t_dir/collect.out" 2>&1; }

# a fio that takes its time
real=$(command -v fio)
mkdir -p "$t_dir/bin"
slow() { # SECONDS
	cat >"$t_dir/bin/fio" <<END
#!/bin/bash
PATH=/usr/bin:/bin
case "\$*" in *--create_only*) ;; *--lat_percentiles*) sleep $1 ;; esac
exec $real "\$@"
END
	chmod +x "$t_dir/bin/fio"
}

# three workers, one has everything
path=$PATH
slow 1
PATH=$t_dir/bin:$path
split s1 6 3
fleet s1 3
is "$codes" " 0 0 0" "without --steal: every worker ends 0"
collect s1
is "$(ran s1)" " 12 w-1;" "and one ran it all"
split s2 6 3 --steal
like "$(muster store cat gs://ctl/s2/jobs/w-2.json)" '"steal":true' "the job says so"
fleet s2 3
is "$codes" " 0 0 0" "with --steal: every worker ends 0"
collect s2
is $? 0 "collect: every step is ok"
is "$(exactly_once s2)" ok "every step ran once, on the worker that claimed it"
is "$(ran s2 | grep -o 'w-' | wc -l)" 3 "every worker ran steps: $(ran s2)"
status=$(muster status gs://ctl/s2 --json)
is $? 0 "status: over and ok"
like "$status" '"steps_total": 12' "the fleet's sum is the plan's"
like "$status" '"steps_done": 12' "and all of it has ended"
PATH=$path
echo "# makespan without and with --steal: $(makespan s1) and $(makespan s2) ms (hosts apart: $apart)"
muster split gs://ctl/s2 --tests "$t_dir/tests.csv" --configs "$t_dir/configs.csv" \
	--fio "$t_dir/job.fio" --data gs://data --workers 3 --iterations 6 --kind dir 2>"$t_dir/err"
is $? 2 "the run is another without --steal"
like "$(cat "$t_dir/err")" "settings" "and that is named"

# started again, nobody finds anything to do
before=$(muster store ls -r gs://ctl/s2/results/ | grep step_ | sort)
fleet s2 3
is "$codes" " 0 0 0" "started again: every worker ends 0"
is "$(muster store ls -r gs://ctl/s2/results/ | grep step_ | sort)" "$before" "and runs nothing"

# the job's owner never comes: the others do all of it
split s3 4 3 --steal
worker s3 w-2 & a=$!
worker s3 w-3 & b=$!
wait $a; wait $b
collect s3
is $? 0 "one worker never came: every step is ok"
is "$(exactly_once s3)" ok "one worker never came: each ran once"
muster wait gs://ctl/s3 --timeout 5s >/dev/null
is $? 0 "wait does not wait for it"

# a spread design: each step moves alone, and the late worker finds what is left
split s4 3 2 --design spread --steal
worker s4 w-1
worker s4 w-2
collect s4
is $? 0 "spread: every step is ok"
is "$(exactly_once s4)" ok "spread: each ran once"
is "$(ran s4)" " 6 w-1;" "the first to come did all of it"

# an arm whose gcsfuse cannot be had: nobody takes it from the one whose it is
if [ -w /dev/fuse ] && [ "$(id -u)" = 0 ]; then
	printf 'commit,mount_args,label,kind\nm,,a,dir\nm,,b,gcsfuse\n' >"$t_dir/arms.csv"
	# any program, with bytes of its own so that no cache has it
	{ cat /bin/true; date +%s%N; } >"$t_dir/no-gcsfuse"
	muster split gs://ctl/s5 --tests "$t_dir/tests.csv" --configs "$t_dir/arms.csv" \
		--fio "$t_dir/job.fio" --data gs://data --workers w-1,w-2 --iterations 2 \
		--binary "b=$t_dir/no-gcsfuse" --design spread --steal >"$t_dir/split.out" 2>&1 ||
		sed 's/^/# /' "$t_dir/split.out"
	muster store rm "$(muster store ls -r gs://ctl/_cache/ | grep '/gcsfuse$')" 2>"$t_dir/err"
	worker s5 w-1 # has arm a, and nothing else it could run
	is $? 0 "no binary: the thief ends 0"
	is "$(muster store ls gs://ctl/s5/claims/ | wc -l)" 2 "no binary: it claimed its own steps only"
	worker s5 w-2
	is $? 1 "no binary: the owner says so"
	collect s5
	is "$(ran s5)" " 2 w-1; 2 w-2;" "no binary: its steps failed where they were planned"
fi

# replies lost, errors, resets: two idle thieves race for the last units, again and again
races=${T_RACES:-12}
good=0
both=0
for n in $(seq "$races"); do
	run=r$n
	split "$run" 2 3 --steal
	faults '{"seed":'"$n"',"rules":[
		{"kind":"lost","probability":0.3,"method":"POST"},
		{"kind":"503","probability":0.1},{"kind":"reset","probability":0.05}]}'
	fleet "$run" 3
	faults '{"seed":1,"rules":[]}'
	[ "$codes" = " 0 0 0" ] && [ "$(exactly_once $run)" = ok ] && good=$((good + 1)) ||
		echo "# $run: $codes; $(exactly_once $run)"
	both=$((both + $(grep -l "took block" "$t_dir/$run"-w-[23].out | wc -l)))
done
is $good "$races" "$races races under faults: every step once, by its claim's holder ($both thefts)"
ok $((both > 0 ? 0 : 1)) "there were thefts"

# kill -9 between the claim and the first phase, of an own unit and of a stolen one
if [ -n "$("$BUILD/muster-worker" --list-points 2>/dev/null)" ]; then
	for point in after:unit-claim after:steal before:layout after:upload; do
		run=k-${point#*:}
		split "$run" 4 2 --steal
		# the thief alone: with nothing of its own it steals at once
		victim=w-2
		[ $point = after:unit-claim ] && victim=w-1
		(MUSTER_DIE_AT=$point worker "$run" $victim) 2>/dev/null
		is $? 137 "$point: killed"
		held=$(muster store ls "gs://ctl/$run/claims/" | wc -l)
		is "$held" 1 "$point: one unit is claimed"
		fleet "$run" 2
		is "$codes" " 0 0" "$point: both end 0"
		collect "$run"
		is $? 0 "$point: every step is ok"
		is "$(csv "$t_dir/out-$run/results.csv" step counts yes | sort | uniq -d)" "" \
			"$point: no step counts twice"
		case $point in
		after:*[ml]) is "$(exactly_once "$run")" ok "$point: each ran once" ;;
		esac
		like "$(cat "$t_dir/$run-$victim.out")" "ok in" "$point: $victim went on with its own"
	done
fi

# a drain: what is cancelled was claimed, so nobody runs it after all
split d1 8 2 --steal
slow 0.5
PATH=$t_dir/bin:$path
worker d1 w-1 & a=$!
worker d1 w-2 & b=$!
sleep 2
muster stop gs://ctl/d1 >/dev/null
wait $a; wait $b
PATH=$path
collect d1
is "$(exactly_once d1)" ok "drained: every step ended once, by the claim's holder"
is "$(csv "$t_dir/out-d1/results.csv" state counts yes | sort -u | tr '\n' ' ')" "cancelled ok " \
	"some are ok, the rest is cancelled"
no_leftovers "nothing is left"
done_testing
