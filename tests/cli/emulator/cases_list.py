# SPDX-License-Identifier: Apache-2.0
"""Listing over HTTP, against a model; and with many objects."""

import concurrent.futures
import random

from harness import Emulator, ok, quote, same


def model(names, q):
    """(items, prefixes) by definition."""
    items, prefixes = [], []
    key = lambda s: s.encode()
    for name in sorted(names, key=key):
        if not name.startswith(q.get("prefix", "")):
            continue
        if key(name) < key(q.get("startOffset", "")):
            continue
        if q.get("endOffset") and key(name) >= key(q["endOffset"]):
            continue
        rest = name[len(q.get("prefix", "")):]
        delimiter = q.get("delimiter", "")
        if not delimiter or delimiter not in rest:
            items.append(name)
            continue
        end = len(name) - len(rest) + rest.index(delimiter) + len(delimiter)
        if name[:end] not in prefixes:
            prefixes.append(name[:end])
        if q.get("includeTrailingDelimiter") == "true" and end == len(name):
            items.append(name)
    return items, prefixes


def pages(emu, q, size, conn):
    items, prefixes, token, full = [], [], "", True
    while True:
        query = "&".join(f"{k}={quote(v)}" for k, v in
                         {**q, "maxResults": str(size), "pageToken": token}.items())
        reply = emu.call("GET", emu.o(query=query), conn=conn).json
        got = [i["name"] for i in reply.get("items", [])], reply.get("prefixes", [])
        items += got[0]
        prefixes += got[1]
        token = reply.get("nextPageToken", "")
        full = full and len(got[0]) + len(got[1]) <= size
        if not token:
            return items, prefixes, full


def random_listings(emu):
    rng = random.Random(11)
    pieces = ["a", "b", "/", "//", "ab", "\u00e4", "\U0001f600", "~", " ", "%"]
    names = {"".join(rng.choice(pieces) for _ in range(rng.randint(1, 6))) for _ in range(120)}
    names -= {".", ".."}
    conn = emu.connect()
    for name in names:
        emu.call("POST", emu.up("media", name), b"x", conn=conn)
    wrong = []
    for _ in range(150):
        q = {"prefix": rng.choice(["", "", "a", "a/", "/", "\u00e4"]),
             "delimiter": rng.choice(["", "/", "/", "//", "b"]),
             "startOffset": rng.choice(["", "", "a/", "b", "\u00e4"]),
             "endOffset": rng.choice(["", "", "b", "~", "a/b"]),
             "includeTrailingDelimiter": rng.choice(["true", "false"]),
             "includeFoldersAsPrefixes": "true", "versions": "false", "projection": "full"}
        size = rng.choice([1, 2, 3, 7, 1000])
        items, prefixes, full = pages(emu, q, size, conn)
        if (items, prefixes) != model(names, q) or not full:
            wrong.append((q, size))
    same(wrong, [], "150 random listings equal the model, page by page")
    conn.close()
    emu.clear()


def selection(text):
    """{name: selection or {} for all} of a "fields" parameter, and what follows it."""
    tree = {}
    while True:
        at, name = tree, ""
        while text and text[0] not in ",()":
            name, text = name + text[0], text[1:]
        for part in name.split("/"):
            at = at.setdefault(part, {})
        if text[:1] == "(":
            inner, text = selection(text[1:])
            at.update(inner)
            text = text[1:]
        if text[:1] != ",":
            return tree, text
        text = text[1:]


def cut(value, want):
    want = selection(want)[0] if isinstance(want, str) else want
    if isinstance(value, list):
        return [cut(v, want) for v in value]
    if not want or not isinstance(value, dict):
        return value
    return {k: cut(v, want.get(k, want.get("*"))) for k, v in value.items()
            if k in want or "*" in want}


def fields(emu):
    emu.multipart("d/f", b"data", resource={"metadata": {"k": "v"}})
    emu.media("g")
    reply = emu.call("GET", emu.o(query="fields=items(name,size),prefixes&delimiter=/")).json
    same(reply, {"items": [{"name": "g", "size": "1"}], "prefixes": ["d/"]}, "fields")
    reply = emu.call("GET", emu.o("d/f", "fields=name,metadata")).json
    same(reply, {"name": "d/f", "metadata": {"k": "v"}}, "fields on get")
    for want in ["kind", "items", "items(name,metadata/k)", "items/generation,nextPageToken",
                 "items(id,selfLink,mediaLink,etag,md5Hash)", "items/metadata(k,none)", "*",
                 "prefixes,kind", "items(*)", "none", "*/name", "items(metadata(none),updated)",
                 "nextPageToken", "items(timeCreated,contentType,storageClass)"]:
        for delimiter in ["/", ""]:
            page = emu.call("GET", emu.o(query=f"maxResults=1&delimiter={delimiter}")).json
            reply = emu.call("GET", emu.o(query=f"maxResults=1&delimiter={delimiter}&fields={want}"))
            same(reply.json, cut(page, want), f"list with fields={want} is the list, cut")
    same(emu.call("GET", emu.o(query="pageToken=x")).status, 400, "a page token not of ours")
    emu.clear()


def many(emu):
    """Thousands of objects: the page maximum, and one delimiter over all."""
    count = 5000

    def fill(part):
        conn = emu.connect()
        for i in range(part, count, 8):
            emu.call("POST", emu.up("media", f"d{i % 100:02}/{i:04}"), b"", conn=conn)
        conn.close()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(fill, range(8)))
    for asked in ("", "maxResults=5000", "maxResults=1000"):
        reply = emu.call("GET", emu.o(query=asked)).json
        same((len(reply["items"]), "nextPageToken" in reply), (1000, True),
             f"a page has at most 1,000: {asked or 'by default'}")
    conn = emu.connect()
    items, _, _ = pages(emu, {"fields": "items(name),nextPageToken"}, 1000, conn)
    ok(len(items) == count and items == sorted(items), "all come once, in order")
    _, prefixes, _ = pages(emu, {"delimiter": "/"}, 30, conn)
    same(prefixes, [f"d{i:02}/" for i in range(100)], "100 prefixes, once each over 4 pages")
    conn.close()


def run():
    with Emulator() as emu:
        random_listings(emu)
        fields(emu)
        many(emu)
