#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is every check able to fail? One good run's evidence, spoiled in one place at a time.

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
    found.writes.insert(0, chaos.bucket.Write(1, f"workers/{at.worker}.json", "p998"))
    found.case.sightings = {(at.worker, 1, at.step, at.attempt)}


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


MUTATIONS = (lost, rerun, usurped, attempts, nonce, name, schema, plan, collect, cells,
             manifest, cancelled, ending, record, figures, writers, shared, reused,
             precondition, stranger, secret, exit_, files)


def spoil(mutation, fleet, good):
    """Is the violation of the mutation's own name among what is found?"""
    found = copy.deepcopy(good)
    saved = fleet.workers()[0].child.returncode
    mutation(found, fleet)
    problems = chaos.kinds(chaos.judge(fleet, found)[0])
    fleet.workers()[0].child.returncode = saved
    kind = mutation.__name__.rstrip("_")
    print(f"{kind:14} {'found' if kind in problems else 'NOT FOUND'}: "
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


def run(build, seed):
    """A good run; what it is judged by."""
    fleet = fleets.Fleet(tempfile.mkdtemp(prefix="muster-chaos."), build, script.make(seed),
                         random.Random(seed))
    operator = operate.Operator(fleet)
    operator.play()
    problems, results = operator.finish()
    good = chaos.gather(fleet, operator, results)
    return fleet, good, problems + chaos.judge(fleet, good)[0]


def main():
    build = os.path.abspath(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    fleet, good, problems = run(build, seed)
    try:
        if problems:
            print("not a good run:", *problems, sep="\n    ")
            return 1
        missed = sum(not spoil(m, fleet, good) for m in MUTATIONS) + (not left(fleet))
        return 1 if missed else 0
    finally:
        fleet.end()
        fleet.await_remains()
        fleet.remove()


if __name__ == "__main__":
    sys.exit(main())
