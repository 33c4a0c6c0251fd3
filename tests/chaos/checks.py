# SPDX-License-Identifier: Apache-2.0
"""What must hold of a run that is over, judged by the bucket alone.

Each check yields "kind: what is wrong"; CHECKS is the list of them.
"""
import collections
import json
import os
import re

import claims
import expect
import starts
from evidence import FINAL, kind_of

SCHEMAS = {"config": "config", "job": "job", "control": "control", "worker": "worker",
           "manifest": "manifest", "step": "step", "claim": "claim",
           "arrival": "arrival", "verdict": "verdict"}
# what is created once, and never written again
ONCE = ("config", "input", "job", "control", "claim", "arrival", "verdict", "step", "file")
DECIDED = ("ok", "failed", "timeout", "invalid")


def load_schemas(top):
    from jsonschema import Draft202012Validator
    found = {}
    for kind in SCHEMAS.values():
        with open(os.path.join(top, f"manifests/{kind}.schema.json")) as f:
            found[kind] = Draft202012Validator(json.load(f))
    return found


def check_names(ev, case):
    for name, obj in ev.objects.items():
        if kind_of(name)[0] is None:
            yield f"name: {name} is not of the layout"
        if not re.fullmatch("[0-9a-f]{32}", obj.metadata.get("muster-nonce", "")):
            yield f"nonce: {name} has none"
    for name in case.strangers:
        yield f"name: {name} lies outside of the run"


def check_documents(ev, case):
    for name, obj in ev.objects.items():
        kind = kind_of(name)[0]
        if kind not in SCHEMAS:
            continue
        doc = obj.document()
        error = next(case.schemas[kind].iter_errors(doc), None) if doc is not None else None
        if doc is None or error:
            yield f"schema: {name}: {error.message[:100] if error else 'no JSON'}"


def check_once(ev, case):
    counts = collections.Counter(w.name for w in ev.writes)
    for name, n in counts.items():
        if kind_of(name)[0] in ONCE and n > 1:
            yield f"once: {name} was written {n} times"


def planned(config):
    per_cell = config["iterations"] * (len(config["workers"])
                                       if config["design"] == "together"
                                       else config["replicas"])
    for arm in range(len(config["arms"])):
        for row in range(len(config["cases"])):
            for i in range(per_cell):
                yield f"{arm * len(config['cases']) + row + 1}-{i + 1}"


def check_plan(ev, case):
    want, have = sorted(planned(ev.config)), sorted(ev.listings)
    if want != have:
        yield f"plan: {len(have)} steps are listed, {len(want)} planned"
    for worker in ev.config["workers"]:
        if f"jobs/{worker}.json" not in ev.objects:
            yield f"plan: {worker} has no job"
    for step, listings in ev.listings.items():
        if sum(at.round == 1 for at in listings) > 1:
            yield f"plan: {step} is in two jobs of round 1"


def was_stopped_jobless(ev, case, step):
    """An order came before the worker had its job: nobody was there to cancel the step."""
    owner = ev.owner(step)
    lease = ev.objects.get(f"workers/{owner}.json")
    lease = lease and lease.document()
    return (lease and lease["state"] == "cancelled" and lease["total"] == 0 and
            ev.stop_stands(owner) and not case.was_resumed)


def check_none_lost(ev, case):
    for step in ev.listings:
        record = ev.counting(step)
        if record is None and not was_stopped_jobless(ev, case, step):
            yield f"lost: {step} of {ev.owner(step)} has no result"
        elif record and record.state == "cancelled":
            if not ev.stop_stands(record.worker, record.generation):
                yield f"cancelled: {step} by {record.worker}, and no order stands"
            elif case.was_resumed:
                yield f"cancelled: {step} by {record.worker} after the last resume"


def check_collect(ev, case):
    """The same owner rule, by other code."""
    theirs = {s["step"]: s for s in case.results["steps"]
              if s["counts"] or s["state"] == "pending"}
    if sorted(theirs) != sorted(ev.listings):
        yield "collect: other steps than the jobs list"
    if sum(s["counts"] for s in case.results["steps"]) > len(ev.listings):
        yield "collect: a step counts twice"
    for step in ev.listings:
        record, said = ev.counting(step), theirs.get(step, {})
        ours = (record.worker, record.attempt, record.state) if record else (
            ev.owner(step), None, "pending")
        got = (said.get("worker"), said.get("attempt"), said.get("state"))
        if ours != got:
            yield f"collect: {step}: {got}, by the contract {ours}"
    attempts = sum(len(found) for found in ev.records.values())
    listed = sum(s["attempt"] is not None for s in case.results["steps"])
    if attempts != listed:
        yield f"collect: {listed} attempts are listed, {attempts} are in the bucket"


def check_rerun(ev, case):
    """Nothing follows a result that its owner had committed."""
    for step, found in ev.records.items():
        first = None
        for record in (r for r in found if r.is_owned):
            if first and not (first.state == "cancelled" and ev.lifted_between(
                    first.generation, record.generation)):
                yield (f"rerun: {step}: attempt {first.attempt} of {first.worker} "
                       f"({first.creator}) was {first.state}, then attempt {record.attempt} "
                       f"of {record.worker} ({record.creator}) {record.state}")
            if record.state in FINAL:
                first = record
        counting = ev.counting(step)
        decided = [r for r in found if r.is_owned and r.state in DECIDED]
        if counting and decided and not counting.is_owned:
            yield (f"usurped: {step}: {counting.name} ({counting.creator}) counts, written "
                   f"by one that did not own it; {decided[0].name} does not")


def first_sightings(case):
    """(worker, step, attempt) → generation of the lease that named it first. A later life
    says at first what the one before it had in flight."""
    first = {}
    for worker, generation, step, attempt in sorted(case.sightings):
        first.setdefault((worker, step, attempt), generation)
    return first


def check_begun_again(ev, case):
    """Nor does its owner begin what has no record in the end: by its files, by its lease."""
    begun = [(w, step, n, at, tag) for w, step, n, at, tag in claims.begins(ev)]
    begun += [(w, step, n, at, ev.holder(w, at))
              for (w, step, n), at in first_sightings(case).items()]
    for worker, step, attempt, at, tag in begun:
        first = next((r for r in ev.records.get(step, []) if r.is_owned and
                      r.state in DECIDED), None)
        if not first or at <= first.generation or (
                worker == first.worker and attempt <= first.attempt):
            continue
        if ev.owner(step, at) == worker and ev.holder(worker, at) == tag:
            yield (f"rerun: {step}: attempt {first.attempt} of {first.worker} was "
                   f"{first.state}, then attempt {attempt} of {worker} ({tag}) was begun")


def check_attempts(ev, case):
    most = ev.config["settings"]["max_attempts"]
    for step, found in ev.records.items():
        is_moved = any(at.round > 1 for at in ev.listings.get(step, []))
        for r in found:
            if r.attempt > most and not is_moved:
                yield f"attempts: {r.name} is past max_attempts {most}"
            if r.state == "interrupted" and r.attempt >= most and not is_moved:
                yield f"attempts: {r.name} is the last and says interrupted"
            said = re.match(r"interrupted (\d+) times?; ", r.document["reason"] or "")
            if said and r.state == "failed" and r.attempt < most:
                yield f"attempts: {r.name} gives up after {r.attempt} of {most}"


def check_ending(ev, case):
    """No end but those that were planned for this attempt, and those orders make."""
    for step, found in ev.records.items():
        for r in found:
            want = expect.ending(case.setup.fio, case.setup.run, r.worker, step, r.attempt)
            reason = r.document["reason"] or ""
            if r.state == "ok" and want != "ok":
                yield f"ending: {r.name} is ok, and fio had {want}"
            elif r.state == "timeout" and starts.is_called_off(ev, r):
                continue
            elif r.state in ("failed", "invalid", "timeout") and r.state != want and (
                    not re.match(r"interrupted \d+ times?; ", reason)):
                yield f"ending: {r.name} is {r.state} without a cause: {reason[:160]}"
            elif r.state == "cancelled" and not ev.stop_stands(r.worker, r.generation):
                yield f"ending: {r.name} is cancelled, and nobody ordered it"


def check_record(ev, case):
    """The record says what its name says, and carries the figures of its own attempt."""
    cases = {c["test_id"]: c for c in ev.config["cases"]}
    for step, found in ev.records.items():
        for r in found:
            d = r.document
            if (d["worker"], d["step"], d["attempt"], d["run"]) != (
                    r.worker, step, r.attempt, case.setup.run):
                yield f"record: {r.name} is another attempt's"
            for file in d["files"]:
                obj = ev.objects.get(os.path.join(os.path.dirname(r.name), file["name"]))
                if not obj or (obj.generation, int(obj.resource["size"]),
                               obj.resource["crc32c"]) != (
                                   file["generation"], file["bytes"], file["crc32c"]):
                    yield f"record: {r.name}: {file['name']} is not as it says"
            if r.state == "ok":
                yield from check_figures(r, cases[d["test_id"]])


def check_figures(r, test_case):
    params, total = test_case["params"], 0
    want = expect.directions(params)
    jobs = int(params["numjobs"])
    results = {one["rw"]: one for one in r.document["results"]}
    if sorted(results) != sorted(want):
        yield f"figures: {r.name} has {sorted(results)}, not {sorted(want)}"
        return
    for rw, ios in want.items():
        lat = results[rw]["lat"]
        matrix, iteration = map(int, r.step.split("-"))
        bins = expect.bins(ios, jobs, int(r.worker.rsplit("-", 1)[1]), matrix, iteration,
                           r.attempt)
        total += results[rw]["io_bytes"]
        if [tuple(b) for b in lat["bins"]] != bins or lat["n"] != ios * jobs:
            yield f"figures: {r.name}: {rw} has other bins than its attempt's"
    if test_case["io_bytes"] is not None and total != test_case["io_bytes"]:
        yield f"figures: {r.name}: {total} bytes, the case asks for {test_case['io_bytes']}"


def merged(ev, matrix_id):
    """(group, rw) → Σ n and Σ n·mean of a cell's results that count and are ok."""
    sums = {}
    for step in ev.listings:
        record = ev.counting(step)
        if int(step.split("-")[0]) != matrix_id or not record or record.state != "ok":
            continue
        for one in record.document["results"]:
            at = sums.setdefault((one["group"], one["rw"]), [0, 0, 0.0])
            at[0] += 1
            at[1] += one["lat"]["n"]
            at[2] += one["lat"]["n"] * one["lat"]["mean_ns"]
    return sums


def check_cells(ev, case):
    """Merged figures hold each counting result exactly once."""
    for cell in case.results["cells"]:
        sums = merged(ev, cell["matrix_id"])
        got = {(f["group"], f["rw"]): f for f in cell["figures"]}
        if sorted(got) != sorted(sums):
            yield f"cells: {cell['matrix_id']} has {sorted(got)}, not {sorted(sums)}"
            continue
        for key, (steps, n, weighted) in sums.items():
            f = got[key]
            if f["steps"] != steps or f["lat"]["n"] != n or (
                    abs(f["lat"]["mean_ns"] - weighted / n) > 1e-6 * weighted / n):
                yield f"cells: {cell['matrix_id']} {key}: counts differ"


def check_manifest(ev, case):
    """The index says of every step what the newest record of it says."""
    for worker in ev.config["workers"]:
        lease = ev.objects.get(f"workers/{worker}.json")
        manifest = ev.objects.get(f"results/{worker}/manifest.json")
        if not lease or not manifest:
            yield f"manifest: {worker} has no lease or no manifest"
            continue
        lease, manifest = lease.document(), manifest.document()
        if lease["state"] not in ("done", "cancelled") or manifest["state"] != lease["state"]:
            yield f"manifest: {worker}: {manifest['state']}, its lease {lease['state']}"
        if manifest["incarnation"]["nonce"] != lease["incarnation"]["nonce"]:
            yield f"manifest: {worker}: lease and manifest are of two lives"
        if lease["done"] != lease["total"] or lease["total"] != len(manifest["steps"]):
            yield f"manifest: {worker}: {lease['done']} of {lease['total']} steps done"
        for line in manifest["steps"]:
            mine = [r for r in ev.records.get(line["step"], []) if r.worker == worker]
            at = [r.state for r in mine if r.attempt == line["attempt"]]
            if line["state"] in FINAL and at != [line["state"]]:
                yield (f"manifest: {worker} says {line['step']} attempt {line['attempt']} is "
                       f"{line['state']}, the bucket {at}")


def check_one_writer(ev, case):
    """A process that lost lease or manifest to another never writes it again."""
    owned = {}
    for write in ev.writes:
        if kind_of(write.name)[0] in ("worker", "manifest"):
            owned.setdefault(write.name, []).append(write.tag)
    for name, tags in owned.items():
        lives = [tag for i, tag in enumerate(tags) if i == 0 or tags[i - 1] != tag]
        if len(lives) != len(set(lives)):
            yield f"writers: {name} was written by turns: {' '.join(lives)}"


def check_shared(ev, case):
    """The objects of one attempt come from one process; the note that an attempt was lost,
    or never begun, may come from the next."""
    attempts = {}
    for write in ev.writes:
        kind, parts = kind_of(write.name)
        if kind in ("file", "step"):
            i = parts["iteration"] or parts["i2"] or parts["i3"] if kind == "file" else (
                parts["iteration"])
            key = (parts["worker"], f"{parts['matrix']}-{i}", int(parts["attempt"] or 1))
            attempts.setdefault(key, {}).setdefault(write.tag, []).append(write.name)
    for (worker, step, attempt), tags in attempts.items():
        record = next((r for r in ev.records.get(step, []) if r.worker == worker and
                       r.attempt == attempt), None)
        if record and not record.document["files"] and record.state != "ok":
            tags = {tag: n for tag, n in tags.items() if n != [record.name]}
        if len(tags) > 1:
            yield f"shared: {step} attempt {attempt} of {worker} by {' '.join(sorted(tags))}"


def check_reused(ev, case):
    """An attempt that was seen in flight in one life is not run by a later one."""
    for (worker, step, attempt), generation in first_sightings(case).items():
        tag = ev.holder(worker, generation)
        for r in ev.records.get(step, []):
            if (r.worker, r.attempt) == (worker, attempt) and r.creator != tag and (
                    ev.begins_life(worker, r.creator) > generation) and (
                    r.document["files"] or r.state == "ok"):
                yield f"reused: {r.name} by {r.creator} was in flight in {tag}"
                break


CHECKS = (check_names, check_documents, check_plan, check_none_lost, check_collect,
          check_rerun, check_begun_again, check_attempts, check_ending, check_record, check_cells,
          check_manifest, check_one_writer, check_shared, check_reused, check_once,
          *claims.CHECKS, *starts.CHECKS)
NEED_RESULTS = (check_collect, check_cells)
