#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is every check able to fail? The evidence of good runs, spoiled in one place at a time.

  mutate.py BUILD [SEED]
"""
import copy
import json
import os
import random
import subprocess
import sys
import tempfile

import chaos
import evidence
import fleet as fleets
import operate
import script


def counting_ok(found):
    """A record that counts and is ok."""
    ev = evidence.Evidence(found.objects, found.writes)
    return next(r for step in sorted(ev.listings) for r in [ev.counting(step)]
                if r and r.state == "ok" and r.is_owned)


def rewrite(found, name, change):
    obj = found.objects[name]
    doc = json.loads(obj.content)
    change(doc)
    obj.content = json.dumps(doc).encode()


def copy_record(found, record, attempt, tag, state="ok"):
    """Another record of the same step, later than everything."""
    at = max(w.generation for w in found.writes) + 1
    folder, file = record.name.replace(f"attempt-{record.attempt}/", "").rsplit("/", 1)
    name = f"{folder}/attempt-{attempt}/{file}"
    found.objects[name] = copy.deepcopy(found.objects[record.name])
    found.objects[name].name, found.objects[name].generation = name, at
    rewrite(found, name, lambda d: d.update(attempt=attempt, state=state))
    found.writes.append(chaos.bucket.Write(at, name, tag))


def lost(found, fleet):
    del found.objects[counting_ok(found).name]


def rerun(found, fleet):
    record = counting_ok(found)
    holder = evidence.Evidence(found.objects, found.writes).holder(record.worker, 1 << 62)
    copy_record(found, record, record.attempt + 1, holder)


def usurped(found, fleet):
    record = counting_ok(found)
    copy_record(found, record, record.attempt + 1, "p999")


def attempts(found, fleet):
    copy_record(found, counting_ok(found), 99, "p999")


def nonce(found, fleet):
    del found.objects["config.json"].metadata["muster-nonce"]


def name(found, fleet):
    found.objects["results/w-1/notes.txt"] = copy.deepcopy(found.objects["jobfile.fio"])


def schema(found, fleet):
    rewrite(found, "workers/w-1.json", lambda d: d.update(state="gone"))


def plan(found, fleet):
    record = counting_ok(found)
    rewrite(found, f"jobs/{record.worker}.json", lambda d: d["steps"].pop())


def collect(found, fleet):
    steps = found.case.results["steps"]
    steps[0]["counts"] = not steps[0]["counts"]


def cells(found, fleet):
    next(f for c in found.case.results["cells"] for f in c["figures"])["lat"]["n"] += 1


def manifest(found, fleet):
    record = counting_ok(found)
    rewrite(found, f"results/{record.worker}/manifest.json",
            lambda d: d["steps"][0].update(state="timeout", reason="?"))


def cancelled(found, fleet):
    for control in [n for n in found.objects if n.startswith("control/")]:
        del found.objects[control]
    rewrite(found, counting_ok(found).name, lambda d: d.update(state="cancelled"))


def ending(found, fleet):
    rewrite(found, counting_ok(found).name, lambda d: d.update(state="failed", reason="?"))


def record(found, fleet):
    rewrite(found, counting_ok(found).name, lambda d: d["files"][0].update(generation=1))


def figures(found, fleet):
    rewrite(found, counting_ok(found).name,
            lambda d: d["results"][0]["lat"]["bins"][0].__setitem__(1, 77))


def writers(found, fleet):
    first = next(w for w in found.writes if w.name.startswith("workers/"))
    for tag in ("p998", first.tag):
        found.writes.append(chaos.bucket.Write(found.writes[-1].generation + 1, first.name,
                                               tag))


def shared(found, fleet):
    at = counting_ok(found)
    next(w for w in found.writes if w.name.startswith(os.path.dirname(at.name)) and
         w.name != at.name).tag = "p998"


def reused(found, fleet):
    at = counting_ok(found)
    found.writes.insert(0, chaos.bucket.Write(0, f"workers/{at.worker}.json", "p998"))
    found.case.sightings = {(at.worker, 1, at.step, at.attempt)}


def begun(found, fleet):
    """One more attempt that left a file and no record."""
    at = counting_ok(found)
    matrix, iteration = at.step.split("-")
    found.writes.append(chaos.bucket.Write(
        max(w.generation for w in found.writes) + 1,
        f"results/{at.worker}/test-{matrix}/attempt-{at.attempt + 1}/job_{iteration}.fio",
        chaos.evidence.Evidence(found.objects, found.writes).holder(at.worker, 1 << 62)))


def precondition(found, fleet):
    one = next(r for r in found.requests if "ifGenerationMatch=0" in r["query"])
    one["query"] = one["query"].replace("&ifGenerationMatch=0", "")


def stranger(found, fleet):
    next(r for r in found.requests if r["method"] == "POST")["headers"] = []


def secret(found, fleet):
    found.objects["jobfile.fio"].content += fleet.secret.encode()


def exit_(found, fleet):
    fleet.workers()[0].child.returncode = 2


def files(found, fleet):
    with open(fleet.path("tmp/left"), "w"):
        pass


def once(found, fleet):
    first = next(w for w in found.writes if w.name == "config.json")
    found.writes.append(chaos.bucket.Write(found.writes[-1].generation + 1, first.name,
                                           first.tag))


def stuck(found, fleet):
    fleet.workers()[0].child.returncode = None


def round_(found, fleet):
    """A job of another round than the object's name has it."""
    add_job(found, 2, 3, counting_ok(found))


def orders(found, fleet):
    """An order of a round of which there is no job."""
    at = max(w.generation for w in found.writes) + 1
    name = "control/0001.json"
    found.objects[name] = copy.deepcopy(found.objects["config.json"])
    found.objects[name].name, found.objects[name].generation = name, at
    found.objects[name].content = json.dumps({
        "schema": "muster/control/1", "kind": "reassign", "workers": None,
        "steps": ["1-1"], "round": 2, "reason": None}).encode()
    found.writes.append(chaos.bucket.Write(at, name, "p999"))


def add_job(found, named, said, record):
    at = max(w.generation for w in found.writes) + 1
    name = f"jobs/{record.worker}.r{named}.json"
    found.objects[name] = copy.deepcopy(found.objects[f"jobs/{record.worker}.json"])
    found.objects[name].name, found.objects[name].generation = name, at
    rewrite(found, name, lambda d: d.update(round=said))
    found.writes.append(chaos.bucket.Write(at, name, "p999"))


def claim_of(found, is_stolen=False):
    ev = evidence.Evidence(found.objects, found.writes)
    return next(c for c in ev.claims if not is_stolen or c.worker != c.origin)


def claim(found, fleet):
    rewrite(found, claim_of(found).name, lambda d: d["steps"].append("99-99"))


def claimless(found, fleet):
    del found.objects[claim_of(found).name]


def owners(found, fleet):
    """The lister ends a step of its unit before the thief claims it."""
    c = claim_of(found, True)
    ev = evidence.Evidence(found.objects, found.writes)
    theirs = next(r for r in ev.records[c.step] if r.worker == c.worker and r.state == "ok")
    mine = copy.deepcopy(found.objects[theirs.name])
    mine.name = theirs.name.replace(f"results/{c.worker}/", f"results/{c.origin}/")
    mine.generation = c.generation - 1
    found.objects[mine.name] = mine
    rewrite(found, mine.name, lambda d: d.update(worker=c.origin))
    found.writes.append(chaos.bucket.Write(mine.generation, mine.name,
                                           ev.holder(c.origin, mine.generation)))


def arrival(found, fleet):
    name = next(n for n in sorted(found.objects) if "/arrive/" in n)
    rewrite(found, name, lambda d: d.update(barrier=99))


def verdict(found, fleet):
    """A member of it had never arrived."""
    name = next(n for n in sorted(found.objects) if n.endswith("/verdict.json"))
    worker = found.objects[name].document()["members"][0]
    del found.objects[name.replace("verdict.json", f"arrive/{worker}.json")]


def start_of(found):
    return next(o for n, o in sorted(found.objects.items()) if "/step_" in n and
                o.document().get("start") and o.document()["state"] == "ok")


def start(found, fleet):
    """One that had no start."""
    rewrite(found, start_of(found).name, lambda d: d.pop("start"))


def start_early(found, fleet):
    rewrite(found, start_of(found).name,
            lambda d: d["start"].update(at_server_ns=d["start"]["go_server_ns"] - 1))


def start_aborted(found, fleet):
    barrier = start_of(found).document()["start"]["barrier"]
    rewrite(found, f"barriers/{barrier}/verdict.json",
            lambda d: d.update(decision="abort", go_server_ns=None, reason="?"))


MUTATIONS = (lost, rerun, usurped, attempts, nonce, name, schema, plan, collect, cells,
             manifest, cancelled, ending, record, figures, writers, shared, reused, begun,
             precondition, stranger, secret, exit_, once, stuck, round_, orders, files)
# in runs with stealing, and with synchronised starts: kind of run and seed
MORE = {("steal", 1): (claim, claimless, owners),
        ("together", 3): (arrival, verdict, start, start_early, start_aborted)}
KINDS = {"orders": "round", "begun": "rerun", "start_early": "start", "start_aborted": "start"}


def spoil(mutation, fleet, good):
    """Is the violation of the mutation's own name among what is found?"""
    found = copy.deepcopy(good)
    saved = fleet.workers()[0].child.returncode
    mutation(found, fleet)
    problems = chaos.kinds(chaos.judge(fleet, found)[0])
    fleet.workers()[0].child.returncode = saved
    name = mutation.__name__.rstrip("_")
    kind = KINDS.get(name, name)
    print(f"{name:14} {'found' if kind in problems else 'NOT FOUND'}: "
          f"{', '.join(f'{n} {what}' for what, n in problems.items())}")
    return kind in problems


def left(fleet):
    """A process that stays behind."""
    child = subprocess.Popen(["sleep", "60"], cwd=fleet.path("logs"))
    found = fleet.await_remains(0.1)
    child.kill()
    child.wait()
    print(f"{'left':14} {'found' if found else 'NOT FOUND'}")
    return bool(found)


def run(build, seed, kind):
    """A good run; what it is judged by."""
    fleet = fleets.Fleet(tempfile.mkdtemp(prefix="muster-chaos."), build,
                         script.make(seed, kind), random.Random(seed))
    operator = operate.Operator(fleet)
    operator.play()
    problems, results = operator.finish()
    good = chaos.gather(fleet, operator, results)
    return fleet, good, problems + chaos.judge(fleet, good)[0]


def spoil_all(build, seed, kind, mutations):
    """How many are not found; those of a run that is not good."""
    fleet, good, problems = run(build, seed, kind)
    try:
        if problems:
            print("not a good run:", *problems, sep="\n    ")
            return len(mutations)
        return sum(not spoil(m, fleet, good) for m in mutations) + (
            kind == "plain" and not left(fleet))
    finally:
        fleet.end()
        fleet.await_remains()
        fleet.remove()


def main():
    build = os.path.abspath(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    missed = spoil_all(build, seed, "plain", MUTATIONS)
    for (kind, at), mutations in MORE.items():
        missed += spoil_all(build, seed - 1 + at, kind, mutations)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
