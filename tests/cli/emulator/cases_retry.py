# SPDX-License-Identifier: Apache-2.0
"""The retry API of storage-testbench: faults that a request asks for in a header."""

import http.client
import time

from harness import UNIT, Emulator, crc32c, ok, same

SMALL = b"0123456789"
LARGE = bytes(range(256)) * (2 * UNIT // 256)


def make(emu, method, *verbs):
    reply = emu.call("POST", "/retry_test", {"instructions": {f"storage.{method}": verbs}})
    return {"x-retry-test-id": reply.json["id"]}


def left(emu, headers):
    test = emu.call("GET", f"/retry_test/{headers['x-retry-test-id']}").json
    return test["completed"], sum(len(queue) for queue in test["instructions"].values())


def short(emu, path, headers):
    """Bytes that arrive before the end, and those announced; or "reset"."""
    conn = emu.connect()
    conn.request("GET", path, headers=headers)
    try:
        reply = conn.getresponse()
        reply.read()
    except http.client.IncompleteRead as error:
        return len(error.partial), int(reply.headers["Content-Length"])
    except ConnectionResetError:
        return "reset"
    finally:
        conn.close()
    return None


def tests(emu):
    doc = {"instructions": {"storage.objects.get": ["return-503"],
                            "storage.objects.insert": []}, "transport": "HTTP"}
    made = emu.call("POST", "/retry_test", doc).json
    path = f"/retry_test/{made['id']}"
    same(made, {"id": made["id"], "completed": False, **doc}, "a retry test is made")
    same(emu.call("GET", path).json, made, "... and found")
    same(emu.call("GET", "/retry_tests").json, {"retry_test": [made]}, "... and listed")
    headers = {"x-retry-test-id": made["id"]}
    same([emu.call("GET", emu.o("none"), headers=headers).status for _ in range(2)],
         [503, 404], "the next request of that method meets it")
    same(left(emu, headers), (True, 0), "... then it is completed")
    same(emu.call("DELETE", path).status, 200, "... and deleted")
    same(emu.call("DELETE", path).status, 404, "... once")
    same(emu.call("GET", emu.o("none"), headers=headers).reason, "notFound",
         "a request of a test that is not there")
    same(emu.call("POST", "/retry_test", {"instructions": {"storage.objects.fetch": []}}).status,
         400, "no such method")


METHODS = [("buckets.list", "GET", "/storage/v1/b?project=p", None),
           ("buckets.insert", "POST", "/storage/v1/b?project=p", {"name": "another"}),
           ("buckets.get", "GET", "/storage/v1/b/bkt", None),
           ("buckets.delete", "DELETE", "/storage/v1/b/none", None),
           ("objects.list", "GET", "/storage/v1/b/bkt/o", None),
           ("objects.get", "GET", "/storage/v1/b/bkt/o/a", None),
           ("objects.get", "GET", "/storage/v1/b/bkt/o/a?alt=media", None),
           ("objects.get", "GET", "/bkt/a", None),
           ("objects.patch", "PATCH", "/storage/v1/b/bkt/o/a", {}),
           ("objects.update", "PUT", "/storage/v1/b/bkt/o/a", {}),
           ("objects.delete", "DELETE", "/storage/v1/b/bkt/o/none", None),
           ("objects.compose", "POST", "/storage/v1/b/bkt/o/a/compose", {}),
           ("objects.copy", "POST", "/storage/v1/b/bkt/o/a/copyTo/b/bkt/o/b", {}),
           ("objects.rewrite", "POST", "/storage/v1/b/bkt/o/a/rewriteTo/b/bkt/o/b", {}),
           ("objects.move", "POST", "/storage/v1/b/bkt/o/a/moveTo/o/b", None),
           ("objects.insert", "POST", "/upload/storage/v1/b/bkt/o?uploadType=media&name=a", {}),
           ("objects.insert", "POST", "/upload/storage/v1/b/bkt/o?uploadType=resumable&name=a", {}),
           ("objects.insert", "PUT", "/upload/storage/v1/b/bkt/o?upload_id=none", {})]


def methods(emu):
    for method, verb, path, body in METHODS:
        headers = make(emu, method, "return-418")
        same((emu.call(verb, path, body, headers).status, left(emu, headers)),
             (418, (True, 0)), f"{method}: {verb} {path}")


def uploads(emu):
    headers = make(emu, "objects.insert", "return-503-after-256K", "return-408")
    session = emu.session("r", headers=headers)
    same(emu.chunk(session, b"", "*/*", headers=headers).status, 308, "a query passes")
    span = f"0-{len(LARGE) - 1}/{len(LARGE)}"
    same(emu.chunk(session, LARGE, span, headers=headers).status, 503, "503 after 256 KiB")
    same(emu.chunk(session, b"", "*/*", headers=headers).status, 408, "then a query meets 408")
    same(emu.chunk(session, b"", "*/*", headers=headers).headers["Range"], f"bytes=0-{UNIT - 1}",
         "256 KiB are kept")
    same(emu.chunk(session, LARGE[UNIT:], f"{UNIT}-{span.split('-')[1]}").status, 200,
         "the rest completes it")
    same(emu.get("r").body, LARGE, "... to the byte")
    headers = make(emu, "objects.insert", "return-503-after-1K")
    same(emu.media("media", SMALL, headers=headers).status, 200, "a short upload passes")
    same(emu.media("whole", LARGE, headers=headers).status, 503, "a long one does not")
    same((emu.get("whole").status, left(emu, headers)), (404, (True, 0)), "... at all")
    headers = make(emu, "objects.insert", "return-broken-stream-final-chunk-after-9B")
    session = emu.session("f", headers=headers)
    same(emu.chunk(session, LARGE[:UNIT], f"0-{UNIT - 1}/{len(LARGE)}", headers=headers).status,
         308, "a chunk that is not the final one passes")
    try:
        emu.chunk(session, LARGE[UNIT:], f"{UNIT}-{span.split('-')[1]}", headers=headers)
        got = None
    except http.client.IncompleteRead as error:
        got = len(error.partial)
    same((got, emu.get("f").body == LARGE), (9, True), "the final reply is cut, all is stored")
    headers = make(emu, "objects.insert", "stall-for-1s-after-256K")
    start = time.monotonic()
    same(emu.media("s", LARGE, headers=headers).status, 200, "stall within an upload")
    ok(1 <= time.monotonic() - start < 10, "... of a second")


def downloads(emu):
    emu.media("d", LARGE)
    path = emu.o("d", "alt=media")
    headers = make(emu, "objects.get", "return-broken-stream", "return-broken-stream-after-256K")
    same(emu.call("GET", emu.o("none"), headers=headers).status, 404, "an error passes")
    same(short(emu, path, headers), (4, len(LARGE)), "broken stream: 200 and four bytes")
    same(short(emu, path, {**headers, "Range": f"bytes=0-{UNIT - 1}"}), None,
         "a reply of 256 KiB is not broken after 256 KiB")
    same(short(emu, "/bkt/d", headers), (UNIT, len(LARGE)), "a longer one is (XML API)")
    same((left(emu, headers), emu.get("d").body), ((True, 0), LARGE), "then all is well")
    headers = make(emu, "objects.get", "return-reset-connection")
    same(short(emu, path, headers), "reset", "reset")
    headers = make(emu, "objects.get", "stall-for-1s-after-256K")
    start = time.monotonic()
    same(emu.call("GET", path, headers=headers).body, LARGE, "stall within a download")
    ok(1 <= time.monotonic() - start < 10, "... of a second")


def header(emu):
    def ask(text):
        return {"x-goog-emulator-instructions": text}

    emu.media("h", LARGE)
    path = emu.o("h", "alt=media")
    body = emu.call("GET", path, headers=ask("return-corrupted-data")).body
    ok(len(body) == len(LARGE) and body != LARGE, "return-corrupted-data: a byte is another")
    same(emu.call("GET", emu.o("h", "fields=name"), headers=ask("return-corrupted-data")).json,
         {"name": "h"}, "... not of a document")
    same(short(emu, path, ask("return-503-after-256K")), (UNIT, len(LARGE)),
         "return-503-after-256K: 256 KiB of a download")
    session = emu.session("i", headers=ask("return-503-after-256K"))
    span = f"0-{len(LARGE) - 1}/{len(LARGE)}"
    same(emu.chunk(session, LARGE, span, headers=ask("return-503-after-256K")).status, 503,
         "... and 503 for an upload")
    same(emu.chunk(session, b"", "*/*").headers["Range"], f"bytes=0-{UNIT - 1}", "... kept")
    reply = emu.media("j", SMALL, headers={**ask("inject-upload-data-error"),
                                           "x-goog-hash": "crc32c=" + crc32c(SMALL)})
    same(reply.status, 400, "inject-upload-data-error: the checksum does not match")
    same(emu.media("j", SMALL, headers=ask("inject-upload-data-error")).json["crc32c"] ==
         crc32c(SMALL), False, "... or shows it")
    emu.media("big", LARGE * 4)
    got = short(emu, emu.o("big", "alt=media"), ask("return-broken-stream"))
    ok(got == "reset" or got and got[0] <= 4 * UNIT, f"return-broken-stream: {got}")
    same(emu.call("GET", path, headers=ask("return-nothing")).body, LARGE, "others are ignored")


def run():
    with Emulator() as emu:
        emu.media("a")
        for case in (tests, methods, uploads, downloads, header):
            case(emu)
