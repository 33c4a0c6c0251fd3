# SPDX-License-Identifier: Apache-2.0
"""What the bucket proves: plan, orders, records, who owned which name and step when.

The rules are those of the contract (which result counts, who owns a step), written down
here once more and independently of the C code.
"""
import re
from dataclasses import dataclass, field

FINAL = ("ok", "failed", "timeout", "invalid", "cancelled")
NAMES = {
    "config": r"config\.json",
    "input": r"test-cases\.csv|mount-configs\.csv|jobfile\.fio",
    "job": r"jobs/(?P<worker>[a-z][a-z0-9-]*)(\.r(?P<round>[2-9]|[1-9]\d+))?\.json",
    "control": r"control/(?P<seq>\d{4,})\.json",
    "claim": (r"claims/(?P<matrix>[1-9]\d*)-(?P<iteration>[1-9]\d*)"
              r"(\.r(?P<round>[2-9]|[1-9]\d+))?\.json"),
    "arrival": r"barriers/(?P<barrier>[1-9]\d*)/arrive/(?P<worker>[a-z][a-z0-9-]*)\.json",
    "verdict": r"barriers/(?P<barrier>[1-9]\d*)/verdict\.json",
    "worker": r"workers/(?P<worker>[a-z][a-z0-9-]*)\.json",
    "manifest": r"results/(?P<worker>[a-z][a-z0-9-]*)/manifest\.json",
    "log": r"results/(?P<worker>[a-z][a-z0-9-]*)/worker\.log",
    "step": (r"results/(?P<worker>[a-z][a-z0-9-]*)/test-(?P<matrix>[1-9]\d*)/"
             r"(attempt-(?P<attempt>[1-9]\d*)/)?step_(?P<iteration>[1-9]\d*)\.json"),
    "file": (r"results/(?P<worker>[a-z][a-z0-9-]*)/test-(?P<matrix>[1-9]\d*)/"
             r"(attempt-(?P<attempt>[1-9]\d*)/)?(job_(?P<iteration>[1-9]\d*)\.fio|"
             r"fio_output_(?P<i2>[1-9]\d*)\.json|monitor_(?P<i3>[1-9]\d*)\.csv)"),
}


def kind_of(name):
    """The kind of an object and the parts of its name; None for an unexpected one."""
    for kind, pattern in NAMES.items():
        match = re.fullmatch(pattern, name)
        if match and match.groupdict().get("attempt") != "1":
            return kind, match.groupdict()
    return None, {}


@dataclass
class Record:
    name: str
    generation: int
    worker: str
    step: str
    attempt: int
    state: str
    document: dict
    creator: str = ""  # the tag of the process that created it
    is_owned: bool = False  # by the step's owner, in the life that held the lease


@dataclass
class Listing:
    worker: str
    round: int
    plan: dict
    leader: str  # of its unit


@dataclass
class Claim:
    name: str
    generation: int
    round: int
    step: str  # the unit's leader
    steps: list
    worker: str  # who holds it
    origin: str  # whose job lists the unit
    creator: str
    document: dict


@dataclass
class Job:
    name: str
    generation: int
    round: int
    worker: str
    creator: str
    document: dict


def units(steps):
    """The steps of a job, unit by unit: of one block, at ever later places in it."""
    found = []
    for plan in steps:
        before = found[-1][-1] if found else None
        if before and plan["block"] and plan["pos"] > before["pos"] and (
                (plan["test_id"], plan["block"]) == (before["test_id"], before["block"])):
            found[-1].append(plan)
        else:
            found.append([plan])
    return found


@dataclass
class Evidence:
    objects: dict
    writes: list
    config: dict = None
    orders: list = field(default_factory=list)  # (generation, document) by number
    listings: dict = field(default_factory=dict)  # step → [Listing] by round
    records: dict = field(default_factory=dict)  # step → [Record] by generation
    jobs: list = field(default_factory=list)
    claims: list = field(default_factory=list)
    arrivals: dict = field(default_factory=dict)  # barrier → {worker: Object}
    verdicts: dict = field(default_factory=dict)  # barrier → Object

    def __post_init__(self):
        self.config = self.objects["config.json"].document()
        self.leases = {}
        for write in self.writes:
            if write.name.startswith("workers/"):
                self.leases.setdefault(write.name[8:-5], []).append(write)
        creators = {(w.name, w.generation): w.tag for w in self.writes}
        for name in sorted(self.objects):
            kind, parts = kind_of(name)
            self.add(kind, parts, self.objects[name], creators)
        for found in self.records.values():
            found.sort(key=lambda r: r.generation)
            for record in found:
                record.is_owned = (
                    self.owner(record.step, record.generation) == record.worker and
                    self.holder(record.worker, record.generation) == record.creator)

    def add(self, kind, parts, obj, creators):
        doc = obj.document() if kind in ("job", "control", "step", "claim") else None
        creator = creators.get((obj.name, obj.generation), "")
        if kind == "job":
            self.add_job(Job(obj.name, obj.generation, doc["round"], doc["worker"], creator,
                             doc))
        elif kind == "claim" and doc:
            self.claims.append(Claim(
                obj.name, obj.generation, int(parts["round"] or 1),
                f"{parts['matrix']}-{parts['iteration']}", doc["steps"], doc["worker"],
                doc["from"], creator, doc))
        elif kind == "arrival":
            at = self.arrivals.setdefault(int(parts["barrier"]), {})
            at[parts["worker"]] = obj
        elif kind == "verdict":
            self.verdicts[int(parts["barrier"])] = obj
        elif kind == "control":
            self.orders.append((obj.generation, doc))
        elif kind == "step" and doc:
            step = f"{parts['matrix']}-{parts['iteration']}"
            self.records.setdefault(step, []).append(Record(
                obj.name, obj.generation, parts["worker"], step, int(parts["attempt"] or 1),
                doc["state"], doc, creator))

    def add_job(self, job):
        self.jobs.append(job)
        for unit in units(job.document["steps"]):
            for plan in unit:
                listings = self.listings.setdefault(plan["step"], [])
                listings.append(Listing(job.worker, job.round, plan, unit[0]["step"]))
                listings.sort(key=lambda at: (at.round, at.worker))

    def holding(self, listing, generation=None):
        """Who has claimed the unit through which this job lists the step, if anybody."""
        for claim in self.claims:
            if (claim.round, claim.step, claim.origin) == (
                    listing.round, listing.leader, listing.worker) and (
                    not generation or claim.generation <= generation):
                return claim.worker
        return None

    def owner(self, step, generation=None):
        """Who has claimed it in the round that gives it to somebody, else the job's."""
        listing = self.owning(step, generation)
        if listing is None:
            return None
        return self.holding(listing, generation) or listing.worker

    def owning(self, step, generation=None):
        """Of the newest reassign that gives it to somebody, else of the first round."""
        listings = self.listings.get(step, [])
        for at, order in reversed(self.orders):
            if order["kind"] != "reassign" or (generation and at > generation):
                continue
            if order["steps"] is not None and step not in order["steps"]:
                continue
            for listing in listings:
                if listing.round == order["round"] and (
                        order["workers"] is None or listing.worker in order["workers"]):
                    return listing
        return listings[0] if listings else None

    def holder(self, worker, generation):
        """The process that had written the lease last."""
        tag = ""
        for write in self.leases.get(worker, []):
            if write.generation <= generation:
                tag = write.tag
        return tag

    def begins_life(self, worker, tag):
        """The generation of the first lease that the process wrote."""
        return min((w.generation for w in self.leases.get(worker, []) if w.tag == tag),
                   default=0)

    def counting(self, step):
        """The one record that counts, or None: pending."""
        owner = self.owner(step)
        found = [r for r in self.records.get(step, []) if r.worker == owner]
        newest = max(found, key=lambda r: r.attempt, default=None)
        # cancelled by an order, and given to it once more
        if newest and newest.state == "cancelled" and (
                newest.attempt < self.owning(step).plan["attempt"]):
            return None
        return newest if newest and newest.state in FINAL else None

    def stop_stands(self, worker, generation=None):
        """Was an order to stop in force for the worker, at some time before?"""
        return any(order["kind"] in ("drain", "abort") and
                   (order["workers"] is None or worker in order["workers"])
                   for at, order in self.orders if not generation or at <= generation)

    def lifted_between(self, a, b):
        """Was there a resume or a reassign between two generations?"""
        return any(order["kind"] in ("resume", "reassign") and a < at < b
                   for at, order in self.orders)

    def takeovers(self):
        """How often a name went from one process to another."""
        return sum(sum(a.tag != b.tag for a, b in zip(found, found[1:]))
                   for found in self.leases.values())
