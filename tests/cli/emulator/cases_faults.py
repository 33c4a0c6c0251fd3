# SPDX-License-Identifier: Apache-2.0
"""Injected faults, the request log, statistics."""

import http.client
import json
import time

from harness import UNIT, Emulator, ok, same

FAULTS = "/_emulator/faults"


def outcome(call):
    try:
        return call().status
    except ConnectionResetError:
        return "reset"
    except (http.client.HTTPException, ConnectionError) as error:
        return type(error).__name__


def by_seed():
    runs = []
    args = ("--fault", "503,probability=0.3", "--fault", "reset,probability=0.1,method=GET")
    for seed in ("7", "7", "8"):
        with Emulator("--seed", seed, *args) as emu:
            runs.append([outcome(lambda: emu.media("a")) for _ in range(30)] +
                        [outcome(lambda: emu.get("a")) for _ in range(60)])
            ok(f"{seed}\n" in emu.errors(), f"seed {seed} is on stderr")
    ok(runs[0] == runs[1], "one seed: the same faults in the same places")
    ok(runs[0] != runs[2], "another seed: others")
    ok({200, 503, "reset"} <= set(runs[0]), f"all kinds occur: {set(map(str, runs[0]))}")


def rule(emu, **kwargs):
    reply = emu.call("POST", FAULTS, {"seed": 1, "rules": [kwargs]})
    if reply.status != 200:
        raise RuntimeError(reply.body)


def statuses(emu):
    for status, reason in ((503, "backendError"), (429, "rateLimitExceeded"),
                           (403, "forbidden"), (500, "backendError"), (408, "requestTimeout")):
        rule(emu, kind=str(status), count=1, match="/upload/")
        reply = emu.media("s")
        same((reply.status, reply.reason), (status, reason), f"{status} is answered once")
        same(emu.call("GET", emu.o("s")).status, 404, "... nothing was done")
        same(emu.media("s").status, 200, "... then all is well")
        emu.clear()
    rule(emu, kind="503", match="/bkt/x")
    ok(b"<Code>ServiceUnavailable" in emu.call("GET", "/bkt/x").body, "503 of the XML API")


def connections(emu):
    rule(emu, kind="reset", count=1)
    same(outcome(lambda: emu.media("r")), "reset", "reset: the client sees a reset")
    same(emu.call("GET", emu.o("r")).status, 404, "... nothing was done")
    for name, upload in (("media", emu.media), ("multipart", emu.multipart)):
        rule(emu, kind="lost", count=1, method="POST", match="/upload/")
        same(outcome(lambda: upload(name, b"kept", "ifGenerationMatch=0")), "reset",
             f"lost ({name}): the client sees a reset")
        same(emu.get(name).body, b"kept", "... the object is there")
        same(upload(name, b"again", "ifGenerationMatch=0").status, 412, "... a retry gets 412")
    session = emu.session("session")
    rule(emu, kind="lost", count=1, match="upload_id=")
    same(outcome(lambda: emu.chunk(session, b"data", "0-3/4")), "reset", "lost: last chunk")
    same(emu.chunk(session, b"", "*/4").json["size"], "4", "... a query finds the object")
    rule(emu, kind="lost", count=1, method="DELETE")
    same(outcome(lambda: emu.call("DELETE", emu.o("session"))), "reset", "lost: delete")
    same(emu.call("DELETE", emu.o("session")).status, 404, "... it is gone")
    session = emu.session("middle")
    rule(emu, kind="reset", count=1, match="upload_id=", after_bytes=UNIT + 5)
    data = bytes(2 * UNIT)
    same(outcome(lambda: emu.chunk(session, data, f"0-{len(data) - 1}/{len(data)}")) in
         ("reset", "BrokenPipeError"), True, "reset within the body")
    at = emu.chunk(session, b"", "*/*").headers["Range"]
    ok(at in (f"bytes=0-{UNIT - 1}", f"bytes=0-{2 * UNIT - 1}"), f"... whole units stay: {at}")


def slow_and_short(emu):
    emu.media("t", b"0123456789" * 10000)
    rule(emu, kind="truncate", count=1)
    conn = emu.connect()
    conn.request("GET", emu.o("t", "alt=media"))
    reply = conn.getresponse()
    try:
        reply.read()
        got = None
    except http.client.IncompleteRead as error:
        got = len(error.partial)
    same((reply.status, reply.headers["Content-Length"], got), (200, "100000", 50000),
         "truncate: 200, half of the body, then the end")
    rule(emu, kind="stall", seconds=0.5, count=1)
    start = time.monotonic()
    same(emu.call("GET", emu.o("t")).status, 200, "stall: all goes well")
    ok(0.5 <= time.monotonic() - start < 5, "... after half a second")
    start = time.monotonic()
    emu.call("GET", emu.o("t"))
    ok(time.monotonic() - start < 0.4, "... once")


def partial(emu, path):
    """Bytes of the body that arrive, and how it ends."""
    conn = emu.connect()
    conn.request("GET", path)
    reply = conn.getresponse()
    got = b""
    try:
        while piece := reply.read1(65536):
            got += piece
        end = "closed" if reply.length else "whole"
    except ConnectionResetError:
        end = "reset"
    conn.close()
    return len(got), end


def within_bodies(emu):
    data = bytes(range(256)) * 8192  # 2 MiB
    emu.media("w", data)
    path = emu.o("w", "alt=media")
    rule(emu, kind="broken-stream", count=2, method="GET", after_bytes=1000001)
    same(partial(emu, path), (1000001, "closed"), "broken-stream at a byte")
    same(emu.call("GET", emu.o("w")).status, 200, "... not in a shorter body")
    rule(emu, kind="reset", count=2, method="GET", after_bytes=1000000)
    got, end = partial(emu, path)
    ok(got <= 1000000 and end == "reset", f"reset within a reply: {got} bytes")
    same(outcome(lambda: emu.call("GET", emu.o("w"))), "reset", "... or at its end")
    rule(emu, kind="stall", count=1, method="GET", after_bytes=1000000, seconds=0.5)
    start = time.monotonic()
    same(emu.get("w").body == data, True, "stall within a reply")
    ok(0.5 <= time.monotonic() - start < 5, "... of half a second")
    rule(emu, kind="stall", count=1, after_bytes=1000000, seconds=0.5, method="POST")
    start = time.monotonic()
    same(emu.media("v", data).status, 200, "stall within an upload")
    ok(0.5 <= time.monotonic() - start < 5, "... of half a second")
    rule(emu, kind="slow", count=1, method="GET", bytes_per_s=4 << 20)
    start = time.monotonic()
    same(emu.get("w").body == data, True, "slow: a download of 2 MiB at 4 MiB/s")
    ok(0.45 <= time.monotonic() - start < 5, "... takes half a second")
    rule(emu, kind="slow", count=1, method="POST", bytes_per_s=4 << 20)
    start = time.monotonic()
    same(emu.media("v", data).status, 200, "slow: an upload")
    ok(0.45 <= time.monotonic() - start < 5, "... takes half a second")
    rule(emu, kind="corrupt", count=1, method="GET")
    got = emu.get("w").body
    ok(got != data and len(got) == len(data), "corrupt: other bytes arrive")
    rule(emu, kind="corrupt", count=1, method="POST")
    ok(emu.media("c", b"x").json["crc32c"] != emu.media("d", b"x").json["crc32c"],
       "corrupt: other bytes are stored")
    session = emu.session("part")
    rule(emu, kind="503", count=1, method="PUT", after_bytes=UNIT + 5)
    same(emu.chunk(session, data, f"0-{len(data) - 1}/{len(data)}").status, 503,
         "503 within an upload")
    same(emu.chunk(session, b"", "*/*").headers["Range"], f"bytes=0-{UNIT - 1}",
         "... whole units up to there are kept")


def admin(emu):
    for body in ({"rules": [{}]}, {"rules": [{"kind": "x"}]}, {"rule": []}, [],
                 {"rules": [{"kind": "503", "probability": 2}]}, {"rules": [{"kind": "slow"}]},
                 {"rules": [{"kind": "503", "colour": 1}]}):
        same(emu.call("POST", FAULTS, body).status, 400, f"refused: {json.dumps(body)}")
    rule(emu, kind="503", skip=1, count=2)
    same([emu.call("GET", emu.o()).status for _ in range(4)], [200, 503, 503, 200],
         "skip one, strike two")
    seen = emu.call("GET", FAULTS).json
    same((seen["seed"], seen["rules"][0]["asked"], seen["rules"][0]["struck"]), (1, 4, 2),
         "the rules tell how often they struck")
    rule(emu, kind="503")
    same(emu.call("DELETE", FAULTS).json["rules"], [], "the endpoint itself has no faults")
    same(emu.call("GET", emu.o()).status, 200, "DELETE clears the rules")


def request_log(emu):
    emu.call("DELETE", "/_emulator/requests")
    first = emu.call("GET", "/_emulator/requests").json["total"]
    emu.call("GET", emu.o("no", "fields=name"), headers={"Authorization": "Bearer s3cret",
                                                         "X-Test": "1"})
    emu.media("log", b"12345")
    log = emu.call("GET", f"/_emulator/requests?since={first}").json
    one, two = log["requests"]
    same((one["method"], one["path"], one["query"], one["status"], one["authorization"],
          one["token"]), ("GET", "/storage/v1/b/bkt/o/no", "fields=name", 404, "present",
                          "s3cret"), "a request in the log")
    ok("X-Test" in one["headers"] and "Authorization" in one["headers"], "... its headers")
    same((two["method"], two["body_bytes"], two["status"], two["authorization"], two["token"]),
         ("POST", 5, 200, "absent", None), "the next one")
    same((one["generation"], two["generation"]),
         (0, int(emu.call("GET", emu.o("log")).json["generation"])),
         "... and which generation it wrote")
    rule(emu, kind="reset", count=1)
    outcome(lambda: emu.media("log"))
    last = emu.call("GET", "/_emulator/requests?limit=1").json["requests"][0]
    same((last["status"], last["fault"]), (0, "reset"), "a reset is in the log as status 0")
    stats = emu.call("GET", "/_emulator/stats").json
    same((stats["objects"], stats["object_bytes"], stats["resets"] > 0),
         (len(emu.names()), sum(len(emu.get(n).body) for n in emu.names()), True), "statistics")


def ends_during_stall():
    with Emulator("--fault", "stall,seconds=3600") as emu:
        conn = emu.connect()
        conn.request("GET", emu.o())
        time.sleep(0.2)
        start = time.monotonic()
        same(emu.stop(), 0, "SIGTERM ends it during a stall")
        ok(time.monotonic() - start < 5, "... at once")


def run():
    by_seed()
    with Emulator() as emu:
        for case in (statuses, connections, slow_and_short, within_bodies, admin,
                     request_log):
            case(emu)
            emu.call("DELETE", FAULTS)
            emu.clear()
    ends_during_stall()
