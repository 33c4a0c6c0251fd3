#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole small fleets under seeded faults, checked from the bucket alone.

  chaos.py --build DIR [--runs N] [--seed S] [--jobs J]   runs of the seeds S, S+1, …
  chaos.py --build DIR --plants                           planted bugs, each must be found

A failing run prints its seed and leaves its folder (CHAOS_KEEP=DIR says where); the others
leave nothing. Timing is not part of a seed: a race may need its seed several times.
"""
import argparse
import collections
import ctypes
import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from types import SimpleNamespace

# the schemas' checker may be the system's python's alone
if importlib.util.find_spec("jsonschema") is None and sys.executable != "/usr/bin/python3":
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import bucket
import checks
import evidence
import fleet as fleets
import operate
import outside
import script

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# and the kind of run that shows it, if not every kind does
PLANTS = {"rerun": None, "sameattempt": None, "double": None, "noprecondition": None,
          "nofence": None, "lost": None, "claimless": "steal", "deaf": "steal",
          "verdict": "together", "nostart": "together", "alone": "together",
          "orphan": "plain", "mixed": "plain"}
PLANT_RUNS = 48
# so many runs prove something only if all of these struck
MANY = 50
STRUCK = {"figures": ("takeovers", "fences", "claims", "stolen", "verdicts", "sessions"),
          "injected": ("kill -9", "SIGTERM", "freeze", "duplicate", "death at a point",
                       "death of a command", "resume", "split"),
          "struck": script.FAULTS}


def gather(fleet, operator, results):
    """Everything that a run which is over is judged by."""
    requests = fleet.client.requests()
    objects, strangers = bucket.snapshot(fleet.client, "ctl", fleet.setup.run)
    return SimpleNamespace(
        requests=requests, objects=objects,
        writes=bucket.writes(requests, fleet.setup.run, objects),
        case=SimpleNamespace(setup=fleet.setup, strangers=strangers, results=results,
                             whose={p.tag: p.what for p in fleet.processes},
                             frozen={p.tag for p in fleet.workers() if p.was_frozen},
                             schemas=checks.load_schemas(TOP),
                             sightings=operator.sightings,
                             was_resumed=operator.counts.get("resume", 0) > 0))


def judge(fleet, found):
    """All checks: problems, and what was seen."""
    ev = evidence.Evidence(found.objects, found.writes)
    problems = [p for check in checks.CHECKS
                if found.case.results or check not in checks.NEED_RESULTS
                for p in check(ev, found.case)]
    return problems + list(outside.check(fleet, found.requests, found.objects)), ev


def figures(fleet, ev, requests):
    records = [r for found in ev.records.values() for r in found]
    return {"steps": len(ev.listings), "attempts": len(records),
            "takeovers": ev.takeovers(),
            "fences": sum(p.child.returncode == 5 for p in fleet.workers()),
            "late commits": sum(not r.is_owned for r in records),
            "interrupted": sum(r.state == "interrupted" for r in records),
            "cancelled": sum(r.state == "cancelled" for r in records),
            "claims": len(ev.claims), "stolen": sum(c.worker != c.origin for c in ev.claims),
            "verdicts": len(ev.verdicts),
            "aborts": sum(v.document()["decision"] == "abort" for v in ev.verdicts.values()),
            "started": sum(bool(r.document.get("start")) for r in records),
            "late": sum(bool(r.document.get("start") and r.document["start"]["late_by_ms"])
                        for r in records),
            "rounds": len({o["round"] for _, o in ev.orders if o["round"]}),
            "sessions": len({bucket.query_of(r)["upload_id"] for r in requests
                             if "upload_id" in bucket.query_of(r)}),
            "workers": len(fleet.setup.workers), "starts": len(fleet.workers())}


def play(fleet, ret):
    operator = operate.Operator(fleet)
    operator.play()
    problems, results = operator.finish()
    if not problems:
        problems += outside.check_remains(fleet)
    ret["injected"], ret["struck"] = operator.counts, operator.struck
    ret["problems"] += problems
    if not operator.has_split:
        return
    evidence_ = gather(fleet, operator, results)
    found, ev = judge(fleet, evidence_)
    ret["problems"] += found
    ret["figures"] = figures(fleet, ev, evidence_.requests)


def on_signal(sig, frame):
    """Once: cleaning up must not be cut short by the next one."""
    for other in (signal.SIGTERM, signal.SIGINT):
        signal.signal(other, signal.SIG_IGN)
    sys.exit(130)


def die_with_parent():
    """And clean up, however this program ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def one(seed, build, plant):
    """One chaos run, in a process of its own."""
    die_with_parent()
    folder = tempfile.mkdtemp(prefix="muster-chaos.")
    ret = {"seed": seed, "problems": [], "figures": {}, "injected": {}, "struck": {}}
    fleet = None
    try:
        fleet = fleets.Fleet(folder, build, script.make(seed, PLANTS.get(plant)),
                             random.Random(seed ^ 1), plant)
        play(fleet, ret)
    except Exception:  # a bug of ours, or an answer nobody expects: both are news
        ret["problems"].append("broken: " + traceback.format_exc())
    finally:
        if fleet:
            save_evidence(fleet, ret)
            fleet.end()
            fleet.await_remains()
        ret["folder"] = put_away(folder, seed, ret["problems"] and not plant)
    return ret


def save_evidence(fleet, ret):
    if not ret["problems"]:
        return
    try:
        with open(fleet.path("requests.json"), "w") as f:
            json.dump(fleet.client.requests(), f, indent=0)
        objects, _ = bucket.snapshot(fleet.client, "ctl", fleet.setup.run)
        for name, obj in objects.items():
            os.makedirs(os.path.dirname(fleet.path("bucket", name)), exist_ok=True)
            with open(fleet.path("bucket", name), "wb") as f:
                f.write(obj.content)
    except Exception as e:
        ret["problems"].append(f"broken: no evidence kept: {e}")


def put_away(folder, seed, is_kept):
    if not is_kept:
        shutil.rmtree(folder, ignore_errors=True)
        return None
    keep = os.environ.get("CHAOS_KEEP")
    if not keep:
        return folder
    os.makedirs(keep, exist_ok=True)
    return shutil.move(folder, os.path.join(keep, f"seed-{seed}-{os.path.basename(folder)}"))


def total(results, part):
    sums = collections.Counter()
    for one_run in results:
        sums.update(one_run[part])
    return sums


def kinds(problems):
    return collections.Counter(p.split(":")[0] for p in problems)


def table(results):
    """What was done to how many, and what came of it."""
    sums = total(results, "figures")
    print(f"\n{len(results)} runs: " + ", ".join(f"{n} {what}" for what, n in sums.items()))
    for title, part in (("done to them", "injected"), ("requests struck", "struck")):
        print(f"{title}: " + ", ".join(f"{n} {what}" for what, n in
                                       sorted(total(results, part).items())))
    bad = collections.Counter()
    for one_run in results:
        bad.update(kinds(one_run["problems"]))
    print("violations: " + (", ".join(f"{n} {what}" for what, n in bad.items()) or "none"))


def missing(results):
    """What was never done in that many runs."""
    if len(results) < MANY:
        return []
    return [what for part, kinds_ in STRUCK.items() for what in kinds_
            if not total(results, part)[what]]


def tell(result):
    if not result["problems"]:
        return
    what = ", ".join(f"{n} {kind}" for kind, n in kinds(result["problems"]).items())
    print(f"seed {result['seed']}: {what}; make chaos RUNS=1 SEED={result['seed']}; "
          f"its folder: {result['folder']}", flush=True)
    for problem in result["problems"][:12]:
        print("    " + problem, flush=True)


class Pool:
    """Chaos runs as processes, a few at a time; none outlives this program."""

    def __init__(self, build, jobs, plant=None):
        self.argv = [sys.executable, os.path.abspath(__file__), "--build", build]
        self.argv += ["--plant", plant] if plant else []
        self.jobs, self.running = jobs, []

    def start(self, seed):
        self.running.append(subprocess.Popen([*self.argv, "--one", str(seed)],
                                             stdout=subprocess.PIPE))

    def next(self):
        """The first that ends; its document is short enough for a pipe."""
        while True:
            for child in self.running:
                if child.poll() is not None:
                    self.running.remove(child)
                    return json.loads(child.stdout.read() or b"null")
            time.sleep(0.02)

    def end(self):
        for child in self.running:
            child.terminate()
        for child in self.running:
            child.wait()


def run_all(seeds, build, jobs, plant=None, until=None):
    """Results of the seeds, in the order in which they came."""
    results, pool, seeds = [], Pool(build, jobs, plant), list(seeds)
    try:
        while seeds or pool.running:
            while seeds and len(pool.running) < jobs:
                pool.start(seeds.pop(0))
            results.append(pool.next() or {"seed": 0, "problems": ["broken: no answer"],
                                           "figures": {}, "injected": {}, "struck": {},
                                           "folder": None})
            if not plant:
                tell(results[-1])
            if until and until(results[-1]):
                seeds = []
    finally:
        pool.end()
    return results


def plants(build, jobs, seed):
    """Each planted bug has to be found within some runs."""
    missed = 0
    for name in PLANTS:
        results = run_all(range(seed, seed + PLANT_RUNS), build, jobs, name,
                          lambda r: r["problems"])
        hits = [r for r in results if r["problems"]]
        found = sum((kinds(r["problems"]) for r in hits), collections.Counter())
        missed += not hits
        print(f"{name:16} {'found' if hits else 'NOT FOUND'} in {len(hits)} of {len(results)} "
              f"runs: {', '.join(f'{n} {what}' for what, n in found.items())}", flush=True)
    return missed


def main():
    args = argparse.ArgumentParser(description=__doc__,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--build", required=True)
    args.add_argument("--runs", type=int, default=50)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--jobs", type=int, default=3)
    args.add_argument("--plants", action="store_true")
    args.add_argument("--one", type=int, help=argparse.SUPPRESS)
    args.add_argument("--plant", help=argparse.SUPPRESS)
    args = args.parse_args()
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, on_signal)
    build = os.path.abspath(args.build)
    if args.one is not None:
        print(json.dumps(one(args.one, build, args.plant)))
        return 0
    if args.plants:
        return 1 if plants(build, args.jobs, args.seed) else 0
    results = run_all(range(args.seed, args.seed + args.runs), build, args.jobs)
    table(results)
    never = missing(results)
    if never:
        print("never done: " + ", ".join(never))
    return 1 if never or any(r["problems"] for r in results) else 0


if __name__ == "__main__":
    sys.exit(main())
