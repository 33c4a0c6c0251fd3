#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# muster resume, status and wait in runs with stealing: hand-made fleets and claims in an
# emulated bucket. What must hold afterwards is said once, in check().
# shellcheck source=tests/cli/coordinator.sh
. tests/cli/coordinator.sh

cat >"$dir/thieves.py" <<'PY'
import itertools, json, re, subprocess, sys, time
from make_run import *

FINAL = ("ok", "failed", "timeout", "invalid")

def fleet(name, states, iterations=2, unit=1, steps=None):
    """Workers in these states (None: never seen), all with `iterations` steps of their own,
    @unit of them a unit; steps: only those workers have any."""
    have = steps or [True] * len(states)
    r = Run(name, workers=len(states), tests=1, arms=2, iterations=1)
    r.settings.update(stale_s=3600, steal=True)
    r.iterations = (sum(have) * iterations + 1) // 2
    r.steps, k = {w: [] for w in r.workers}, 0
    for w, has in zip(r.workers, have):
        for i in range(iterations if has else 0):
            s = r.step(k % 2 + 1, k // 2 + 1)
            s.update(block=i // unit + 1, pos=i % unit + 1)
            r.steps[w].append(s)
            k += 1
    r.plan()
    for w, s in zip(r.workers, states):
        if s:
            r.heartbeat(w, s, done=0)
    return r

def ids(r, w):
    return [s["step"] for s in r.steps[w]]

def record(r, worker, step, *more, **kw):
    m, i = step.split("-")
    r.put_record(r.record(worker, int(m), int(i), *more, **kw))

def units(job):
    """The steps of a job, unit by unit."""
    out, last = [], None
    for s in job["steps"]:
        if not (last and s["block"] and (last["block"], last["test_id"]) == (s["block"], s["test_id"])
                and s["pos"] > last["pos"]):
            out.append([])
        out[-1].append(s["step"])
        last = s
    return out

class View:
    """The run as any reader of the bucket sees it."""
    def __init__(self, name):
        b = Bucket()
        self.jobs, self.orders, self.records, self.claims = {}, [], {}, {}
        for n in b.names(f"{name}/"):
            part = n.split("/", 1)[1]
            doc = json.loads(b.get(n)) if part.endswith(".json") else None
            if part.startswith("jobs/"):
                assert (doc["worker"], doc["round"]) not in self.jobs, n
                self.jobs[doc["worker"], doc["round"]] = doc
            elif part.startswith("control/"):
                self.orders.append(doc)
            elif part.startswith("claims/"):
                assert part == f"claims/{doc['step']}" + (f".r{doc['round']}" if doc["round"] > 1 else "") + ".json"
                self.claims[doc["round"], doc["step"]] = doc
            elif re.match(r"results/([^/]+)/.*step_\d+\.json", part):
                self.records.setdefault(doc["step"], []).append(doc)
        self.given = {s["step"]: (w, 1, s) for (w, k), d in self.jobs.items() if k == 1 for s in d["steps"]}
        self.past = {s: [] for s in self.given}
        for o in self.orders:
            for step in o["steps"] if o["kind"] == "reassign" else []:
                has = [(w, k, s) for (w, k), d in self.jobs.items() if k == o["round"] and w in o["workers"]
                       for s in d["steps"] if s["step"] == step]
                assert len(has) == 1, f"{step}: {len(has)} workers have it in round {o['round']}"
                assert self.owner(step) in o["workers"], "the loser is told"
                self.past[step].append(self.given[step])
                self.given[step] = has[0]

    def unit(self, worker, round, step):
        return next(u for u in units(self.jobs[worker, round]) if step in u)

    def claim(self, worker, round, step):
        return self.claims.get((round, self.unit(worker, round, step)[0]))

    def owner(self, step):
        w, k, _ = self.given[step]
        c = self.claim(w, k, step)
        return c["worker"] if c and c["from"] == w else w

    def is_open(self, step):
        w, k, _ = self.given[step]
        return not self.claim(w, k, step) and all(self.given[s][:2] == (w, k) for s in self.unit(w, k, step))

def check(name, dead, thieves=False):
    """Every step has ended, or is with somebody who is not dead, or left to @thieves; what
    moved is closed where it was before; no attempt is used twice."""
    v = View(name)
    for step, (w, k, plan) in v.given.items():
        for was, round, _ in v.past[step]:
            assert v.claim(was, round, step), f"{step} of round {round} can still be taken"
        own = v.owner(step)
        mine = sorted((r for r in v.records.get(step, []) if r["worker"] == own), key=lambda r: r["attempt"])
        if mine and mine[-1]["state"] in FINAL:
            continue
        assert own not in dead or (thieves and v.is_open(step)), f"{step} is with {own}"
        if k > 1:
            assert plan["attempt"] > max([r["attempt"] for r in v.records.get(step, [])], default=0), step
    return v

def mixed(name, states=("failed", "running", "running")):
    """w-1 holds and has ended its first step, holds its second, has not begun its third; its
    fourth was w-2's to take; of w-3's steps it has taken the last."""
    r = fleet(name, states, iterations=4)
    a, b, c, d = ids(r, "w-1")
    r.claim("w-1", a, "w-1"); r.claim("w-1", b, "w-1"); r.claim("w-2", d, "w-1")
    r.claim("w-1", ids(r, "w-3")[3], "w-3")
    r.claim("w-2", ids(r, "w-2")[0], "w-2")
    record(r, "w-1", a)
    record(r, "w-2", d)
    return r
PY
export PYTHONPATH=$PYTHONPATH:$dir
pyf() { { printf 'from thieves import *\n'; cat; } | py "$@"; }

# --- somebody lives: claimed units of the dead move, unclaimed ones do not ---
pyf <<<'mixed("live")'
run 0 resume gs://ctl/live --dry-run && has "2 steps would be moved" && has "1 unclaimed block of dead workers is left to the living: --steal"
ok $? "--dry-run tells what is left to the living"
run 0 resume gs://ctl/live --json && pyf "$dir/out" <<'PY'
d = json.load(open(sys.argv[1]))
r, v = mixed("unused"), check("live", {"w-1"}, thieves=True)
a, b, c, _ = ids(r, "w-1")
assert sorted(m["step"] for m in d["moves"]) == sorted([b, ids(r, "w-3")[3]]), d
assert {m["from"] for m in d["moves"]} == {"w-1"} and d["left"] == 1 and d["start"] == [], d
assert v.is_open(c) and len(v.claims) == 5 and v.owner(a) == "w-1"
PY
ok $? "what a dead worker holds moves, also what it had stolen; no claim is made"
before=$("$muster" store ls -r -l gs://ctl/live/)
run 0 resume gs://ctl/live && has "nothing to move" && has "1 unclaimed block" && [ "$before" = "$("$muster" store ls -r -l gs://ctl/live/)" ]
ok $? "a second resume writes nothing"
run 3 status gs://ctl/live --json && pyf "$dir/out" <<'PY'
d = json.load(open(sys.argv[1]))
assert (d["steps_done"], d["steps_total"]) == (2, 12) and not d["over"], d
PY
ok $? "status counts the steps of the plan, each once"
pyf <<'PY'
v, r = View("live"), Run("live", workers=3)
b = [m for m in v.orders[0]["steps"]][0]
w, k, _ = v.given[b]
r.claim("w-2", b, w, round=k)
v = check("live", {"w-1"}, thieves=True)
assert v.owner(b) == "w-2"
PY
run 0 resume gs://ctl/live && has "nothing to move"
ok $? "a moved unit that a living worker has taken is its own"

# --- nobody lives, or somebody is named: all of it, and no thief can have it ---
pyf <<<'mixed("named")'
run 0 resume gs://ctl/named --workers new-1 && ! has "left to the living" && pyf <<'PY'
v = check("named", {"w-1"})
(c,) = [c for c in v.claims.values() if c["worker"] == "w-1" and c["step"] not in ("1-1", "2-1") and c["from"] == "w-1"]
assert c["round"] == 1 and c["steps"] == [c["step"]] and len(c["incarnation"]["nonce"]) == 32
assert "new-1" in {v.owner(s) for s in v.given}
PY
ok $? "named workers get a share of all; what was unclaimed is claimed for whom it was"
run 0 resume gs://ctl/named && has "nothing to move"
ok $? "and again: nothing"
pyf <<<'mixed("restart", ("failed", "interrupted", None))'
run 0 resume gs://ctl/restart && has "steps to it again" && has "to be started" && pyf <<'PY'
v = check("restart", set())
assert all(v.claim(w, 1, s) for w in ("w-1", "w-2") for s in [x["step"] for x in v.jobs[w, 1]["steps"]]
           if v.given[s][1] > 1)
assert not any(v.claim("w-3", 1, s) for s in [x["step"] for x in v.jobs["w-3", 1]["steps"]][:3])
PY
ok $? "nobody lives: to their owners again, closed where they were"

# --- a thief that is faster ---
pyf "$muster" <<'PY'
r = fleet("race", ["failed", None], iterations=3)
b, (first, *_) = Bucket(), sorted(ids(r, "w-1"))
b.faults({"kind": "stall", "seconds": 1, "method": "POST", "match": "/o?", "count": 1})
p = subprocess.Popen([sys.argv[1], "resume", "gs://ctl/race", "--json"], stdout=subprocess.PIPE)
time.sleep(0.4)
Run("race", bucket=Bucket()).claim("w-2", first, "w-1")
out = json.loads(p.communicate()[0])
b.faults()
assert p.returncode == 0, p.returncode
v = check("race", set())
assert v.owner(first) == "w-2" and len(out["moves"]) == 2 and out["rounds"] == [2], out
PY
ok $? "a unit that was taken while resume began is the thief's"

# --- units that are torn apart ---
pyf <<'PY'
r = fleet("torn", ["failed", "failed", "running"], iterations=2, unit=2, steps=[True, False, False])
a, b = ids(r, "w-1")
r.claim("w-1", a, "w-1", steps=[a, b])
r.bucket.put("torn/jobs/w-2.r2.json", r.job("w-2", 2, [dict(s, **{"from": "w-1"}) for s in r.steps["w-1"]]))
r.bucket.put("torn/control/0001.json", {"schema": "muster/control/1", "kind": "reassign", "workers": ["w-1", "w-2"],
             "steps": [a, b], "round": 2, "reason": None})
record(r, "w-1", a)
r.heartbeat("w-2", "failed")
PY
run 0 resume gs://ctl/torn && pyf <<'PY'
v = check("torn", {"w-1", "w-2"})
assert [v.owner(s) for s in sorted(v.given)] == ["w-1", "w-3"] and v.claims[2, "1-1"]["steps"] == ["1-1", "2-1"]
PY
ok $? "of a unit that nobody has begun again, the former owner has ended one step: it goes back, the other one moves"

# --- a thief that was thought dead ---
pyf <<'PY'
r = fleet("zombie", ["running", "running", "running"], iterations=2, steps=[True, False, False])
a, b = ids(r, "w-1")
r.claim("w-1", a, "w-1"); r.claim("w-3", b, "w-1")
r.bucket.put("zombie/jobs/w-2.r2.json", r.job("w-2", 2, [dict(r.steps["w-1"][1], **{"from": "w-3"})]))
r.bucket.put("zombie/control/0001.json", {"schema": "muster/control/1", "kind": "reassign", "workers": ["w-2", "w-3"],
             "steps": [b], "round": 2, "reason": None})
record(r, "w-3", b)
PY
run 0 resume gs://ctl/zombie && has "w-2 lives: 1 step back to w-3, which has ended it" && pyf <<'PY'
v = check("zombie", set())
c = v.claims[2, next(s for s in v.given if v.owner(s) == "w-3")]
assert c["worker"] == c["from"] == "w-2"
PY
ok $? "it has ended the step that it had stolen and lost: the step is its again"

# --- claims that nobody can read ---
pyf <<'PY'
r = fleet("bad", ["failed", "running"])
r.bucket.put("bad/claims/1-1.json", "{")
PY
run 2 resume gs://ctl/bad && says "claims/1-1.json" && one_line && run 1 status gs://ctl/bad
ok $? "nothing is moved, the object is named"

# --- status and wait ---
pyf <<'PY'
def moved(name, first="stale", thief="ok", left="ok"):
    """w-1 held a, lost it to w-2's round 2, from where w-3 took it; c was left, w-2 took it."""
    r = fleet(name, ["failed", "done", "done"], iterations=2, steps=[True, False, False])
    a, c = ids(r, "w-1")
    r.claim("w-1", a, "w-1")
    r.bucket.put(f"{name}/jobs/w-2.r2.json", r.job("w-2", 2, [dict(r.steps["w-1"][0], attempt=2, **{"from": "w-1"})]))
    r.bucket.put(f"{name}/jobs/w-1.r2.json", r.job("w-1", 2, []), "claim")
    r.bucket.put(f"{name}/control/0001.json", {"schema": "muster/control/1", "kind": "reassign",
                 "workers": ["w-1", "w-2"], "steps": [a], "round": 2, "reason": None})
    record(r, "w-1", a, "interrupted")
    r.heartbeat("w-1", "failed", done=0, total=2)
    if thief:
        r.claim("w-3", a, "w-2", round=2)
        record(r, "w-3", a, thief, attempt=2)
        r.heartbeat("w-3", "done", done=1, total=1)
    if left:
        r.claim("w-2", c, "w-1")
        record(r, "w-2", c, left)
    r.heartbeat("w-2", "done", done=int(bool(left)), total=int(bool(left)))
    return r
moved("s-ok"); moved("s-no", thief="failed"); moved("s-void", left="invalid")
moved("s-left", left=None); moved("s-stuck", thief=None)
PY
for row in "0 s-ok" "1 s-no" "4 s-void" "3 s-left" "3 s-stuck"; do
	name=${row#* }
	run "${row% *}" status "gs://ctl/$name" && run "${row% *}" wait "gs://ctl/$name" --timeout 20s && [ ! -s "$dir/err" ]
	ok $? "moved and stolen: $name, exit ${row% *}"
done
run 3 status gs://ctl/s-left && has "1 of 2 steps ended" && has "muster resume gs://ctl/s-left"
ok $? "a block that nobody took is told"
run 0 status gs://ctl/s-ok --json && pyf "$dir/out" <<'PY'
d = json.load(open(sys.argv[1]))
assert d["over"] and (d["steps_done"], d["steps_total"]) == (2, 2), d
assert [w["relieved"] for w in d["workers"]] == [True, True, True]
PY
ok $? "the steps are counted, not what the workers say"
"$muster" collect gs://ctl/s-ok --out "$dir/s-ok" >"$dir/out" 2>&1 && has "2 ok"
ok $? "collect agrees"
pyf <<<'Bucket().put("s-ok/claims/9-9.json", "{")'
run 0 status gs://ctl/s-ok && run 0 wait gs://ctl/s-ok --timeout 20s
ok $? "a claim that nobody can read does not keep status and wait from an answer"
run 0 resume gs://ctl/s-left && has "1 step" && pyf <<<'check("s-left", set())'
ok $? "nobody lives any more: what was left moves after all"

# --- split once more ---
printf 'rw,bs,filesize\nread,64k,256k\n' >"$dir/tests.csv"
printf 'commit,mount_args,label\nm,,a\nm,,b\n' >"$dir/configs.csv"
printf '[t]\nioengine=psync\nrw=${IO_TYPE}\nbs=${BS}\nfilesize=${FILE_SIZE}\ndirectory=${TEST_DATA_DIR}\n' >"$dir/job.fio"
split() { run 0 split gs://ctl/again --tests "$dir/tests.csv" --configs "$dir/configs.csv" --fio "$dir/job.fio" --data gs://data --workers 2 --iterations 4 --kind dir --steal; }
split && pyf <<'PY'
r = Run("again", workers=2)
job = json.loads(r.bucket.get("again/jobs/w-1.json"))
first, second, *_ = units(job)
r.claim("w-1", first[0], "w-1", steps=first)
r.heartbeat("w-1", "failed", done=0, total=8)
r.heartbeat("w-2", "interrupted", done=0, total=0)
PY
run 0 resume gs://ctl/again --workers w-2,new-1 && pyf <<'PY'
v = check("again", {"w-1"})
assert len(v.claims) == 4 and all(len(c["steps"]) == 2 for c in v.claims.values())
PY
ok $? "blocks of a real split: each moves as a whole, and is claimed as a whole"
before=$("$muster" store ls -r -l gs://ctl/again/)
split && [ "$before" = "$("$muster" store ls -r -l gs://ctl/again/)" ] && run 3 status gs://ctl/again --json && has '"steps_total": 8'
ok $? "split --steal on the moved run writes nothing, and its steps are as many as before"

# --- killed after every write, and repeated ---
if ! grep -q MUSTER_DIE_AFTER_WRITES "$muster"; then
	n=$((n + 1))
	echo "ok $n # SKIP killed between writes: not built with TESTING=1"
else
	bad=0
	deaths=0
	for how in "failed running --workers=w-2,new-1" "failed running" "failed failed"; do
		read -r one two flags <<<"$how"
		for k in $(seq 14); do
			name=die-$deaths-$k
			pyf "$name" "$one" "$two" <<<'mixed(sys.argv[1], (sys.argv[2], sys.argv[3], "interrupted"))'
			# shellcheck disable=SC2086
			MUSTER_DIE_AFTER_WRITES=$k "$muster" resume "gs://ctl/$name" $flags >"$dir/out" 2>"$dir/err"
			code=$?
			[ $code -eq 137 ] && deaths=$((deaths + 1))
			# shellcheck disable=SC2086
			run 0 resume "gs://ctl/$name" $flags || bad=$((bad + 1))
			if [ "$two" = running ]; then
				pyf "$name" <<<'check(sys.argv[1], {"w-1", "w-3"}, thieves=True)' || bad=$((bad + 1))
			else
				pyf "$name" <<<'check(sys.argv[1], set())' || bad=$((bad + 1))
			fi
			# shellcheck disable=SC2086
			run 0 resume "gs://ctl/$name" $flags && has "nothing to move" || bad=$((bad + 1))
			[ $code -eq 137 ] || break
		done
	done
	[ $bad -eq 0 ] && [ $deaths -ge 12 ]
	ok $? "killed after each of $deaths writes and repeated: as if nothing had happened ($bad bad)"
fi

finish
