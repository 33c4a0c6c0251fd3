# SPDX-License-Identifier: Apache-2.0
"""Carries a script out against a fleet, then plays the operator who brings the run home."""
import json
import signal
import time

import bucket

# an operator who restarts what is dead needs no longer than this: a resume may have moved
# some 45 steps of a second each to one worker
OVER_S = 90
ENDS = ("done", "cancelled")


class Operator:
    def __init__(self, fleet):
        self.fleet, self.setup = fleet, fleet.setup
        self.struck, self.counts = {}, {}
        self.pending_kills = []
        self.has_split = False
        self.busy = set()  # workers that have a step in flight
        self.sightings = set()  # (worker, generation of its lease, step, attempt)

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    # what events do

    def newest(self, about, is_frozen=False):
        for p in reversed(self.fleet.living(about["who"]["worker"])):
            if p.is_frozen == is_frozen:
                return p
        return None

    def aim(self, who):
        """At one who is at work: the others have nothing to lose."""
        busy = sorted(w for w in self.busy if self.fleet.living(w))
        if busy and who["worker"] not in busy:
            who["worker"] = self.fleet.rng.choice(busy)

    def do_start(self, about):
        if len(self.fleet.living(about["who"]["worker"])) > 0:
            self.count("duplicate")
        if about["die"]:
            self.count("death at a point")
        if about.get("stop"):
            self.count("stop at a point")
        self.fleet.start_worker(about["who"]["worker"], about["place"], about["die"],
                                about.get("stop"))

    def do_kill(self, about):
        self.aim(about["who"])
        p = self.newest(about)
        if p:
            self.count("kill -9")
            p.send(signal.SIGKILL)

    def do_term(self, about):
        self.aim(about["who"])
        p = self.newest(about)
        if p:
            self.count("SIGTERM")
            p.send(signal.SIGTERM)

    def do_freeze(self, about):
        self.aim(about["who"])
        p = self.newest(about)
        if p:
            self.count("freeze")
            p.send(signal.SIGSTOP)
            p.is_frozen = p.was_frozen = True

    def do_term_frozen(self, about):
        p = self.newest(about, is_frozen=True)
        if p:
            self.count("SIGTERM")
            p.send(signal.SIGTERM)

    def do_thaw(self, about):
        for p in self.fleet.living(about["who"]["worker"]):
            p.is_frozen = False
            p.send(signal.SIGCONT)

    def do_faults(self, about):
        struck = self.fleet.client.set_faults(about["seed"], about["rules"] +
                                              self.setup.weather)
        for kind, n in struck.items():
            self.struck[kind] = self.struck.get(kind, 0) + n

    def do_command(self, about):
        words = about["words"]
        self.count(" ".join(words))
        if about["puts"]:
            self.count("death of a command")
        p = self.fleet.start_command(words, about["puts"])
        if about["kill_s"] is not None:
            self.pending_kills.append((time.monotonic() + about["kill_s"], p))

    def kill_due(self):
        now = time.monotonic()
        for due in [d for d in self.pending_kills if d[0] <= now]:
            self.pending_kills.remove(due)
            if due[1].is_alive():
                self.count("kill -9 of a command")
                due[1].send(signal.SIGKILL)

    def look_until(self, until):
        """Note who says to be at what, as far as the faults let us see it."""
        while True:
            try:
                for r in self.fleet.client.metadata("ctl", f"{self.setup.run}/workers/"):
                    self.sight(r)
            except bucket.FAULTY:
                pass
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.04))

    def sight(self, resource):
        words = resource.get("metadata", {}).get("muster-summary", "").split()
        worker = resource["name"].rsplit("/", 1)[1][:-5]
        self.busy.discard(worker)
        if len(words) in (4, 5) and words[1] != "-":
            self.busy.add(worker)
            self.sightings.add((worker, int(resource["generation"]), words[1], int(words[2])))

    def play(self):
        """The script, each event at its time."""
        self.do_faults({"seed": self.setup.seed, "rules": []})
        start = time.monotonic()
        events = list(self.setup.events)
        while events or self.pending_kills:
            times = [start + events[0].at_s] if events else []
            times += [due for due, _ in self.pending_kills]
            self.look_until(min(times))
            self.kill_due()
            if events and start + events[0].at_s <= time.monotonic():
                event = events.pop(0)
                getattr(self, "do_" + event.what.replace("-", "_"))(event.about)

    # the operator

    def leases(self):
        try:
            found = bucket.contents(self.fleet.client, "ctl", self.setup.run, "workers/")
            return {name: json.loads(body) for name, body in found.items()}
        except bucket.FAULTY:
            return None

    def state(self, leases, worker):
        return leases.get(f"workers/{worker}.json", {}).get("state", "waiting")

    def bring_home(self, until):
        """Start what is dead until every worker has ended. False: it never did."""
        while time.monotonic() < until:
            leases = self.leases()
            if leases is None:
                continue
            # some stop themselves only now
            for worker in self.setup.workers:
                self.do_thaw({"who": {"worker": worker}})
            open_ = [w for w in self.setup.workers
                     if self.state(leases, w) not in ENDS or self.fleet.living(w)]
            if not open_:
                return True
            for worker in open_:
                if not self.fleet.living(worker) and self.state(leases, worker) not in ENDS:
                    self.restart(worker)
            time.sleep(0.1)
        return False

    def restart(self, worker):
        started = max((p.started_s for p in self.fleet.workers(worker)), default=0)
        if time.monotonic() - started > 0.5:
            self.count("restart")
            self.fleet.start_worker(worker, "same")

    def all_end(self, until):
        """Commands may still run, and late duplicates."""
        while time.monotonic() < until:
            if not any(p.is_alive() for p in self.fleet.processes):
                return True
            time.sleep(0.02)
        return False

    def split(self, until):
        while time.monotonic() < until:
            if self.fleet.run_command(["split"]).code == 0:
                self.has_split = True
                return True
            self.count("split again")
            time.sleep(0.1)
        return False

    def collect(self):
        p = self.fleet.run_command(["collect"])
        if p.code not in (0, 1, 3, 4):
            return p, None
        with open(p.out + "/results.json") as f:
            return p, json.load(f)

    def unfinished(self, results):
        return any(s["state"] in ("pending", "cancelled") for s in results["steps"]
                   if s["state"] == "pending" or s["counts"])

    def resume(self):
        self.count("resume")
        if self.fleet.run_command(["resume"]).code not in (0, 1, 3):
            return False
        for worker in self.setup.workers:
            if not self.fleet.living(worker):
                self.fleet.start_worker(worker, "same")
        return True

    def is_expected(self):
        """Is there one that was stopped before it had a job? wait takes it for starting."""
        at = {r["name"].split("/", 1)[1]: int(r["generation"])
              for r in self.fleet.client.metadata("ctl", self.setup.run + "/")}
        return any(at.get(f"workers/{w}.json", 0) < at.get(f"jobs/{w}.json", 0)
                   for w in self.setup.workers)

    def finish(self):
        """Problems on the way home, and collect's results.json (or None)."""
        problems, results = self.come_home()
        self.setup.weather = []
        self.do_faults({"seed": 1, "rules": []})
        if results is None:
            return problems, results
        waited = self.fleet.run_command(["wait", "--timeout", "5s", "--every", "100ms"])
        if waited.code not in (0, 1, 4) and not (waited.code == 3 and self.is_expected()):
            problems.append(f"wait ended {waited.code}: {self.fleet.log(waited)[-200:]}")
        return problems, results

    def come_home(self):
        until = time.monotonic() + OVER_S
        self.do_faults({"seed": 1, "rules": []})
        for worker in self.setup.workers:
            self.do_thaw({"who": {"worker": worker}})
        if not self.split(until):
            return ["stuck: split does not succeed"], None
        problems, results = [], None
        for _ in range(4):
            if not self.bring_home(until):
                return ["stuck: the run is not over within %d s" % OVER_S], None
            p, results = self.collect()
            if results is None:
                return [f"collect ended {p.code}"], None
            if not self.unfinished(results):
                break
            if not self.resume():
                return ["stuck: resume does not succeed"], results
        if not self.all_end(until + 10):
            problems.append("stuck: processes do not end")
        return problems, results
