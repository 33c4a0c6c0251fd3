# SPDX-License-Identifier: Apache-2.0
"""Checks of claims, in runs with stealing, and of the rounds that resume writes."""
import evidence


def units_of(ev, worker, round_):
    """The units of a worker's job of a round, as lists of step ids."""
    for job in ev.jobs:
        if (job.worker, job.round) == (worker, round_):
            return [[plan["step"] for plan in unit]
                    for unit in evidence.units(job.document["steps"])]
    return []


def check_claims(ev, case):
    """Each says what its name says, of a unit that there is, by one who was that name."""
    is_stealing = ev.config["settings"].get("steal", False)
    for c in ev.claims:
        doc, whose = c.document, case.whose.get(c.creator, "?")
        if not is_stealing:
            yield f"claim: {c.name} in a run without stealing"
        if (doc["run"], doc["round"], doc["step"]) != (case.setup.run, c.round, c.step):
            yield f"claim: {c.name} is another unit's"
        if c.steps not in units_of(ev, c.origin, c.round):
            yield f"claim: {c.name}: {' '.join(c.steps)} is no unit of {c.origin}"
        if ev.objects[c.name].metadata.get("muster-summary") != c.worker:
            yield f"claim: {c.name}: its summary names another than {c.worker}"
        if c.worker not in ev.config["workers"] or (
                whose != c.worker and not whose.startswith("resume")):
            yield f"claim: {c.name} of {c.worker} was written by {c.creator} {whose}"
        if c.round > 1 and not any(given(ev, step, c) for step in c.steps):
            yield f"claim: {c.name}, and no order had given the unit to {c.origin}"


def given(ev, step, claim):
    """Had an order brought the claim's round into force for the step?"""
    return any(order["kind"] == "reassign" and order["round"] == claim.round and
               at < claim.generation and
               (order["steps"] is None or step in order["steps"]) and
               (order["workers"] is None or claim.origin in order["workers"])
               for at, order in ev.orders)


def claim_before(ev, worker, step, generation):
    return any(c.worker == worker and step in c.steps and c.generation < generation
               for c in ev.claims)


def begins(ev):
    """(worker, step, attempt, generation, tag) of the first object of each attempt."""
    first = {}
    for write in ev.writes:
        kind, parts = evidence.kind_of(write.name)
        if kind not in ("file", "step"):
            continue
        i = parts["iteration"] or parts.get("i2") or parts.get("i3")
        key = (parts["worker"], f"{parts['matrix']}-{i}", int(parts["attempt"] or 1))
        first.setdefault(key, (write.generation, write.tag))
    return [(*key, *at) for key, at in sorted(first.items())]


def is_unrun(ev, worker, step, attempt):
    """A record of an attempt of which nothing was run."""
    return any(r.worker == worker and r.attempt == attempt and r.state == "cancelled" and
               not r.document["files"] for r in ev.records.get(step, []))


def check_claimed(ev, case):
    """No step begins before its worker has the claim of its unit."""
    if not ev.config["settings"].get("steal", False):
        return
    for worker, step, attempt, generation, _ in begins(ev):
        if not claim_before(ev, worker, step, generation) and (
                not is_unrun(ev, worker, step, attempt)):
            yield f"claimless: {step} attempt {attempt} of {worker} without a claim"
    for worker, generation, step, attempt in sorted(case.sightings):
        if not claim_before(ev, worker, step, generation):
            yield f"claimless: {worker} had {step} attempt {attempt} in flight unclaimed"


def check_two_owners(ev, case):
    """In one round nobody ends a step that another, who owned it, has ended."""
    for step, found in ev.records.items():
        decided = [r for r in found if r.is_owned and
                   r.state in ("ok", "failed", "timeout", "invalid")]
        if len({r.worker for r in decided}) > 1:
            yield (f"owners: {step} was ended by " +
                   " and ".join(sorted({r.worker for r in decided})))


def check_rounds(ev, case):
    """All jobs and orders of a round are of one plan; its first job claims it."""
    rounds = {}
    for job in sorted(ev.jobs, key=lambda j: j.generation):
        said = evidence.kind_of(job.name)[1]["round"]
        if said and int(said) != job.round:
            yield f"round: {job.name} says that it is of round {job.round}"
        if job.round > 1:
            rounds.setdefault(job.round, []).append(job)
        is_mark = ev.objects[job.name].metadata.get("muster-summary") == "claim"
        if is_mark and job.document["steps"]:
            yield f"round: {job.name} has steps and says that it is a claim"
    for n, jobs in rounds.items():
        if jobs[0].worker != ev.config["workers"][0]:
            yield f"round: {n} was begun by the job of {jobs[0].worker}"
        if len({j.creator for j in jobs}) > 1:
            yield f"round: {n} has jobs of {' '.join(sorted({j.creator for j in jobs}))}"
    seqs = sorted(int(evidence.kind_of(name)[1]["seq"]) for name in ev.objects
                  if name.startswith("control/"))
    if seqs != list(range(1, len(seqs) + 1)):
        yield f"round: orders are numbered {seqs}"
    yield from check_orders(ev, rounds)


def check_orders(ev, rounds):
    """An order gives what the jobs of its round list, and comes after them."""
    creators = {(w.name, w.generation): w.tag for w in ev.writes}
    for name in ev.objects:
        order = ev.objects[name].document() if name.startswith("control/") else None
        if not order or order["kind"] != "reassign" or not order["round"]:
            continue
        at, jobs = ev.objects[name].generation, rounds.get(order["round"], [])
        tags = {j.creator for j in jobs} | {creators.get((name, at))}
        if len(tags) > 1:
            yield f"round: {name} and the jobs of its round are of {' '.join(map(str, tags))}"
        listed = [(plan["step"], j) for j in jobs for plan in j.document["steps"]
                  if order["workers"] is None or j.worker in order["workers"]]
        for step in order["steps"] or []:
            mine = [j for s, j in listed if s == step]
            if len(mine) != 1 or mine[0].generation > at:
                yield f"round: {name} gives {step}, listed {len(mine)} times before it"


CHECKS = (check_claims, check_claimed, check_two_owners, check_rounds)
