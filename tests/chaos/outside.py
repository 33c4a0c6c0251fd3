# SPDX-License-Identifier: Apache-2.0
"""What must hold beside the bucket's content: requests, secrets, exits, what is left."""
import os
import signal

import bucket

WORKER_EXITS = {0, 1, 3, 5}
COMMAND_EXITS = {"split": {0}, "status": {0, 1, 3, 4}, "collect": {0, 1, 3, 4}, "stop": {0},
                 "resume": {0, 1, 3}, "wait": {0, 1, 3, 4}}

NO_SPLIT = "muster split did not finish; repeat it first"


def check_requests(fleet, requests):
    """Every write of an object is conditional, and says who makes it."""
    for r in requests:
        query = bucket.query_of(r)
        if not bucket.is_write(r) or "/ctl/" not in r["path"] or "upload_id" in query:
            continue
        if "ifGenerationMatch" not in query:
            yield f"precondition: {r['method']} {r['path']} {query.get('name', '')}"
        if not bucket.tag_of(r) and r["status"]:
            yield f"stranger: {r['method']} {r['path']} by an unknown process"


def secrets_of(fleet, requests):
    found = {fleet.secret.encode(): "the secret of the environment"}
    for r in requests:
        session = bucket.query_of(r).get("upload_id")
        if session:
            found[session.encode()] = "an upload session"
        if r.get("token"):
            found[r["token"].encode()] = "a token"
    return found


def texts(fleet, objects):
    for name, obj in objects.items():
        yield name, obj.content + repr(obj.resource).encode()
    for folder, _, files in os.walk(fleet.folder):
        for name in files:
            path = os.path.join(folder, name)
            if "/data/" not in path and not os.path.islink(path):
                with open(path, "rb") as f:
                    yield os.path.relpath(path, fleet.folder), f.read()


def check_secrets(fleet, requests, objects):
    found = secrets_of(fleet, requests)
    for name, text in texts(fleet, objects):
        for secret, what in found.items():
            if secret in text:
                yield f"secret: {name} has {what}"


def plausible(process):
    code = process.child.returncode
    if process.is_doomed and code in (-signal.SIGKILL, 137):
        return True
    if code < 0:
        return -code in process.signals
    if process.workspace:
        return code in WORKER_EXITS or (code == 2 and process.may_be_jobless)
    words = process.what.split()
    if words[0] == "resume" and code == 2 and process.saw_no_split:
        return True
    return code in COMMAND_EXITS[words[0]] or (code in (2, 3) and process.may_fail)


def saw_no_split(fleet, p, requests):
    """It says that a worker has no job; and one had none when it began to look."""
    if NO_SPLIT not in fleet.log(p):
        return False
    has = set()
    for r in requests:
        if bucket.tag_of(r) == p.tag:
            break
        name = bucket.query_of(r).get("name", "")
        if bucket.is_write(r) and r["generation"]:
            has.add(name)
    return any(f"{fleet.setup.run}/jobs/{w}.json" not in has for w in fleet.setup.workers)


def check_exits(fleet, requests):
    for p in fleet.processes:
        if p.child.returncode is None:
            yield f"stuck: {p.tag} {p.what} has not ended"
            continue
        p.saw_no_split = saw_no_split(fleet, p, requests)
        p.may_be_jobless = "no job at" in fleet.log(p) or "bad job" in fleet.log(p)
        # what cannot reach a run that is not there yet, or a bucket full of faults
        p.may_fail = any(t in fleet.log(p) for t in ("no run ", "cannot ", "no answer",
                                                     "precondition failed"))
        if not plausible(p):
            tail = fleet.log(p).strip().splitlines()[-1:]
            yield f"exit: {p.tag} {p.what} ended {p.child.returncode}: {' '.join(tail)[:160]}"


def check_remains(fleet):
    """No process, no mount."""
    for line in fleet.await_remains():
        yield f"left: {line}"


def check_files(fleet):
    """A worker that ended in order has cleaned its workspace."""
    for workspace in sorted({p.workspace for p in fleet.workers()}):
        last = [p for p in fleet.workers() if p.workspace == workspace][-1]
        if last.child.returncode not in (0, 1) or signal.SIGKILL in last.signals:
            continue
        for folder, _, files in os.walk(workspace):
            name = os.path.relpath(folder, workspace)
            if files and (name.startswith("steps") or name.startswith("data/write")):
                yield f"files: {os.path.basename(workspace)}/{name} has {len(files)} files"
    for name in os.listdir(fleet.path("tmp")):
        yield f"files: tmp/{name} was left"


def check(fleet, requests, objects):
    yield from check_requests(fleet, requests)
    yield from check_secrets(fleet, requests, objects)
    yield from check_exits(fleet, requests)
    yield from check_files(fleet)
