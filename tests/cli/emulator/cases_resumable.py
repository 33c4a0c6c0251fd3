# SPDX-License-Identifier: Apache-2.0
"""Resumable uploads: chunks, gaps, alignment, queries, broken connections."""

import os
import time

from harness import UNIT, Emulator, ok, same

NO_308 = {"X-GUploader-No-308": "yes"}


def shape(reply):
    return reply.status, reply.headers["Range"]


def table(emu):
    """Each row: chunks sent before, one request, and what it answers."""
    data = os.urandom(3 * UNIT)
    one, two = data[:UNIT], data[UNIT:2 * UNIT]
    first = [(one, f"0-{UNIT - 1}/*")]
    rows = [
        ("nothing sent: 308 without Range", [], b"", "*/*", (308, None)),
        ("query with the total", [], b"", f"*/{UNIT}", (308, None)),
        ("a whole unit", [], one, f"0-{UNIT - 1}/*", (308, f"bytes=0-{UNIT - 1}")),
        ("query after it", first, b"", "*/*", (308, f"bytes=0-{UNIT - 1}")),
        ("less than a unit, not last", [], data[:1000], "0-999/*", (400, None)),
        ("less than a unit, total known", [], data[:1000], "0-999/2000", (400, None)),
        ("misaligned: whole units are kept", [], data[:UNIT + 1000], f"0-{UNIT + 999}/*",
         (308, f"bytes=0-{UNIT - 1}")),
        ("the last chunk may be short", first, b"end", f"{UNIT}-{UNIT + 2}/{UNIT + 3}",
         (200, None)),
        ("a gap", [], one, f"{UNIT}-{2 * UNIT - 1}/*", (503, None)),
        ("a gap at the end", first, b"x", f"{UNIT + 1}-{UNIT + 1}/{UNIT + 2}", (503, None)),
        ("resent bytes are ignored", first, data[:2 * UNIT], f"0-{2 * UNIT - 1}/*",
         (308, f"bytes=0-{2 * UNIT - 1}")),
        ("only resent bytes", first, one, f"0-{UNIT - 1}/*", (308, f"bytes=0-{UNIT - 1}")),
        ("query with N = persisted completes", first, b"", f"*/{UNIT}", (200, None)),
        ("query with another N", first, b"", f"*/{UNIT + 1}", (308, f"bytes=0-{UNIT - 1}")),
        ("query with less", first, b"", "*/5", (308, f"bytes=0-{UNIT - 1}")),
        ("a total less than persisted", first + [(two, f"{UNIT}-{2 * UNIT - 1}/*")],
         one, f"0-{UNIT - 1}/{UNIT}", (400, None)),
        ("zero-length object", [], b"", "*/0", (200, None)),
        ("a total that changes", [(one, f"0-{UNIT - 1}/{9 * UNIT}")], two,
         f"{UNIT}-{2 * UNIT - 1}/{2 * UNIT}", (400, None)),
        ("a body that is not as long as the range", [], b"abc", "0-3/4", (400, None)),
        ("no range at all", [], one, "x", (400, None)),
        ("end before start", [], one, "5-4/10", (400, None)),
    ]
    for text, before, body, content_range, want in rows:
        for method in ("PUT", "POST"):
            session = emu.session("t")
            for sent in before:
                emu.chunk(session, *sent)
            same(shape(emu.chunk(session, body, content_range, method)), want,
                 f"{text} ({method})")


def gap(emu):
    session = emu.session("gap")
    reply = emu.chunk(session, b"x" * UNIT, f"{UNIT}-{2 * UNIT - 1}/*")
    same((reply.headers["Content-Type"].lower(), b"offset is 262144" in reply.body),
         ("text/plain; charset=utf-8", True), "a gap is told in text/plain")
    same(shape(emu.chunk(session, b"", "*/*")), (308, None), "... and nothing is stored")


def no_308(emu):
    session = emu.session("n")
    reply = emu.chunk(session, b"x" * UNIT, f"0-{UNIT - 1}/*", "POST", NO_308)
    same((reply.status, reply.headers["X-Http-Status-Code-Override"], reply.headers["Range"]),
         (200, "308", f"bytes=0-{UNIT - 1}"), "No-308: 200 with the override and the Range")
    reply = emu.chunk(session, b"", "*/*", "POST", NO_308)
    same(reply.headers["X-Http-Status-Code-Override"], "308", "... on a query too")
    reply = emu.chunk(session, b"", f"*/{UNIT}", "POST", NO_308)
    same((reply.status, reply.headers["X-Http-Status-Code-Override"]), (200, None),
         "... but not when it is complete")


def life(emu):
    reply = emu.initiate("l", resource={"contentType": "a/b", "metadata": {"k": "v"}},
                         headers={"X-Upload-Content-Type": "c/d",
                                  "X-Upload-Content-Length": "4"})
    ok(reply.status == 200 and "upload_id=" in reply.headers["Location"] and
       reply.headers["Location"].startswith(emu.url), "Location is absolute, with upload_id")
    session = reply.headers["Location"].removeprefix(emu.url)
    same(emu.chunk(session, b"12345", "0-4/5").status, 400, "not the declared length: 400")
    reply = emu.chunk(session, b"1234", "0-3/4")
    same((reply.json["contentType"], reply.json["metadata"]), ("a/b", {"k": "v"}),
         "the object has the resource of the start")
    first = reply.json
    emu.media("l", b"overwritten")
    for body, content_range in ((b"", "*/4"), (b"", "*/*"), (b"1234", "0-3/4")):
        reply = emu.chunk(session, body, content_range)
        same((reply.status, reply.json), (200, first), f"after completion, {content_range}")
    same(emu.get("l").body, b"overwritten", "... and nothing was written again")
    session = emu.session("cancelled")
    emu.chunk(session, b"x" * UNIT, f"0-{UNIT - 1}/*")
    same(emu.call("DELETE", session).status, 499, "cancel: 499")
    same(emu.chunk(session, b"", "*/*").status, 404, "... then 404")
    same(emu.call("DELETE", session).status, 404, "... also for a second cancel")
    same(emu.chunk(session[:-4] + "0000", b"", "*/*").status, 404, "an unknown session")
    reply = emu.call("PUT", emu.session("whole"), b"all at once")
    same((reply.status, emu.get("whole").body), (200, b"all at once"),
         "without Content-Range the body is the whole object")
    reply = emu.call("PUT", "/resumable" + emu.session("old"), b"x")
    same(reply.status, 200, "/resumable/upload/... is taken as well")


def streamed(emu):
    """Chunked transfer of unknown length: `bytes 0-*/*` ends with the body."""
    session = emu.session("s")
    conn = emu.connect()
    conn.request("PUT", session, body=iter([b"a" * 1000, b"b" * 5]), encode_chunked=True,
                 headers={"Content-Range": "bytes 0-*/*", "Transfer-Encoding": "chunked"})
    reply = conn.getresponse()
    same((reply.status, emu.get("s").body), (200, b"a" * 1000 + b"b" * 5),
         "a stream of unknown length")
    conn.close()


def wait_until(condition):
    for _ in range(200):
        if condition():
            return
        time.sleep(0.02)


def broken(emu):
    """The connection ends in mid-body: whole units stay, and the upload goes on."""
    data = os.urandom(3 * UNIT + 777)
    for sent, want in ((1000, None), (UNIT + 1000, f"bytes=0-{UNIT - 1}"),
                       (2 * UNIT, f"bytes=0-{2 * UNIT - 1}")):
        session, since = emu.session("b"), emu.log_since()
        head = (f"PUT {session} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n"
                f"Content-Range: bytes 0-{len(data) - 1}/{len(data)}\r\n\r\n").encode()
        emu.raw(head + data[:sent])
        wait_until(lambda since=since: emu.log_since(since))
        same(shape(emu.chunk(session, b"", "*/*")), (308, want), f"broken after {sent} bytes")
        at = int(want.split("-")[1]) + 1 if want else 0
        reply = emu.chunk(session, data[at:], f"{at}-{len(data) - 1}/{len(data)}")
        same((reply.status, emu.get("b").body == data), (200, True),
             "... going on from there gives the whole object")


def taken_over(emu):
    """A request that stalls in mid-body does not block the next one, nor write after it."""
    data = os.urandom(3 * UNIT)
    session = emu.session("o")
    head = (f"PUT {session} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n"
            f"Content-Range: bytes 0-{len(data) - 1}/{len(data)}\r\n\r\n").encode()
    stalled = emu.raw(head + data[:UNIT] + b"\0" * 10, shut=False)
    want = (308, f"bytes=0-{UNIT - 1}")
    wait_until(lambda: shape(emu.chunk(session, b"", "*/*")) == want)
    same(shape(emu.chunk(session, b"", "*/*")), want, "a query while another request stalls")
    same(shape(emu.chunk(session, data[UNIT:2 * UNIT], f"{UNIT}-{2 * UNIT - 1}/{3 * UNIT}")),
         (308, f"bytes=0-{2 * UNIT - 1}"), "a newer request goes on")
    stalled.sendall(b"\0" * (2 * UNIT - 10))
    stalled.settimeout(20)
    ok(b" 503 " in stalled.recv(4096).split(b"\r\n")[0], "the older one is told so")
    stalled.close()
    reply = emu.chunk(session, data[2 * UNIT:], f"{2 * UNIT}-{3 * UNIT - 1}/{3 * UNIT}")
    same((reply.status, emu.get("o").body == data), (200, True), "... and changed nothing")


def run():
    with Emulator() as emu:
        for case in (table, gap, no_308, life, streamed, broken, taken_over):
            case(emu)
