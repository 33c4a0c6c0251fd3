#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# muster status, watch, wait: hand-made fleets in an emulated bucket.
# shellcheck source=tests/cli/coordinator.sh
. tests/cli/coordinator.sh

py <<'PY'
def fleet(name, states, **more):
    r = Run(name, workers=len(states), tests=1, arms=1, iterations=len(states) * 2)
    r.settings.update(stale_s=3600)
    r.plan()
    for w, s in zip(r.workers, states):
        if s:
            r.heartbeat(w, s, **more)
    return r

def manifests(r, *states):
    for w in r.workers:
        steps = [{"step": s["step"], "attempt": 1, "state": state, "reason": None, "summary": None}
                 for s, state in zip(r.steps[w], states)]
        r.manifest(w, steps)

manifests(fleet("done", ["done", "done"]), "ok", "ok")
manifests(fleet("not-ok", ["done", "done"]), "ok", "failed")
manifests(fleet("void", ["done", "done"]), "invalid", "failed")
fleet("unjudged", ["done", "done"])
manifests(fleet("failed", ["done", "failed"], reason="no /dev/fuse\x1b[31m here"), "ok", "ok")
fleet("cancelled", ["cancelled"])
fleet("interrupted", ["interrupted", "done"])
fleet("waiting", ["done", None])
fleet("running", ["running", "boot"], done=1, step="1-1")
fleet("running-failed", ["running", "failed"], done=1)
fleet("plain", ["running"], done=0, summary=False)
manifests(fleet("plain-done", ["done"], summary=False), "ok", "ok")
r = fleet("no-job", ["done", None])
r.bucket.delete(r.at + "jobs/w-2.json")
r = fleet("stranger", ["done"])
manifests(r, "ok", "ok")
r.steps["w-77"] = []
r.heartbeat("w-77", "nojob", total=1)
r = fleet("broken", ["running"])
r.bucket.put(r.at + "workers/w-1.json", "{", "not a summary")
r = Run("idle", workers=2, tests=1, arms=1, iterations=1).plan().finish()
r.manifest("w-1", [{"step": "1-1", "attempt": 1, "state": "ok", "reason": None, "summary": None}])
PY
for row in "0 done" "1 not-ok" "4 void" "3 unjudged" "1 failed" "1 cancelled" "3 interrupted" \
	"3 waiting" "3 running" "1 running-failed" "3 plain" "0 plain-done" "3 no-job" "0 stranger" \
	"3 broken" "0 idle"; do
	name=${row#* }
	run "${row% *}" status "gs://ctl/$name" && has "run $name: "
	ok $? "status of $name: exit ${row% *}"
done
for row in "0 done" "1 not-ok" "4 void" "1 failed" "1 cancelled" "3 interrupted" "0 plain-done" "0 stranger"; do
	name=${row#* }
	run "${row% *}" wait "gs://ctl/$name" --timeout 20s && [ ! -s "$dir/out" ] && [ ! -s "$dir/err" ]
	ok $? "wait for $name: exit ${row% *}, silent"
done

# --- stealing: the steps of the plan count, wherever they ended ---
py <<'PY'
def stealing(name, *workers):
    r = Run(name, workers=len(workers), tests=1, arms=1, iterations=2 * len(workers))
    r.settings.update(stale_s=3600, steal=True)
    r.plan()
    for w, (state, done, total, lines) in zip(r.workers, workers):
        if state:
            r.heartbeat(w, state, done=done, total=total)
        if lines:
            r.manifest(w, [{"step": f"1-{i + 1}", "attempt": 1, "state": s, "reason": None,
                            "summary": None} for i, s in enumerate(lines)])
ok4 = ["ok"] * 4
stealing("st-moved", ("done", 1, 1, ["ok"]), ("done", 3, 3, ["ok"] * 3))
stealing("st-running", ("running", 1, 2, None), ("running", 1, 4, None))
stealing("st-interrupted", ("interrupted", 0, 2, ["pending"] * 2), ("done", 4, 4, ok4))
stealing("st-failed", ("failed", 0, 2, ["pending"] * 2), ("done", 4, 4, ok4))
stealing("st-never-came", (None, 0, 0, None), ("done", 4, 4, ok4))
stealing("st-bad", (None, 0, 0, None), ("done", 4, 4, ["ok", "ok", "ok", "failed"]))
stealing("st-left", ("interrupted", 1, 2, None), ("done", 2, 2, ["ok"] * 2))
stealing("st-drained", ("cancelled", 2, 2, ["ok", "cancelled"]), ("done", 2, 2, ["ok"] * 2))
PY
for row in "0 st-moved" "3 st-running" "0 st-interrupted" "0 st-failed" "0 st-never-came" "1 st-bad" \
	"3 st-left" "1 st-drained"; do
	name=${row#* }
	run "${row% *}" status "gs://ctl/$name" && has "of 4 steps ended"
	ok $? "status of $name: exit ${row% *}, 4 steps in all"
done
run 0 wait gs://ctl/st-never-came --timeout 20s
ok $? "wait does not wait for a worker whose steps others have done"

run 3 status gs://ctl/running && has "run running: 2 workers, 2 of 4 steps ended" && grep -q '^w-1 .*running .*1-1 .* 1/2 ' "$dir/out"
ok $? "a row: state, step, done of total"
run 1 status gs://ctl/failed && has 'no /dev/fuse [31m here' && ! grep -q "$(printf '\033')" "$dir/out"
ok $? "the reason of a failed worker, without control characters"
run 3 status gs://ctl/no-job && grep -q '^w-2 .*missing .*no job' "$dir/out" && has "1 missing"
ok $? "a worker without a job is missing"
run 0 status gs://ctl/stranger && has "1 under names that the run does not know" && has w-77
ok $? "a stranger is shown, and does not count"
run 3 status gs://ctl/broken && has "heartbeat unreadable"
ok $? "a heartbeat that cannot be read says so"
run 1 status gs://ctl/not-ok && has "2 steps are not ok"
ok $? "a worker is done, its steps need not be ok"
run 3 status gs://ctl/plain && grep -q '^w-1 .*running .* 0/2 ' "$dir/out"
ok $? "a heartbeat without metadata is read whole"

run 1 status gs://ctl/not-ok --json && py "$dir/out" <<'PY'
d = json.load(open(sys.argv[1]))
assert d["schema"] == "muster/status/1" and d["over"] is True and d["run"] == "not-ok"
assert [w["worker"] for w in d["workers"]] == ["w-1", "w-2"]
w = d["workers"][0]
assert w["state"] == "done" and w["view"] == "ended" and (w["done"], w["total"]) == (2, 2)
assert w["steps_not_ok"] == 1 and 0 <= w["age_s"] < 600 and w["step"] is None, w
PY
ok $? "status --json"
run 0 wait gs://ctl/done --json && py "$dir/out" <<'PY'
assert json.load(open(sys.argv[1]))["over"] is True
PY
ok $? "wait --json"

run 3 wait gs://ctl/running --timeout 300ms --every 100ms && one_line && says "not over"
ok $? "wait gives up after --timeout"
run 3 wait gs://ctl/no-job --timeout 300ms
ok $? "a worker without a job is waited for"
run 2 wait gs://ctl/done --every 1ms && one_line && run 2 status gs://ctl/done --every 2s && says "unknown flag"
ok $? "flags that cannot be"

# --- watch ---
run 1 watch gs://ctl/not-ok && [ "$(wc -l <"$dir/out")" -eq 6 ] && has "steps ended; workers: " && has "2 steps are not ok"
ok $? "watch of a run that is over: a line and the table"
"$muster" watch gs://ctl/waiting --every 100ms >"$dir/out" 2>"$dir/err" &
pid=$!
for _ in $(seq 100); do
	[ -s "$dir/out" ] && break
	sleep 0.05
done
sleep 0.5
lines=$(wc -l <"$dir/out")
py <<'PY'
r = Run("waiting", workers=2, tests=1, arms=1, iterations=4)
r.heartbeat("w-2", "running", done=1)
PY
sleep 0.5
[ "$lines" -eq 1 ] && [ "$(wc -l <"$dir/out")" -eq 2 ] && has "1 alive, 0 waiting, 1 ended"
ok $? "watch in a pipe prints changes only"
kill -INT $pid
wait $pid
[ $? -eq 130 ]
ok $? "SIGINT ends it: 130"
"$muster" watch gs://ctl/running --every 100ms --json --timeout 500ms >"$dir/out" 2>"$dir/err"
[ $? -eq 3 ] && [ "$(wc -l <"$dir/out")" -eq 1 ] && py "$dir/out" <<'PY'
assert json.load(open(sys.argv[1]))["steps_done"] == 2
PY
ok $? "watch --json: one document a line"
py "$muster" <<'PY'
import fcntl, pty, signal, struct, termios, time
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], ["muster", "watch", "gs://ctl/running", "--every", "100ms"])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 80, 0, 0))
seen, began = b"", time.monotonic()
while seen.count(b"\x1b[H") < 3 and time.monotonic() - began < 10:
    seen += os.read(fd, 65536)
assert seen.count(b"\x1b[H") >= 3 and b"\x1b[J" in seen and b"run running" in seen, seen
assert b"and 1 more worker" in seen, seen
os.kill(pid, signal.SIGINT)
began = time.monotonic()
assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == 130 and time.monotonic() - began < 5
PY
ok $? "watch on a terminal redraws in place, as many rows as fit"

# --- the store in trouble ---
faults() { py "$@" <<<'Bucket().faults(*[eval(a) for a in sys.argv[1:]])'; }
faults '{"kind": "503", "probability": 0.3}'
run 0 status gs://ctl/done
ok $? "faults that pass change nothing"
faults '{"kind": "403", "match": "workers"}'
run 2 status gs://ctl/done && one_line
ok $? "no permission: exit 2"
faults '{"kind": "stall", "seconds": 60, "match": "workers"}'
"$muster" wait gs://ctl/done >"$dir/out" 2>"$dir/err" &
pid=$!
sleep 0.7
kill -TERM $pid
wait $pid
[ $? -eq 130 ]
ok $? "a signal ends a request under way"
faults

# --- stale, by the store's clock ---
py <<'PY'
r = Run("stale", workers=2, tests=1, arms=1, iterations=4)
r.settings.update(stale_s=2, heartbeat_s=1)
r.plan()
r.heartbeat("w-1", "done")
r.heartbeat("w-2", "running", done=1)
PY
run 3 wait gs://ctl/stale --every 200ms --timeout 30s && [ ! -s "$dir/err" ]
ok $? "wait ends when nobody is left who could go on"
run 3 status gs://ctl/stale && grep -q '^w-2 .*stale ' "$dir/out" && has "1 stale"
ok $? "and status shows who"

for command in status watch wait; do
	run 0 $command --help && has "usage: muster $command RUN" && has "exit code" && has "--json"
	ok $? "$command --help teaches"
	run 2 $command && one_line && run 2 $command gs://ctl/nothing && one_line && says "no run nothing"
	ok $? "$command of no run"
done

finish
