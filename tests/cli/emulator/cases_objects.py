# SPDX-License-Identifier: Apache-2.0
"""Objects: uploads, reads, metadata, compose, copies, errors."""

import email.utils
import datetime
import time

from harness import Emulator, crc32c, md5, ok, quote, same

NAMES = ["plain", "a/b/c", "dir/", "//", "./x", "../y", "a b+c", "50%", "%2F", "a?b#c&d=e",
         "\u00e4\u4e2d\U0001f600", "'\"<>", "a\tb", "x" * 1024]
BAD_NAMES = ["", ".", "..", "a\nb", "a\rb", "x" * 1025, ".well-known/acme-challenge/x"]


def uploads(emu):
    for upload in (emu.media, emu.multipart, emu.resumable):
        data = b"123456789"
        reply = upload("u", data).json
        same((reply["crc32c"], reply["md5Hash"], reply["size"], reply["metageneration"]),
             ("4waSgw==", md5(data), "9", "1"),
             f"{upload.__name__}: checksums and size of the data")
        same(emu.get("u").body, data, f"{upload.__name__}: the data come back")
        same((upload("u", b"").status, emu.get("u").body), (200, b""),
             f"{upload.__name__}: an empty object")
    same(emu.multipart("u", b"a\nb", eol=b"\n").status, 200, "multipart with bare LF")
    same(emu.get("u").body, b"a\nb", "... keeps the data's own line ends")
    reply = emu.call("POST", "/upload/storage/v1/b/bkt/o?uploadType=media", b"x")
    same((reply.status, reply.reason), (400, "required"), "an upload without a name")
    reply = emu.multipart("n", resource={"name": "other", "contentType": "a/b",
                                         "cacheControl": "no-store",
                                         "metadata": {"k": "v"}}).json
    same((reply["name"], reply["contentType"], reply["cacheControl"], reply["metadata"]),
         ("n", "a/b", "no-store", {"k": "v"}), "the query's name comes before the body's")
    same(emu.call("POST", emu.up("other", "n"), b"x").status, 400, "an unknown uploadType")
    same(emu.call("POST", emu.up("media", "n", bucket="nope"), b"x").status, 404,
         "an upload to a bucket that is not there")
    same(emu.call("POST", emu.up("multipart", "n"), b"garbage",
                  {"Content-Type": "multipart/related; boundary=x"}).status, 400,
         "a multipart body that is none")


def checksums(emu):
    data = b"hello world"
    good = {"crc32c": crc32c(data), "md5Hash": md5(data)}
    for key, value in (("crc32c", "AAAAAA=="), ("md5Hash", md5(b"other")), ("crc32c", "!"),
                       ("md5Hash", "!"), ("crc32c", 5)):
        reply = emu.multipart("sum", data, resource={key: value})
        same((reply.status, reply.reason), (400, "invalid"), f"multipart, {key} {value}")
        session = emu.initiate("sum", resource={key: value})
        if session.status == 200:
            url = session.headers["Location"].removeprefix(emu.url)
            session = emu.chunk(url, data, f"0-{len(data) - 1}/{len(data)}")
        same((session.status, session.reason), (400, "invalid"), f"resumable, {key} {value}")
    session = emu.session("sum")
    reply = emu.chunk(session, data, "0-10/11", headers={"x-goog-hash": "crc32c=AAAAAA=="})
    same((reply.status, reply.reason), (400, "invalid"), "x-goog-hash on the last PUT")
    same(emu.call("GET", emu.o("sum")).status, 404, "nothing was stored")
    same(emu.multipart("sum", data, resource=good).status, 200, "both checksums right")
    session = emu.session("sum", resource=good)
    reply = emu.chunk(session, data, "0-10/11", headers={
        "x-goog-hash": f"crc32c={crc32c(data)}, md5={md5(data)}"})
    same(reply.status, 200, "checksums right in body and header")


def names(emu):
    for name in NAMES:
        emu.media(name, name.encode())
        same(emu.get(name).body, name.encode(), f"JSON GET of {name[:30]!r}")
        same(emu.call("GET", f"/bkt/{quote(name)}").body, name.encode(), "... XML, encoded")
        slashes = quote(name).replace("%2F", "/")
        same(emu.call("GET", f"/bkt/{slashes}").body, name.encode(), "... XML, plain slashes")
        same(emu.call("GET", emu.o(name)).json["name"], name, "... its resource")
        same(emu.call("DELETE", emu.o(name)).status, 204, "... deleted")
    same(emu.call("POST", "/upload/storage/v1/b/bkt/o?uploadType=media&name=a+b%2Bc", b"x")
         .json["name"], "a b+c", "+ is a blank in a query")
    for name in BAD_NAMES:
        same(emu.media(name).status, 400, f"refused: {name[:30]!r}")
    for path in ("/storage/v1/b/bkt/o/%FF", "/storage/v1/b/bkt/o/a%00b", "/bkt/%zz",
                 "/storage/v1/b/bkt/o?prefix=%C3"):
        same(emu.call("GET", path).status, 400, f"refused: {path}")


def ranges(emu):
    data = bytes(range(100))
    emu.media("r", data)
    for header, status, want, content_range in [
            (None, 200, data, None), ("bytes=0-9", 206, data[:10], "bytes 0-9/100"),
            ("bytes=90-", 206, data[90:], "bytes 90-99/100"),
            ("bytes=-5", 206, data[95:], "bytes 95-99/100"),
            ("bytes=50-1000", 206, data[50:], "bytes 50-99/100"),
            ("bytes=-1000", 206, data, "bytes 0-99/100"),
            ("bytes=100-", 416, None, "bytes */100"), ("bytes=-0", 416, None, "bytes */100"),
            ("bytes=9-2", 200, data, None), ("bytes=x", 200, data, None)]:
        for path in (emu.o("r", "alt=media"), "/bkt/r", "/download" + emu.o("r")):
            reply = emu.call("GET", path, headers={"Range": header} if header else {})
            got = (reply.status, reply.headers["Content-Range"],
                   reply.body if status != 416 else None)
            same(got, (status, content_range, want), f"{path} Range {header}")
            if status != 416:
                same((reply.headers["x-goog-hash"],
                      reply.headers["x-goog-stored-content-length"]),
                     (f"crc32c={crc32c(data)},md5={md5(data)}", "100"),
                     "... hash and length of the whole object")
    emu.media("r", b"")
    same(emu.get("r").body, b"", "an empty object")
    same(emu.call("GET", "/bkt/r", headers={"Range": "bytes=0-"}).status, 416,
         "a range of an empty object")


def xml(emu):
    meta = emu.multipart("x", b"data", resource={"metadata": {"key": "value"},
                                                 "contentEncoding": "gzip",
                                                 "cacheControl": "no-transform"}).json
    emu.media("y", b"other")
    old, generation = meta["generation"], meta["generation"]
    for method in ("GET", "HEAD"):
        reply = emu.call(method, f"/bkt/x?generation={generation}",
                         headers={"Host": "some.other.host"})
        same([reply.status, reply.body] +
             [reply.headers[h] for h in ("x-goog-generation", "x-goog-metageneration",
                                         "x-goog-stored-content-encoding", "Content-Length",
                                         "Content-Encoding", "x-goog-meta-key")],
             [200, b"data" if method == "GET" else b"", generation, "1", "gzip", "4", "gzip",
              "value"], f"XML {method} answers for any Host, with its headers")
        ok(email.utils.parsedate_to_datetime(reply.headers["Last-Modified"]) and
           reply.headers["ETag"].startswith('"'), "... Last-Modified and ETag")
    emu.media("x", b"new")
    for path, code in ((f"/bkt/x?generation={old}", b"NoSuchKey"), ("/bkt/no", b"NoSuchKey"),
                       ("/nope/x", b"NoSuchBucket")):
        reply = emu.call("GET", path)
        ok(reply.status == 404 and b"<Code>" + code + b"</Code>" in reply.body and
           reply.headers["Content-Type"].startswith("application/xml"),
           f"{path}: 404 {code.decode()}")
    same(emu.call("PUT", "/bkt/x", b"y").status, 501, "XML PUT is not emulated and says so")


def metadata(emu):
    first = emu.multipart("m", resource={"metadata": {"a": "1", "b": "2"},
                                         "contentType": "t/1"}).json
    reply = emu.call("PATCH", emu.o("m"), {"metadata": {"a": None, "c": "3"},
                                           "cacheControl": "no-store"}).json
    same((reply["metadata"], reply["cacheControl"], reply["contentType"]),
         ({"b": "2", "c": "3"}, "no-store", "t/1"), "PATCH merges, null removes")
    ok(reply["generation"] == first["generation"] and reply["metageneration"] == "2" and
       reply["updated"] >= first["updated"] and reply["timeCreated"] == first["timeCreated"] and
       reply["etag"] != first["etag"], "... metageneration, updated and etag change")
    reply = emu.call("PUT", emu.o("m"), {"metadata": {"z": "9"}}).json
    same((reply["metadata"], reply.get("cacheControl"), reply["metageneration"]),
         ({"z": "9"}, None, "3"), "PUT replaces")
    same("metadata" in emu.call("PATCH", emu.o("m"), {"metadata": None}).json, False,
         "metadata null removes all")
    for body in ({"contentType": 5}, {"metadata": {"a": 1}}, {"metadata": "x"},
                 {"temporaryHold": "x"}, {"metadata": {"a": "x" * 9000}}, [1]):
        same(emu.call("PATCH", emu.o("m"), body).status, 400, f"refused: {str(body)[:50]}")
    for body in (b"{", b'{"a":1,"a":2}', b'{"contentType":"\xff"}', b"{}x"):
        reply = emu.call("PATCH", emu.o("m"), body)
        same((reply.status, reply.reason), (400, "parseError"), f"malformed JSON {body}")
    same(emu.call("PATCH", emu.o("m"), b" " * 1100000).status, 413, "a body over 1 MiB")
    same(emu.call("GET", emu.o("m")).json["metageneration"], "4", "none of these changed it")


def compose(emu):
    parts = [bytes([65 + i]) * (i * 1000) for i in range(32)]
    for i, data in enumerate(parts):
        emu.media(f"p{i}", data)
    body = {"sourceObjects": [{"name": f"p{i}"} for i in range(32)],
            "destination": {"contentType": "a/b"}}
    path = emu.o("c") + "/compose"
    reply = emu.call("POST", path, body).json
    same((reply["componentCount"], reply["crc32c"], "md5Hash" in reply, reply["contentType"]),
         (32, crc32c(b"".join(parts)), False, "a/b"), "32 sources: count, CRC32C, no MD5")
    same(emu.get("c").body, b"".join(parts), "... the data one after another")
    again = {"sourceObjects": [{"name": "c"}, {"name": "p1"}, {"name": "c"}]}
    same(emu.call("POST", path, again).json["componentCount"], 65, "composed of composed")
    same(len(emu.get("c").body), 2 * len(b"".join(parts)) + 1000, "... onto itself")
    generation = int(emu.call("GET", emu.o("p1")).json["generation"])
    for sources, status in [([], 400), ([{"name": "p1"}] * 33, 400), ([{"name": "no"}], 404),
                            ([{}], 400), ([{"name": "p1", "generation": generation}], 200),
                            ([{"name": "p1", "generation": str(generation + 1)}], 404),
                            ([{"name": "p1", "generation": "x"}], 400),
                            ([{"name": "p1", "objectPreconditions":
                               {"ifGenerationMatch": str(generation)}}], 200),
                            ([{"name": "p1", "objectPreconditions":
                               {"ifGenerationMatch": 1}}], 412)]:
        same(emu.call("POST", path, {"sourceObjects": sources}).status, status,
             f"compose of {str(sources)[:80]}")


def copies(emu):
    emu.call("POST", "/storage/v1/b?project=p", {"name": "second"})
    src = emu.multipart("s", b"data", resource={"metadata": {"k": "v"}}).json
    reply = emu.call("POST", emu.o("s") + "/copyTo/b/second/o/a%2Fb").json
    same((reply["bucket"], reply["name"], reply["metadata"], reply["md5Hash"]),
         ("second", "a/b", {"k": "v"}, src["md5Hash"]), "copyTo another bucket")
    ok(int(reply["generation"]) > int(src["generation"]), "... with a generation of its own")
    reply = emu.call("POST", emu.o("s") + "/rewriteTo/b/bkt/o/t", {"contentType": "n/t"}).json
    same((reply["kind"], reply["done"], reply["objectSize"], reply["totalBytesRewritten"],
          reply["resource"]["contentType"], reply["resource"].get("metadata")),
         ("storage#rewriteResponse", True, "4", "4", "n/t", None),
         "rewriteTo in one call; a body replaces the metadata")
    reply = emu.call("POST", emu.o("s") + "/moveTo/o/u%2Fv", {}).json
    same((reply["name"], reply["metadata"]), ("u/v", {"k": "v"}), "moveTo")
    same((emu.call("GET", emu.o("s")).status, emu.get("u/v").body), (404, b"data"),
         "... the source is gone, the data are there")
    same(emu.call("POST", emu.o("t") + "/moveTo/o/t", {}).status, 400, "moveTo itself")
    for how in ("copyTo/b/bkt/o/z", "rewriteTo/b/bkt/o/z", "moveTo/o/z"):
        same(emu.call("POST", f"{emu.o('gone')}/{how}").status, 404, f"{how}: no source")
    same(emu.call("POST", emu.o("t") + "/copyTo/b/nope/o/z").status, 404, "no such bucket")
    reply = emu.call("DELETE", "/storage/v1/b/second")
    same((reply.status, reply.reason), (409, "conflict"), "a bucket that is not empty: 409")
    emu.call("DELETE", emu.o("a/b", bucket="second"))
    same(emu.call("DELETE", "/storage/v1/b/second").status, 204, "... empty: 204")


def buckets(emu):
    same(emu.call("GET", "/storage/v1/b/bkt").json["name"], "bkt", "bucket get")
    reply = emu.call("POST", "/storage/v1/b", {"name": "bkt"})
    same((reply.status, reply.reason), (409, "conflict"), "bucket insert, exists")
    same(emu.call("POST", "/storage/v1/b", {"name": "A_"}).status, 400, "a bad name")
    same(emu.call("POST", "/storage/v1/b", {}).status, 400, "no name")
    same(emu.call("GET", "/storage/v1/b/bkt/storageLayout").json["hierarchicalNamespace"],
         {"enabled": False}, "storageLayout")
    for path in ("/storage/v1/b/nope", "/storage/v1/b/nope/o", "/storage/v1/b/nope/o/x",
                 "/storage/v1/b/nope/storageLayout"):
        reply = emu.call("GET", path)
        ok((reply.status, reply.reason) == (404, "notFound") and "bucket" in
           reply.json["error"]["message"], f"{path}: 404")


def errors(emu):
    reply = emu.call("GET", emu.o("nope"))
    same(reply.json, {"error": {"code": 404, "message": "No such object: bkt/nope", "errors": [
        {"domain": "global", "reason": "notFound", "message": "No such object: bkt/nope"}]}},
         "the error body")
    ok(reply.headers["Content-Type"].startswith("application/json"), "... is JSON")
    for method, path, status in [("GET", "/storage/v1/nothing", 404), ("GET", "/", 501),
                                 ("POST", emu.o("x"), 405), ("PATCH", emu.o(), 405),
                                 ("GET", "/storage/v1/b/bkt/o/a/b", 404),
                                 ("GET", emu.o(query="maxResults=x"), 400),
                                 ("GET", emu.o("x", "generation=-1"), 400),
                                 ("GET", emu.o(query="fields=items("), 400)]:
        same(emu.call(method, path).status, status, f"{method} {path}")
    emu.media("e")
    deleted = emu.call("DELETE", emu.o("e"))
    same((deleted.status, deleted.body), (204, b""), "delete: 204 and no body")
    same(emu.call("DELETE", emu.o("e")).status, 404, "... again: 404")
    same([emu.media("e").status, emu.call("DELETE", emu.o("e", "generation=0")).status],
         [200, 204], "generation=0 is the live version")


def times(emu):
    for method, path, body in [("POST", emu.up("media", "t"), b"x"), ("GET", emu.o("t"), None),
                               ("PATCH", emu.o("t"), {}), ("GET", emu.o("no"), None),
                               ("GET", "/bkt/t", None), ("DELETE", emu.o("t"), None)]:
        reply = emu.call(method, path, body)
        date = email.utils.parsedate_to_datetime(reply.headers["Date"]).timestamp()
        ok(abs(date - time.time()) < 2, f"{method} {path} has a Date that is now")
        if reply.status == 200 and method != "GET":
            at = datetime.datetime.fromisoformat(reply.json["updated"].replace("Z", "+00:00"))
            ok(abs(at.timestamp() - date) < 2, "... within 2 s of `updated`")
    generations = [int(emu.media("t").json["generation"]) for _ in range(50)]
    ok(generations == sorted(set(generations)), "generations strictly increase")
    now_us = time.time() * 1e6
    ok(abs(generations[-1] - now_us) < 60e6, "... and are microseconds of the clock")


def run():
    with Emulator() as emu:
        for case in (uploads, checksums, names, ranges, xml, metadata, compose, copies,
                     buckets, errors, times):
            case(emu)
            emu.clear()
