#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a look at a large fleet costs, by the emulator's log of requests; and how soon a
# dead worker is seen.
# shellcheck source=tests/cli/coordinator.sh
. tests/cli/coordinator.sh

cat >"$dir/fleets.py" <<'PY'
import threading, time
from make_run import *

def put_many(r, jobs):
    """(method, args) on a few connections at once."""
    def work(part):
        own = Run(r.run, workers=1, bucket=Bucket())
        own.workers, own.steps, own.settings = r.workers, r.steps, r.settings
        for kind, args in part:
            getattr(own, kind)(*args) if kind == "heartbeat" else own.bucket.put(*args)
    threads = [threading.Thread(target=work, args=(jobs[i::4],)) for i in range(4)]
    [t.start() for t in threads], [t.join() for t in threads]

def fleet(name, n, heard, job_of=lambda w: True):
    r = Run(name, workers=n, tests=1, arms=1, iterations=n)
    r.bucket.put(r.at + "config.json", r.config())
    todo = [("heartbeat", (w, "running", 0)) for w in r.workers if heard(w)]
    todo += [("put", (f"{r.at}jobs/{w}.json", "{}")) for w in r.workers if job_of(w)]
    put_many(r, todo)
    return r

def reassign(r, workers, steps, round=2):
    r.bucket.put(f"{r.at}control/0001.json", {"schema": "muster/control/1", "kind": "reassign",
                 "workers": workers, "steps": steps, "round": round, "reason": None})
PY
export PYTHONPATH=$PYTHONPATH:$dir
pyf() { { printf 'from fleets import *\n'; cat; } | py "$@"; }

pyf <<'PY'
fleet("all", 2500, lambda w: True)
fleet("few", 2500, lambda w: w not in ("w-1001", "w-1003"))
fleet("none", 1200, lambda w: False)
r = fleet("came", 2, lambda w: True)
r.steps["x-1"] = r.steps["x-2"] = r.steps["x-3"] = []
for w in r.workers + ["x-1", "x-2", "x-3"]:
    r.bucket.put(f"{r.at}jobs/{w}.json", r.job(w))
r.heartbeat("x-1", "running", 0, 1)
r.bucket.put(r.at + "control/0001.json", {"schema": "muster/control/1", "kind": "reassign",
             "workers": ["x-2"], "steps": None, "round": 2, "reason": None})
PY
ok $? "runs with thousands of workers"

# costs NAME LIST-CALLS: the requests since the last call are so many listings a look, one
# for a new order a look, and one for config.json
costs() {
	py "$@" <<'PY'
name, lists = sys.argv[1], int(sys.argv[2])
b = Bucket()
log = json.loads(b.call("GET", "/_emulator/requests"))["requests"]
b.call("DELETE", "/_emulator/requests")
paths = [r["path"].split("/b/ctl/o")[1] for r in log]
print(name, sorted(paths))
looks = sum("control" in p for p in paths)
assert looks >= 1 and paths.count("") == lists * looks, (name, looks, paths.count(""))
assert len(paths) == lists * looks + 1 + looks, (name, looks, len(paths))
PY
}
forget() { py <<<'Bucket().call("DELETE", "/_emulator/requests")'; }

forget
run 3 status gs://ctl/all && has "run all: 2500 workers, 0 of 2500 steps" && costs all 3
ok $? "2,500 workers: 3 pages, config.json, one look for orders"
run 3 status gs://ctl/few && has "2 waiting" && grep -q '^w-1001 .*waiting .* [0-9]* s$' "$dir/out" && costs few 4
ok $? "two not heard of: one page of jobs/ more"
run 3 status gs://ctl/none && has "1200 waiting" && costs none 3
ok $? "nobody heard of: all pages of jobs/"
run 3 wait gs://ctl/all --every 100ms --timeout 150ms && costs wait 3
ok $? "wait: 3 pages a look, and one look for orders"
run 3 status gs://ctl/came && has "run came: 4 workers" &&
	grep -q '^x-2 .*waiting' "$dir/out" && ! has x-3 &&
	has "1 under names that the run does not know: no job here (x-1)"
ok $? "workers that config.json does not name: an order makes them of the run, a job does not"

# --- a large fleet with moved steps ---
pyf <<'PY'
r = fleet("moved", 2500, lambda w: w != "w-11")
r.heartbeat("w-5", "failed", 0)
r.heartbeat("w-6", "failed", 0)
r.heartbeat("w-8", "failed", 0)
b = r.bucket
time.sleep(0.01) # jobs are newer than heartbeats by the emulator's milliseconds
for name in ("w-6.r2", "w-7.r2", "x-1", "w-8.r3"):
    b.put(f"{r.at}jobs/{name}.json", "{}")
b.put(f"{r.at}jobs/w-8.r2.json", "{}", "claim")
reassign(r, ["w-5", "w-6", "w-7", "w-8", "x-1"], ["1-5"])
# all of them are given something at once
r = fleet("again", 1200, lambda w: False, lambda w: False)
put_many(r, [("heartbeat", (w, "failed", 0)) for w in r.workers])
time.sleep(0.01)
put_many(r, [("put", (f"{r.at}jobs/{w}{k}.json", "{}")) for w in r.workers for k in ("", ".r2")])
reassign(r, r.workers, ["1-5"])
PY
ok $? "runs of which steps were moved"

# lists NAME MAX: the last command's listings
lists() {
	py "$@" <<'PY'
b = Bucket()
log = json.loads(b.call("GET", "/_emulator/requests"))["requests"]
b.call("DELETE", "/_emulator/requests")
paths = [r["path"].split("/b/ctl/o")[1] for r in log]
print(sys.argv, len(paths), paths.count(""))
assert paths.count("") <= int(sys.argv[2]), (sys.argv, paths.count(""))
PY
}
forget
run 1 status gs://ctl/moved && grep -q '^w-6 .*waiting' "$dir/out" && grep -q '^x-1 .*waiting .* s$' "$dir/out" &&
	grep -q '^w-5 .*failed' "$dir/out" && grep -q '^w-8 .*failed' "$dir/out" && grep -q '^w-7 .*running' "$dir/out" &&
	grep -q '^w-11 .*waiting .* s$' "$dir/out" && lists moved 3
ok $? "jobs of later rounds are asked for by name: no page more"
run 3 status gs://ctl/again && has "1200 waiting" && lists again 5
ok $? "too many of them to be asked for: jobs/ is listed"

pyf <<'PY'
def ended(name, n=300):
    """All is over; w-2 has taken over what w-1 could not do."""
    r = Run(name, workers=n, tests=1, arms=1, iterations=n)
    r.plan()
    b = r.bucket
    for w in r.workers:
        (s,) = r.steps[w]
        mine = [] if w == "w-1" else [line(s)] if w != "w-2" else [line(s), line(r.steps["w-1"][0], attempt=2)]
        if mine:
            r.put_record(r.record(w, s["matrix_id"], s["iteration"]))
        r.manifest(w, mine)
        r.heartbeat(w, "failed" if w == "w-1" else "done", done=len(mine), total=max(1, len(mine)))
    moved = r.steps["w-1"][0]
    r.put_record(r.record("w-2", moved["matrix_id"], moved["iteration"], attempt=2))
    b.put(f"{name}/jobs/w-2.r2.json", r.job("w-2", 2, [dict(moved, attempt=2, **{"from": "w-1"})]))
    reassign(r, ["w-1", "w-2"], [moved["step"]])
    r.heartbeat("w-2", "done", done=2, total=2)
    return r

def line(s, state="ok", attempt=1):
    return {"step": s["step"], "attempt": attempt, "state": state, "reason": None, "summary": None}

ended("e-ok")
r = ended("e-lag")
# records whose lines are not written yet, or not to be believed: 3 was begun anew after its
# end, 4 is behind, 5 has none, 6 is another's
s = {w: r.steps[w][0] for w in r.workers}
r.manifest("w-4", [line(s["w-4"], "uploading")])
r.put_record(r.record("w-4", s["w-4"]["matrix_id"], s["w-4"]["iteration"], "invalid"))
r.bucket.delete("e-lag/results/w-5/manifest.json")
r.put_record(r.record("w-5", s["w-5"]["matrix_id"], s["w-5"]["iteration"], "failed"))
r.bucket.put("e-lag/results/w-6/manifest.json", r.bucket.get("e-lag/results/w-7/manifest.json"))
r.manifest("w-2", [line(s["w-2"]), line(s["w-1"], "failed", attempt=1)])
r = ended("e-left")
r.bucket.delete("e-left/" + r.folder("w-9", 1).split("/", 1)[1] + f"step_{r.steps['w-9'][0]['iteration']}.json")
r.manifest("w-9", [line(r.steps["w-9"][0], "pending")])
r = ended("e-stop")
r.manifest("w-9", [line(r.steps["w-9"][0], "cancelled")])
r.heartbeat("w-9", "cancelled", done=1, total=1)
PY
ok $? "large runs that are over"
forget
run 0 status gs://ctl/e-ok && has "300 of 300 steps ended" && lists e-ok 6
ok $? "the verdict on all steps, by manifests: no listing of results"
run 4 status gs://ctl/e-lag && has "300 of 300 steps ended" && has "2 steps are not ok" && lists e-lag 10
ok $? "where a manifest does not tell, the results are listed"
run 3 status gs://ctl/e-left && has "299 of 300 steps ended" && has "1 done, but a step it was given is not (w-9)" && lists e-left 7
ok $? "a step without an end is left over"
run 1 status gs://ctl/e-stop && has "1 cancelled: stopped by an order" && has "muster resume" && lists e-stop 6
ok $? "a cancelled one, too"
# --- a run with moved steps that is over: its records are listed together ---
py <<'PY'
r = Run("over", workers=100, tests=1, arms=1, iterations=200)
r.plan()
lost, taker = r.workers[0], r.workers[1]
steps = [s["step"] for s in r.steps[lost]]
r.bucket.put(f"{r.at}jobs/{taker}.r2.json", r.job(taker, 2, [
    dict(s, attempt=2, **{"from": lost}) for s in r.steps[lost]]))
r.bucket.put(f"{r.at}control/0001.json", {"schema": "muster/control/1", "kind": "reassign",
             "workers": [lost, taker], "steps": steps, "round": 2, "reason": None})
for w in r.workers:
    for s in r.steps[w]:
        r.put_record(r.record(taker if w == lost else w, s["matrix_id"], s["iteration"],
                              attempt=2 if w == lost else 1))
    r.heartbeat(w, "failed" if w == lost else "done", done=2)
PY
forget
run 0 status gs://ctl/over && has "200 of 200 steps" && py <<'PY'
b = Bucket()
log = json.loads(b.call("GET", "/_emulator/requests"))["requests"]
lists = [r["query"] for r in log if r["path"].endswith("/b/ctl/o")]
print(len(lists), sum("results%2F" in q for q in lists))
assert sum("results%2F" in q for q in lists) == 1 and len(lists) <= 6, lists
PY
ok $? "a run with moved steps that is over: one listing of results/, not one a worker"

# --- a dead worker, by the store's clock ---
py "$muster" <<'PY'
import time
r = Run("dead", workers=2, tests=1, arms=1, iterations=4)
r.settings.update(stale_s=2, heartbeat_s=1)
r.plan()
r.heartbeat("w-2", "running", 1)
began = time.time()
r.heartbeat("w-1", "running", 1)
views = []
watch = subprocess.Popen([sys.argv[1], "watch", r.url, "--json", "--timeout", "15s"],
                         stdout=subprocess.PIPE, text=True)
for line in watch.stdout:
    now = time.time()
    view = [w["view"] for w in json.loads(line)["workers"] if w["worker"] == "w-1"][0]
    views.append((view, now - began))
    print(views[-1])
    if now - began < 1.9:
        assert view == "alive", views
    if view == "stale":
        break
watch.kill()
# "Date" has whole seconds: no sooner than stale_s, no later than a look and a second
assert views[0][0] == "alive" and views[-1][0] == "stale", views
assert 2 <= views[-1][1] <= 2 + 10, views
PY
ok $? "watch shows a dead worker after stale_s and no later than 10 s past it"

finish
