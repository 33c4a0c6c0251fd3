# SPDX-License-Identifier: Apache-2.0
"""What one chaos run does: a pure function of its seed.

Setup is the fleet and its job, and a list of events (seconds from the start, what, about
whom, details). Nothing in here starts or asks anything. Events that belong together share
their "who", which may be turned to a worker that is busy when the first of them comes.
"""
import random
from dataclasses import dataclass, field

HEARTBEAT_S, STALE_S = 1, 2
LENGTH_S = 2.4
POINTS = ("take-name", "lease", "fetch-job", "claim", "layout", "measure", "parse", "upload",
          "commit")
# what a seed's run is of: seed % 6
KINDS = ("plain", "steal", "plain", "together", "steal", "plain")
FAULTS = ("429", "503", "500", "408", "reset", "lost", "stall", "truncate")
PLACES = (None, None, "workers/", "step_", "control/", "manifest", "jobs/", "fio_output",
          "prefix=")
# places of the kinds of runs, beside those of all
MORE_PLACES = {"plain": (".r2", ".r3"), "steal": ("claims/", "claims/", ".r2"),
               "together": ("barriers/", "verdict", "arrive/", ".r2")}
MORE_POINTS = {"plain": (), "steal": ("unit-claim", "steal", "steal"),
               "together": ("barrier", "barrier")}
TEMPLATE = """[global]
description=chaos ms={ms_low}-{ms_high} fail={fail} garbage={garbage} empty={empty}
ioengine=psync
fallocate=none
rw=${{RW}}
bs=${{BS}}
filesize=${{FILESIZE}}
nrfiles=${{NRFILES}}
numjobs=${{NUMJOBS}}
directory=${{TEST_DATA_DIR}}
[t]
"""


@dataclass
class Setup:
    seed: int
    run: str
    workers: list
    cases: list
    arms: list
    design: str
    iterations: int
    replicas: int
    max_attempts: int
    fio: dict
    kind: str = "plain"
    policy: str = "all"
    lead_ms: int = 300
    barrier_timeout_s: int = 4
    weather: list = field(default_factory=list)  # faults all the time, to the end
    events: list = field(default_factory=list)


@dataclass(order=True)
class Event:
    at_s: float
    order: int
    what: str = field(compare=False)
    about: dict = field(compare=False, default_factory=dict)


def make_cases(rng):
    rows = []
    for _ in range(rng.randint(2, 4)):
        rows.append({"rw": rng.choice(["read", "write", "randread", "randwrite", "rw"]),
                     "bs": "4k", "filesize": rng.choice(["32k", "64k"]),
                     "nrfiles": str(rng.randint(1, 2)), "numjobs": str(rng.randint(1, 2))})
    return rows


def make_starts(rng, setup):
    """Few steps a worker: each may have to wait for those that come late."""
    setup.design = "together"
    del setup.workers[5:]
    del setup.cases[2:]
    setup.fio["ms_high"] = min(setup.fio["ms_high"], 300)
    setup.policy = rng.choice(["all", "majority", "best-effort"])
    setup.lead_ms = rng.choice([200, 300, 400])
    setup.barrier_timeout_s = rng.randint(3, 6)


def make_shape(rng, setup):
    """Iterations and replicas for some 20 to 40 steps."""
    if setup.kind == "together":
        make_starts(rng, setup)
        return
    setup.design = rng.choice(["blocks", "spread"])
    setup.iterations = rng.choice([2, 4])
    cells = len(setup.cases) * len(setup.arms) * setup.iterations
    wanted = max(1, round(rng.randint(20, 40) / cells))
    if setup.design == "blocks":
        setup.replicas = min(wanted, len(setup.workers))
    if setup.replicas < wanted:
        setup.iterations *= max(1, round(wanted / setup.replicas / 2)) * 2


def place(rng, same=0.6):
    """Where a worker is started again: the same machine, or another one."""
    return "same" if rng.random() < same else "other"


def point(rng, kind):
    """An exact place, as tests/e2e/kill.t has it."""
    name = rng.choice(POINTS + MORE_POINTS[kind])
    return ("after:" if name in ("take-name", "steal", "unit-claim") else
            rng.choice(["before:", "after:"])) + name


def dies_at(rng, kind):
    """Now and then at an exact place of its own."""
    return point(rng, kind) if rng.random() < 0.15 else None


def add_kill(rng, add, at, who, kind):
    add(at, "kill", who=who)
    if rng.random() < 0.85:
        add(at + rng.uniform(0, 0.5), "start", who=who, place=place(rng),
            die=dies_at(rng, kind))


def add_term(rng, add, at, who, kind):
    add(at, "term", who=who)
    if rng.random() < 0.7:
        add(at + rng.uniform(0, 1.2), "start", who=who, place=place(rng),
            die=dies_at(rng, kind))


def add_freeze(rng, add, at, who, kind):
    """A zombie: silent for longer than stale_s, then back."""
    back = at + STALE_S + rng.uniform(0.2, 2.0)
    add(at, "freeze", who=who)
    if rng.random() < 0.8:
        add(at + rng.uniform(0, 0.8), "start", who=who, place=place(rng, 0.15),
            die=dies_at(rng, kind))
    if rng.random() < 0.25:
        add(back - 0.05, "term-frozen", who=who)
    add(back, "thaw", who=who)


def add_zombie(rng, add, at, who, kind):
    """Stopped at an exact place, and taken over before it comes back."""
    back = at + STALE_S + rng.uniform(1.0, 2.5)
    add(at, "start", who=who, place="same", die=None, stop=point(rng, kind))
    add(at + rng.uniform(0.2, 1.0), "start", who=who, place="other", die=None)
    if rng.random() < 0.25:
        add(back - 0.05, "term-frozen", who=who)
    add(back, "thaw", who=who)


def add_double(rng, add, at, who, kind):
    add(at, "start", who=who, place=place(rng, 0.4), die=dies_at(rng, kind))


def make_rules(rng, odds, kind):
    rules, places = [], PLACES + MORE_PLACES[kind] * 2
    for _ in range(rng.randint(1, 3)):
        rule = {"kind": rng.choice(FAULTS), "probability": rng.choice(odds)}
        where, method = rng.choice(places), rng.choice([None, "POST", "GET"])
        if where:
            rule["match"] = where
        if method:
            rule["method"] = method
        if rule["kind"] == "stall":
            rule["seconds"] = round(rng.uniform(0.05, 1.2), 2)
        if rule["kind"] == "reset" and rng.random() < 0.4:
            rule["after_bytes"] = rng.randint(1, 800)
        rules.append(rule)
    return rules


def add_faults(rng, add, at, who, kind):
    rules = make_rules(rng, [0.1, 0.3, 0.6], kind)
    add(at, "faults", rules=rules, seed=rng.getrandbits(31))
    add(at + rng.uniform(0.3, 1.5), "faults", rules=[], seed=1)


def add_command(rng, add, at, who, kind):
    """Any moment, killed at any moment. What this build cannot do is left out later."""
    words = rng.choices([["split"], ["status"], ["collect"], ["stop"], ["stop", "--abort"],
                         ["resume"]], [4, 2, 3, 1, 1, 2])[0]
    kill_s = rng.uniform(0, 0.15) if rng.random() < 0.35 else None
    puts = rng.randint(1, 6) if words[0] == "resume" and rng.random() < 0.3 else None
    add(at, "command", words=words, kill_s=kill_s, puts=puts)
    if words[0] == "resume" and rng.random() < 0.3:
        add(at, "command", words=words, kill_s=None, puts=None)
    if words[0] == "stop" and rng.random() < 0.6:
        add(at + rng.uniform(0.1, 1.0), "command", words=["resume"], kill_s=None,
            puts=rng.choice([None, None, 1, 2, 3]))


def add_loss(rng, add, at, who, kind):
    """A worker that is gone for so long that a resume, or two at once, move its steps."""
    add(at, "kill", who=who)
    for _ in range(rng.randint(1, 2)):
        add(at + STALE_S + 0.3, "command", words=["resume"], kill_s=None,
            puts=rng.choice([None, 1, 2, 3]))
    if rng.random() < 0.4:
        add(at + STALE_S + rng.uniform(0.3, 0.8), "start", who=who, place="other", die=None)


EVENTS = ((add_kill, 6), (add_term, 3), (add_freeze, 4), (add_double, 3), (add_faults, 4),
         (add_command, 3), (add_loss, 1))


def make_events(rng, setup):
    events = []

    def add(at_s, what, **about):
        events.append(Event(at_s, len(events), what, about))

    for worker in setup.workers:
        if rng.random() < 0.15:
            add_zombie(rng, add, 0, {"worker": worker}, setup.kind)
            continue
        add(rng.choice([0, 0, 0, rng.uniform(0, 0.6)]), "start", who={"worker": worker},
            place="same", die=dies_at(rng, setup.kind))
    add(rng.choice([0, rng.uniform(0, 0.3)]), "command", words=["split"],
        kill_s=rng.choice([None, None, rng.uniform(0, 0.06)]),
        puts=rng.choice([None, None, rng.randint(1, 8)]))
    kinds, weights = zip(*EVENTS)
    for _ in range(rng.randint(6, 14)):
        make = rng.choices(kinds, weights)[0]
        make(rng, add, rng.uniform(0.15, LENGTH_S), {"worker": rng.choice(setup.workers)},
             setup.kind)
    return sorted(events)


def make(seed, kind=None):
    """The whole script of a seed; of the kind of run that is the seed's, or of another."""
    rng = random.Random(seed)
    setup = Setup(seed=seed, run=f"c{seed}",
                  workers=[f"w-{i + 1}" for i in range(rng.randint(3, 8))],
                  cases=make_cases(rng), arms=["a", "b"][:rng.randint(1, 2)], design="",
                  iterations=2, replicas=1, max_attempts=rng.choice([2, 3, 4, 8, 8]),
                  fio={"ms_low": 40, "ms_high": rng.choice([200, 500, 900]),
                       "fail": rng.choice([0, 4]), "garbage": rng.choice([0, 3]),
                       "empty": rng.choice([0, 3])})
    setup.kind = kind or KINDS[seed % len(KINDS)]
    make_shape(rng, setup)
    if rng.random() < 0.6:
        setup.weather = make_rules(rng, [0.02, 0.05, 0.1], setup.kind)
    setup.events = make_events(rng, setup)
    return setup
