# SPDX-License-Identifier: Apache-2.0
"""Checks of synchronised starts: arrivals, verdicts, and what started by them."""
import calendar
import re
import time

ROUNDING_NS = 1_000_000  # of what the bucket says of times


def server_ns(text):
    """RFC 3339 of the bucket."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
    return seconds * 10**9 + int((fraction + "0" * 9)[:9])


def decision(ev, barrier):
    verdict = ev.verdicts.get(barrier)
    return verdict.document() if verdict else None


def is_called_off(ev, record):
    """Is the record's end what an abort makes of the step?"""
    said = re.match(r"barrier: start (\d+) was called off: ", record.document["reason"] or "")
    verdict = said and decision(ev, int(said[1]))
    return bool(verdict and verdict["decision"] == "abort" and
                int(said[1]) == planned_start(ev, record.worker, record.step))


def planned_start(ev, worker, step):
    """The start that the step waits for, by the worker's first job."""
    for listing in ev.listings.get(step, []):
        if listing.round == 1 and listing.worker == worker:
            return listing.plan.get("barrier")
    return None


def is_satisfied(policy, ready, members):
    return {"all": ready == members, "majority": 2 * ready > members,
            "best-effort": ready > 0}[policy]


def check_arrivals(ev, case):
    for barrier, found in ev.arrivals.items():
        for worker, obj in found.items():
            doc = obj.document()
            if (doc["run"], doc["barrier"], doc["worker"]) != (
                    case.setup.run, barrier, worker):
                yield f"arrival: {obj.name} is another's"
            if planned_start(ev, worker, doc["step"]) != barrier:
                yield f"arrival: {obj.name}: {doc['step']} does not wait for this start"
            summary = "ready" if doc["reason"] is None else "absent"
            if obj.metadata.get("muster-summary") != summary:
                yield f"arrival: {obj.name} is {summary}, its summary says otherwise"


def check_verdicts(ev, case):
    """As the policy has it, by a member, of those who had said that they were ready."""
    settings = ev.config["settings"].get("barrier")
    creators = {(w.name, w.generation): w.tag for w in ev.writes}
    for barrier, obj in ev.verdicts.items():
        doc, arrived = obj.document(), ev.arrivals.get(barrier, {})
        if not settings:
            yield f"verdict: {obj.name} in a run without starts"
            continue
        if (doc["run"], doc["barrier"], doc["policy"]) != (
                case.setup.run, barrier, settings["policy"]):
            yield f"verdict: {obj.name} is another's"
        whose = case.whose.get(creators.get((obj.name, obj.generation)))
        if doc["worker"] != whose or doc["worker"] not in settings["members"]:
            yield f"verdict: {obj.name} of {doc['worker']} was written by {whose}"
        for worker in doc["members"]:
            at = arrived.get(worker)
            if not at or at.generation > obj.generation or at.document()["reason"]:
                yield f"verdict: {obj.name} names {worker}, which had not said ready"
        is_enough = is_satisfied(doc["policy"], len(doc["members"]),
                                 len(settings["members"]))
        if is_enough != (doc["decision"] == "go"):
            yield (f"verdict: {obj.name} is {doc['decision']} with {len(doc['members'])} of "
                   f"{len(settings['members'])}, policy {doc['policy']}")


def check_started(ev, case):
    """Nothing starts without a verdict that says go, or before its time."""
    for found in ev.records.values():
        for r in found:
            start, barrier = r.document.get("start"), planned_start(ev, r.worker, r.step)
            is_moved = any(at.round > 1 for at in ev.listings.get(r.step, []))
            if start:
                yield from check_start(ev, case, r, start, barrier)
            elif r.state == "ok" and barrier and not is_moved:
                yield f"start: {r.name} is ok and waited for no start"


def came_after(ev, case, r, barrier):
    """Between verdict and start: one that the decider could not count on."""
    at = ev.verdicts[barrier].generation
    arrival = ev.arrivals.get(barrier, {}).get(r.worker)
    return arrival and (arrival.generation > at or r.creator in case.frozen or
                        ev.holder(r.worker, at) != r.creator)


def check_start(ev, case, r, start, barrier):
    verdict = decision(ev, start["barrier"])
    if start["barrier"] != barrier:
        yield f"start: {r.name} has start {start['barrier']}, planned {barrier}"
    if verdict is None or verdict["decision"] != "go":
        what = verdict["decision"] if verdict else "nothing"
        yield f"start: {r.name} was started, and the verdict says {what}"
        return
    if r.worker not in verdict["members"] and not start["late_by_ms"] and (
            not came_after(ev, case, r, start["barrier"])):
        yield f"start: {r.name} is of none of the members, and was not late"
    if (start["go_server_ns"], start["members"]) != (
            verdict["go_server_ns"], len(verdict["members"])):
        yield f"start: {r.name} has another start than the verdict"
    if start["at_server_ns"] < start["go_server_ns"]:
        yield (f"start: {r.name} was "
               f"{(start['go_server_ns'] - start['at_server_ns']) / 1e6:.3f} ms early")
    margin = start["bound_ns"] + ROUNDING_NS
    written = ev.objects[r.name]
    decided = ev.verdicts[start["barrier"]]
    if start["at_server_ns"] - margin > server_ns(written.resource["timeCreated"]):
        yield f"start: {r.name} was started after its record was written"
    if start["at_server_ns"] + margin < server_ns(decided.resource["timeCreated"]):
        yield f"start: {r.name} was started before the verdict"


CHECKS = (check_arrivals, check_verdicts, check_started)
