#!/bin/bash
# Work stealing and muster resume together: a worker that holds a block dies for good.
# Every step has one final result, and none but the one in flight is begun twice.
. tests/e2e/lib.sh
t_begin
start_emulator

printf 'rw,bs,filesize\nread,64k,256k\n' >"$t_dir/tests.csv"
printf 'commit,mount_args,label\nm,,a\nm,,b\n' >"$t_dir/configs.csv"
printf 'commit,mount_args,label\nm,,a\n' >"$t_dir/one.csv"
cat >"$t_dir/job.fio" <<'END'
[t]
ioengine=psync
fallocate=none
rw=${IO_TYPE}
bs=${BS}
filesize=${FILE_SIZE}
directory=${TEST_DATA_DIR}
END

# as in steal.t: a lock folder of its own makes a worker one of another host
if unshare -m sh -c 'mount -t tmpfs none /run/lock' 2>/dev/null; then
	worker() { # RUN NAME
		unshare -m sh -c 'mount -t tmpfs none /run/lock && exec "$@"' - \
			"$BUILD/muster-worker" --run "gs://ctl/$1" --worker "$2" \
			--workspace "$t_dir/ws-$1-$2" >>"$t_dir/$1-$2.out" 2>&1
	}
fi

# a fio that takes its time
real=$(command -v fio)
mkdir -p "$t_dir/bin"
cat >"$t_dir/bin/fio" <<END
#!/bin/bash
PATH=/usr/bin:/bin
case "\$*" in *--create_only*) ;; *--lat_percentiles*) sleep 1 ;; esac
exec $real "\$@"
END
chmod +x "$t_dir/bin/fio"
PATH=$t_dir/bin:$PATH

# split RUN WORKERS ITERATIONS [CONFIGS]: the blocks are all w-1's; it is dead after 4 s
split() {
	muster split "gs://ctl/$1" --tests "$t_dir/tests.csv" \
		--configs "$t_dir/${4:-configs.csv}" \
		--fio "$t_dir/job.fio" --data gs://data --workers "$2" --iterations "$3" \
		--kind dir --steal >"$t_dir/split.out" 2>&1 || sed 's/^/# /' "$t_dir/split.out"
	PYTHONPATH=tests/cli PYTHONDONTWRITEBYTECODE=1 python3 - "$1" <<'PY'
import hashlib, json, sys
from make_run import Bucket
run, b, quick = sys.argv[1], Bucket(), {"stale_s": 4, "heartbeat_s": 1}
config = json.loads(b.get(run + "/config.json"))
config["settings"].update(quick)
text = json.dumps(config)
b.put(run + "/config.json", text)
for name in b.names(run + "/jobs/"):
    job = json.loads(b.get(name))
    job["settings"].update(quick)
    job["config_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    b.put(name, json.dumps(job))
PY
}

# w-1 of RUN ends a step and is killed in the next one of its block
kill_first() {
	worker "$1" w-1 2>/dev/null &
	local pid=$!
	for _ in $(seq 600); do
		muster store ls -r "gs://ctl/$1/results/" 2>/dev/null | grep -q 'w-1/.*step_' && break
		sleep 0.05
	done
	wait_fio "$t_dir/ws-$1-w-1"
	is $? 0 "$1: w-1 has ended a step of its block, and runs the next"
	kill -9 "$(pgrep -f "muster-worker.*ws-$1-w-1" | head -n 1)"
	wait $pid 2>/dev/null
}

wait_stale() {
	for _ in $(seq 200); do
		muster status "gs://ctl/$1" | grep -q '^w-1 .*stale' && return
		sleep 0.1
	done
}

# every planned step of RUN has one record, of the holder of its newest claim; all but one
# are first attempts, and that one is of what was moved
exactly_once() {
	PYTHONPATH=tests/cli PYTHONDONTWRITEBYTECODE=1 python3 - "$1" <<'PY'
import collections, json, re, sys
from make_run import Bucket
run, b = sys.argv[1], Bucket()
names = b.names(run + "/")
docs = {n: json.loads(b.get(n)) for n in names if re.search(r"/(jobs|claims|control)/|/step_\d+\.json$", n)}
jobs = [d for n, d in docs.items() if "/jobs/" in n]
claims = sorted((d for n, d in docs.items() if "/claims/" in n), key=lambda d: d["round"])
moved = {s for n, d in docs.items() if "/control/" in n for s in d["steps"] or []}
planned = sorted(s["step"] for j in jobs if j["round"] == 1 for s in j["steps"])
holder, rounds = {}, collections.Counter(s["step"] for j in jobs for s in j["steps"])
for c in claims:
    holder.update({s: c["worker"] for s in c["steps"] if c["round"] == 1 or s in moved})
seen = collections.defaultdict(list)
for n, d in docs.items():
    if "/results/" in n:
        seen[d["step"]].append((d["worker"], d["attempt"], d["state"]))
wrong = [(s, seen[s], holder.get(s)) for s in planned if [w for w, _, _ in seen[s]] != [holder.get(s)]]
again = [s for s in planned if seen[s] and seen[s][0][1] != 1]
wrong += [s for s in planned for _, _, state in seen[s] if state != "ok"]
wrong += again if len(again) != 1 or again[0] not in moved else []
print("ok" if planned and not wrong and set(seen) == set(planned) else "wrong: %s, again %s" % (wrong, again))
PY
}

# --- the others live ---
split a 3 6
kill_first a
worker a w-2 & two=$!
worker a w-3 & three=$!
wait_stale a
muster resume gs://ctl/a >"$t_dir/resume.out"
is $? 0 "resume"
like "$(cat "$t_dir/resume.out")" "w-1 is stale" "it says what happened to w-1"
like "$(cat "$t_dir/resume.out")" "1 step moved" "the step that w-1 held moves, nothing else"
muster resume gs://ctl/a >"$t_dir/again.out"
like "$(cat "$t_dir/again.out")" "nothing to move" "once more: nothing to move"
# it comes back under its name, with its workspace
worker a w-1
one=$?
wait $two; codes=$?
wait $three
is "$one $codes $?" "0 0 0" "all end with every step ok, also w-1 once it is back"
is "$(exactly_once a)" ok "every step ran once, the one in flight once more"
like "$(cat "$t_dir/a-w-1.out")" "was moved to another worker" "w-1 has learnt that its step is another's"
muster wait gs://ctl/a --timeout 10s >/dev/null
is $? 0 "wait: over and ok"
status=$(muster status gs://ctl/a --json)
like "$status" '"steps_done": 12' "status counts every step once"
like "$status" '"steps_total": 12' "of all there are"
muster collect gs://ctl/a --out "$t_dir/a" >"$t_dir/collect.out"
is $? 0 "collect: every step is ok"
is "$(csv "$t_dir/a/results.csv" step counts yes | sort | uniq -c | awk '{print $1}' | sort | uniq -c | tr -s ' ')" \
	" 12 1" "every step has one result that counts"

# --- nobody lives: a new worker gets it all, and a thief takes from that one's first job ---
split b 2 4
kill_first b
wait_stale b
muster resume gs://ctl/b --workers new-1 >"$t_dir/resume.out"
is $? 0 "resume with a new worker"
is "$(muster store ls gs://ctl/b/claims/ | wc -l)" 4 "what w-1 had not begun is claimed"
worker b new-1 & two=$!
worker b w-2 & three=$!
worker b w-1
one=$?
wait $two; codes=$?
wait $three
is "$one $codes $?" "0 0 0" "all end with every step ok"
is "$(exactly_once b)" ok "every step ran once, the one in flight once more"
ok "$(cat "$t_dir"/b-w-[12].out | grep -q "took block .* of new-1"; echo $?)" "thieves took blocks of the new worker"
muster wait gs://ctl/b --timeout 10s >/dev/null
is $? 0 "wait: over and ok"
muster collect gs://ctl/b --out "$t_dir/b" >"$t_dir/collect.out"
is $? 0 "collect: every step is ok"

# --- nobody lives: its steps are given to a silent worker anew; it comes back and ends the
# one it was at by its old claim, so nobody takes that one by a claim of the new round ---
[ -n "$("$BUILD/muster-worker" --list-points 2>/dev/null)" ] && {
	split c 2 2 one.csv
	MUSTER_STOP_AT=before:upload worker c w-1 & one=$!
	wait_stale c
	muster resume gs://ctl/c >"$t_dir/resume.out"
	is $? 0 "resume where nobody lives"
	like "$(muster store ls gs://ctl/c/jobs/)" "w-1.r2.json" "the steps stay with their worker"
	pkill -CONT -f "muster-worker.*ws-c-w-1"
	wait $one
	is $? 0 "which comes back and ends them"
	is "$(muster store ls gs://ctl/c/claims/ | grep -c '1-1\.r2')" 0 \
		"the one in flight by its first claim"
	worker c w-2
	is "$?$(grep took "$t_dir/c-w-2.out")" 0 "another finds nothing to take"
	muster collect gs://ctl/c --out "$t_dir/c" >"$t_dir/collect.out"
	is "$? $(csv "$t_dir/c/results.csv" worker counts yes | tr '\n' ' ')" "0 w-1 w-1 " \
		"every step counts once, and is its worker's"
}
no_leftovers "nothing is left"
done_testing
