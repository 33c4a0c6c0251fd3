#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# muster resume: hand-made fleets in an emulated bucket; killed between any two writes, two
# at once. What must hold afterwards is said once, in check().
# shellcheck source=tests/cli/coordinator.sh
. tests/cli/coordinator.sh

# what the tests below share: fleets, and the run as a reader of the bucket sees it
cat >"$dir/fleets.py" <<'PY'
import itertools, json, re, sys
from make_run import *

FINAL = ("ok", "failed", "timeout", "invalid")

def fleet(name, states, iterations=2, **more):
    """Workers in these states (None: never seen), one step each and iteration."""
    r = Run(name, workers=len(states), tests=1, arms=2, iterations=len(states) * iterations // 2)
    r.settings.update(stale_s=3600)
    r.plan()
    for w, s in zip(r.workers, states):
        if s:
            r.heartbeat(w, s, **dict({"done": 0}, **more))
    return r

def load(name):
    """jobs by (worker, round), orders in force, records by step: as any reader may."""
    b, jobs, orders, records = Bucket(), {}, [], {}
    for n in b.names(f"{name}/"):
        part = n.split("/", 1)[1]
        if part.startswith("jobs/"):
            doc = json.loads(b.get(n))
            assert (doc["worker"], doc["round"]) not in jobs, n
            jobs[doc["worker"], doc["round"]] = doc
        if part.startswith("control/"):
            orders.append(json.loads(b.get(n)))
        if m := re.match(r"results/([^/]+)/.*step_\d+\.json", part):
            doc = json.loads(b.get(n))
            records.setdefault(doc["step"], []).append(doc)
    return jobs, orders, records

def owners(name):
    """step -> (owner, its plan): first round, then each reassign in turn."""
    jobs, orders, _ = load(name)
    own = {s["step"]: (w, s) for (w, k), d in jobs.items() if k == 1 for s in d["steps"]}
    for o in orders:
        if o["kind"] != "reassign":
            continue
        assert o["round"] >= 2 and o["steps"] and o["workers"]
        for step in o["steps"]:
            has = [(w, s) for (w, k), d in jobs.items() if k == o["round"] and w in o["workers"]
                   for s in d["steps"] if s["step"] == step]
            assert len(has) == 1, f"{step}: {len(has)} workers have it in round {o['round']}"
            assert own[step][0] in o["workers"], "the loser is told"
            own[step] = has[0]
    return own

def check(name, dead, targets, known={}):
    """Every step that is not final is with a target; no attempt is used twice."""
    own, (jobs, orders, records) = owners(name), load(name)
    for step, (w, plan) in own.items():
        mine = sorted((r for r in records.get(step, []) if r["worker"] == w), key=lambda r: r["attempt"])
        if mine and mine[-1]["state"] in FINAL:
            continue
        assert w not in dead or w in targets, f"{step} is with {w}"
        if w in dead or plan.get("from"):
            assert plan["attempt"] > max([r["attempt"] for r in records.get(step, [])], default=0)
            assert plan["attempt"] > known.get(step, 0)
    return own
PY
export PYTHONPATH=$PYTHONPATH:$dir
pyf() { { printf 'from fleets import *\n'; cat; } | py "$@"; }

# --- who is dead, who takes ---
pyf <<'PY'
r = fleet("plain", ["interrupted", "running", "running", None])
r.put_record(r.record("w-1", *[int(x) for x in r.steps["w-1"][0]["step"].split("-")]))
fleet("nobody", ["failed", "interrupted"], reason="no /dev/fuse")
fleet("over", ["done", "done"]).finish()
r = fleet("waiting", [None, None])
fleet("stranger", ["failed"]); Run("stranger", workers=9).heartbeat("w-9", "nojob", total=0)
PY
run 0 resume gs://ctl/plain --dry-run && has "1 step would be moved" && [ -z "$(py plain <<<'b=Bucket(); assert not b.names("plain/control")')" ]
ok $? "--dry-run writes nothing"
run 0 resume gs://ctl/plain && has "w-1 ended interrupted: 1 step to w-2" && has "1 step moved" && has "to be started, unless they are just booting: w-4" && [ ! -s "$dir/err" ]
ok $? "the one unfinished step of an ended worker moves"
pyf <<'PY'
check("plain", {"w-1"}, {"w-2", "w-3"})
jobs, orders, _ = load("plain")
assert [o["kind"] for o in orders] == ["reassign"] and orders[0]["workers"] == ["w-1", "w-2"]
s, = jobs["w-2", 2]["steps"]
assert s["from"] == "w-1" and s["attempt"] == 1, s
assert jobs["w-1", 2]["steps"] == []
PY
ok $? "as one job and one order; a job without steps claims the round"
before=$("$muster" store ls -r -l gs://ctl/plain/)
run 0 resume gs://ctl/plain && has "nothing to move" && [ "$before" = "$("$muster" store ls -r -l gs://ctl/plain/)" ]
ok $? "a second resume writes nothing"
run 0 resume gs://ctl/over && has "nothing to move: all 4 steps have ended"
ok $? "a run that is over"
run 0 resume gs://ctl/waiting && has "nothing to move" && has "w-1 w-2"
ok $? "workers that were never seen, within the boot time, are waited for"
run 0 resume gs://ctl/nobody && has "w-1 ended failed (no /dev/fuse): 2 steps to it again" && has "muster-worker --run gs://ctl/nobody --worker w-1"
ok $? "nobody lives: the owners have them again, and must be started"
run 0 resume gs://ctl/nobody && has "nothing to move" && has "w-1 w-2"
ok $? "and once more: nothing"
run 3 status gs://ctl/nobody && has "2 waiting" && run 3 wait gs://ctl/nobody --timeout 300ms --every 100ms && says "not over"
ok $? "status and wait: they are waited for"
run 0 resume gs://ctl/stranger && ! has "to w-9"
ok $? "a stranger takes nothing"
pyf <<'PY'
fleet("stranger2", ["failed"]); Run("stranger2", workers=9).heartbeat("w-9", "nojob", total=0)
PY
run 0 resume gs://ctl/stranger2 --workers w-9 && has "2 steps to w-9" && ! has "to be started"
ok $? "unless it is named"

# --- new workers ---
pyf <<'PY'
fleet("new", ["failed", "failed"], iterations=4)
PY
run 0 resume gs://ctl/new --workers new-1,new-2 --json && pyf "$dir/out" <<'PY'
d = json.load(open(sys.argv[1]))
assert d["schema"] == "muster/resume/1" and d["run"] == "new" and not d["dry_run"] and not d["lifted"]
assert d["rounds"] == [2] and d["orders"] == [1] and len(d["moves"]) == 8 and d["start"] == ["new-1", "new-2"]
assert {m["from"] for m in d["moves"]} == {"w-1", "w-2"} and not any(m["ended"] for m in d["moves"])
w = d["workers"][0]
assert w["worker"] == "w-1" and w["role"] == "dead" and w["view"] == "ended" and w["state"] == "failed" and w["steps"] == 4
own = check("new", {"w-1", "w-2"}, {"new-1", "new-2"})
assert sorted(w for w, _ in own.values()) == ["new-1"] * 4 + ["new-2"] * 4
job = json.loads(Bucket().get("new/jobs/new-1.json"))
assert job["round"] == 2
PY
ok $? "new workers: their first job has the first name, and its round inside; --json"
run 3 status gs://ctl/new && has "new-1" && has "waiting"
ok $? "status knows them"
"$muster" collect gs://ctl/new --out "$dir/new" >"$dir/out" 2>"$dir/err"
[ $? -eq 3 ] && ! grep -q refused "$dir/new/summary.md"
ok $? "collect takes their jobs"
run 2 resume gs://ctl/new --workers 'W 1' && one_line && run 2 resume gs://ctl/new --workers w-1,w-1 && one_line
ok $? "names that are none"

# --- cancelled steps ---
pyf <<'PY'
r = fleet("drained", ["cancelled", "running"], iterations=4)
for i, s in enumerate(r.steps["w-1"]):
    r.put_record(r.record("w-1", s["matrix_id"], s["iteration"], "ok" if i == 0 else "cancelled"))
s = r.steps["w-2"][1]
r.put_record(r.record("w-2", s["matrix_id"], s["iteration"], "cancelled"))
PY
"$muster" stop gs://ctl/drained >/dev/null
run 0 resume gs://ctl/drained && has "the order to stop is lifted" && has "w-1 ended cancelled: 3 steps to w-2" && has "w-2 lives: 1 step to it again"
ok $? "an order to stop is lifted; what it cancelled runs again"
pyf <<'PY'
check("drained", {"w-1"}, {"w-2"})
jobs, orders, _ = load("drained")
assert [o["kind"] for o in orders] == ["drain", "resume", "reassign"] and orders[1]["workers"] is None
assert all(s["attempt"] == 2 for s in jobs["w-2", 2]["steps"]) and len(jobs["w-2", 2]["steps"]) == 4
assert [s.get("from") for s in jobs["w-2", 2]["steps"]].count("w-1") == 3
PY
ok $? "as attempt 2"
run 0 resume gs://ctl/drained && has "nothing to move" && ! has lifted
ok $? "and only once"

# --- attempts: records, files, heartbeats ---
pyf <<'PY'
r = fleet("tries", ["interrupted", "running"], iterations=6)
a, b, c = ((s["matrix_id"], s["iteration"]) for s in r.steps["w-1"][:3])
r.put_record(r.record("w-1", *a, "interrupted", attempt=1))
r.bucket.put(r.folder("w-1", b[0], 2) + f"job_{b[1]}.fio", "x")
r.heartbeat("w-1", "interrupted", done=0, step="%d-%d" % c)
PY
run 0 resume gs://ctl/tries && pyf <<'PY'
jobs, _, _ = load("tries")
r = Run("tries", workers=2, tests=1, arms=2, iterations=6)
first = [s["step"] for s in r.steps["w-1"]]
got = {s["step"]: s["attempt"] for s in jobs["w-2", 2]["steps"]}
assert got == dict(zip(first, (2, 3, 2, 1, 1, 1))), got
PY
ok $? "the next attempt: after a record, a file, a heartbeat, none"

# --- a former owner that ended its step all the same ---
pyf <<'PY'
r = fleet("late", ["interrupted", "running"])
PY
run 0 resume gs://ctl/late && pyf <<'PY'
r = Run("late", workers=2, tests=1, arms=2, iterations=2)
s = r.steps["w-1"][0]
r.put_record(r.record("w-1", s["matrix_id"], s["iteration"], "failed"))
PY
run 0 resume gs://ctl/late && has "w-2 lives: 1 step back to w-1, which has ended it" && pyf <<'PY'
r = Run("late", workers=2, tests=1, arms=2, iterations=2)
own = check("late", {"w-1"}, {"w-2"})
w, plan = own[r.steps["w-1"][0]["step"]]
assert w == "w-1" and plan["attempt"] == 1, (w, plan)
PY
ok $? "it gets it back, and its record counts"
run 0 resume gs://ctl/late && has "nothing to move"
ok $? "once"

# --- what cannot be resumed ---
pyf <<'PY'
r = fleet("half", ["failed", "running"]); r.bucket.delete("half/jobs/w-2.json")
r = fleet("badorder", ["failed", "running"]); r.bucket.put("badorder/control/0001.json", "{}")
PY
run 2 resume gs://ctl/half && one_line && says "repeat it first"
ok $? "split has not finished"
run 2 resume gs://ctl/badorder && one_line && says "control/0001.json"
ok $? "an order that nobody can read"
run 2 resume gs://ctl/none && one_line && run 2 resume && one_line
ok $? "no such run"
py <<<'Bucket().faults({"kind": "503", "match": "results", "probability": 0.5})'
pyf <<<'fleet("faulty", ["failed", "running"])'
run 0 resume gs://ctl/faulty && has "2 steps moved"
ok $? "faults that pass change nothing"
pyf <<<'fleet("lost", ["failed", "running"]); Bucket().faults({"kind": "lost", "method": "POST", "match": "/o?", "count": 3})'
run 0 resume gs://ctl/lost && pyf <<<'check("lost", {"w-1"}, {"w-2"}); assert len(load("lost")[1]) == 1'
ok $? "nor do lost replies"
py <<<'Bucket().faults()'

# --- many steps: more than one order ---
pyf <<<'fleet("long", ["failed", "running"], iterations=12000)'
run 0 resume gs://ctl/long && pyf <<'PY'
jobs, orders, _ = load("long")
assert len(orders) > 1 and {o["round"] for o in orders} == {2}
assert sum(len(o["steps"]) for o in orders) == 12000 and len(jobs["w-2", 2]["steps"]) == 12000
b = Bucket()
assert max(len(b.get(n)) for n in b.names("long/control/")) <= 65536
PY
ok $? "12,000 steps: several orders of one round, each below 64 KiB"

# --- two at once ---
bad=0
for i in $(seq 20); do
	pyf "$i" <<<'fleet("two" + sys.argv[1], ["failed", "running", "running", "interrupted"], iterations=4)'
	"$muster" resume "gs://ctl/two$i" --workers "w-4" >"$dir/a" 2>"$dir/err" &
	pid=$!
	"$muster" resume "gs://ctl/two$i" --workers "new" >"$dir/out" 2>>"$dir/err"
	b=$?
	wait $pid
	a=$?
	pyf "two$i" <<<'check(sys.argv[1], {"w-1", "w-4"}, {"w-2", "w-3", "w-4", "new"})' && [ $a$b = 00 ] || bad=$((bad + 1))
	run 0 resume "gs://ctl/two$i" && has "nothing to move" || bad=$((bad + 1))
done
[ $bad -eq 0 ]
ok $? "two at once, 20 times: every step has one owner, nothing is left to do ($bad bad)"
pyf <<<'fleet("six", ["failed", "running", "running"], iterations=4)'
pids=()
for i in 1 2 3 4 5 6; do
	"$muster" resume gs://ctl/six >"$dir/six-$i" 2>&1 &
	pids+=($!)
done
good=0
for pid in "${pids[@]}"; do
	wait "$pid" && good=$((good + 1))
done
[ $good -eq 6 ] && pyf <<<'check("six", {"w-1"}, {"w-2", "w-3"}); assert len(load("six")[1]) == 1'
ok $? "six at once: one of them moves, once"

# --- a receiver that ends just before it could know ---
pyf "$muster" <<'PY'
import time
r = fleet("race", ["failed", "running", "running"], iterations=2)
for s in r.steps["w-3"]:
    r.put_record(r.record("w-3", s["matrix_id"], s["iteration"]))
r.heartbeat("w-3", "running", done=2)
b = Bucket()
# w-3 has nothing left and so gets the steps; while the round's first job is on its way, it ends
b.faults({"kind": "stall", "seconds": 1, "method": "POST", "match": "/o?", "count": 1})
p = subprocess.Popen([sys.argv[1], "resume", "gs://ctl/race", "--json"], stdout=subprocess.PIPE)
time.sleep(0.5)
other = Run("race", workers=3, tests=1, arms=2, iterations=3)
other.heartbeat("w-3", "done", done=2)
out = json.loads(p.communicate()[0])
b.faults()
assert p.returncode == 0, p.returncode
own = check("race", {"w-1", "w-3"}, {"w-2"})
assert not any(w == "w-3" and s["attempt"] and s.get("from") for w, s in own.values()), own
assert out["rounds"] == [2, 3], out
PY
ok $? "its steps move on, in the same run of resume"

# --- what status and wait make of it ---
pyf <<'PY'
def moved(name, state, done_by_new):
    """w-1 is dead and has lost both its steps to w-2, which has done its own."""
    r = fleet(name, [state, "done"])
    b = r.bucket
    b.put(f"{name}/jobs/w-2.r2.json", r.job("w-2", 2, [dict(s, attempt=2, **{"from": "w-1"}) for s in r.steps["w-1"]]))
    b.put(f"{name}/control/0001.json", {"schema": "muster/control/1", "kind": "reassign", "workers": ["w-1", "w-2"],
          "steps": [s["step"] for s in r.steps["w-1"]], "round": 2, "reason": None})
    for s in r.steps["w-2"]:
        r.put_record(r.record("w-2", s["matrix_id"], s["iteration"]))
    for s, state in zip(r.steps["w-1"], done_by_new):
        if state:
            r.put_record(r.record("w-2", s["matrix_id"], s["iteration"], state, attempt=2))
    r.heartbeat("w-2", "done", done=4, total=4)
    return r
r = moved("m-stopped", "failed", ["ok", "cancelled"])
r.bucket.put("m-stopped/control/0002.json", {"schema": "muster/control/1", "kind": "drain",
      "workers": None, "steps": None, "round": None, "reason": None})
r.heartbeat("w-2", "cancelled", done=4, total=4)
moved("m-ok", "failed", ["ok", "ok"])
moved("m-no", "interrupted", ["ok", "failed"])
moved("m-void", "cancelled", ["invalid", "ok"])
moved("m-left", "failed", ["ok", None])
# w-1 was given a step since it was last heard of, and w-2 has got that too
r = moved("m-passed", "failed", ["ok", "ok"])
for seq, (k, w) in enumerate([(3, "w-1"), (4, "w-2")], 2):
    s = r.steps["w-1"][0]
    r.bucket.put(f"m-passed/jobs/{w}.r{k}.json", r.job(w, k, [dict(s, attempt=2)]))
    r.bucket.put(f"m-passed/control/{seq:04}.json", {"schema": "muster/control/1", "kind": "reassign",
          "workers": ["w-1", "w-2"], "steps": [s["step"]], "round": k, "reason": None})
PY
for row in "0 m-ok" "1 m-no" "4 m-void" "3 m-left" "0 m-passed"; do
	name=${row#* }
	run "${row% *}" status "gs://ctl/$name" && run "${row% *}" wait "gs://ctl/$name" --timeout 20s && [ ! -s "$dir/err" ]
	ok $? "a run with moved steps is judged by them: $name, exit ${row% *}"
done
run 1 status gs://ctl/m-stopped && has "1 cancelled" && has "(w-2)" && has "muster resume gs://ctl/m-stopped"
ok $? "what was stopped after a resume can be run after all, and that is said"
run 3 status gs://ctl/m-left && has "1 done, but a step it was given is not (w-2)" && has "muster resume gs://ctl/m-left" && has "3 of 4 steps ended"
ok $? "a step that its owner has left over is told"
run 0 status gs://ctl/m-ok --json && pyf "$dir/out" <<'PY'
d = json.load(open(sys.argv[1]))
assert d["over"] and (d["steps_done"], d["steps_total"]) == (4, 4), d
assert d["workers"][0]["relieved"] is True
PY
ok $? "status --json: the steps' own counts"

# --- who is named ---
pyf <<'PY'
r = fleet("named", ["running", "running", "failed", "interrupted", None], reason="why")
r = fleet("double", ["running", "running"])
for w, other in (("w-1", 0), ("w-2", 1)):
    hb = json.loads(r.bucket.get(f"double/workers/{w}.json"))
    hb["incarnation"].update(n=2, nonce="%032x" % other)
    r.bucket.put(f"double/workers/{w}.json", hb, "running - 0 0/2")
    r.manifest(w)
r = fleet("many", ["running"] * 20)
for w in r.workers[-2:]:
    hb = json.loads(r.bucket.get(f"many/workers/{w}.json"))
    hb["incarnation"].update(n=2)
    r.bucket.put(f"many/workers/{w}.json", hb, "running - 0 0/2 2")
    r.manifest(w)
m = json.loads(r.bucket.get("many/results/w-20/manifest.json"))
m["incarnation"].update(nonce="%032x" % 7)
r.bucket.put("many/results/w-20/manifest.json", m)
PY
run 1 status gs://ctl/named && has "1 waiting: not booted yet, or cannot reach the bucket (w-5)" && has "1 failed" && has "(w-3)" && has "1 interrupted" && has "(w-4)" && has "muster resume gs://ctl/named"
ok $? "status names the workers, and what to do"
run 3 status gs://ctl/double && has "1 duplicate: two processes write under one name; stop one of them (w-2)" && run 3 status gs://ctl/double --json && pyf "$dir/out" <<'PY'
w = json.load(open(sys.argv[1]))["workers"]
assert [x["duplicate"] for x in w] == [False, True] and w[0]["incarnation"] == 2 and not w[0]["slow"]
PY
ok $? "lease and manifest of different incarnations: a duplicate"
run 3 status gs://ctl/many && has "1 duplicate" && has "(w-20)"
ok $? "in a large fleet too"

# --- killed after every write, and repeated ---
if ! grep -q MUSTER_DIE_AFTER_WRITES "$muster"; then
	n=$((n + 1))
	echo "ok $n # SKIP killed between writes: not built with TESTING=1"
else
	bad=0
	deaths=0
	for w in "" "--workers new-1,w-1"; do
		for k in $(seq 12); do
			name=die$k${w:+n}
			pyf "$name" <<'PY'
r = fleet(sys.argv[1], ["failed", "running", "cancelled"], iterations=4)
for s in r.steps["w-3"][1:]:
    r.put_record(r.record("w-3", s["matrix_id"], s["iteration"], "cancelled"))
r.put_record(r.record("w-1", *[int(x) for x in r.steps["w-1"][0]["step"].split("-")]))
PY
			"$muster" stop "gs://ctl/$name" >/dev/null
			# shellcheck disable=SC2086
			MUSTER_DIE_AFTER_WRITES=$k "$muster" resume "gs://ctl/$name" $w >"$dir/out" 2>"$dir/err"
			code=$?
			[ $code -eq 137 ] && deaths=$((deaths + 1))
			# shellcheck disable=SC2086
			run 0 resume "gs://ctl/$name" $w || bad=$((bad + 1))
			pyf "$name" <<'PY' || bad=$((bad + 1))
own = check(sys.argv[1], {"w-1", "w-3"}, {"w-2", "new-1", "w-1"})
assert own[Run("x", workers=3, tests=1, arms=2, iterations=6).steps["w-1"][0]["step"]][0] == "w-1"
PY
			# shellcheck disable=SC2086
			run 0 resume "gs://ctl/$name" $w && has "nothing to move" || bad=$((bad + 1))
			[ $code -eq 137 ] || break
		done
	done
	[ $bad -eq 0 ] && [ $deaths -ge 6 ]
	ok $? "killed after each of $deaths writes and repeated: as if nothing had happened ($bad bad)"
fi

finish
