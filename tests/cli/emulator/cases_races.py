# SPDX-License-Identifier: Apache-2.0
"""Many clients at once."""

import concurrent.futures
import threading

from harness import Emulator, crc32c, ok, same


def one_winner(emu):
    """16 clients create one name with ifGenerationMatch=0."""
    for upload in (emu.media, emu.multipart, emu.resumable):
        statuses, winners = [], []
        for turn in range(10):
            name = f"claim/{upload.__name__}/{turn}"
            barrier = threading.Barrier(16)

            def claim(client, name=name, barrier=barrier, upload=upload):
                barrier.wait()
                return upload(name, b"client %d" % client, "ifGenerationMatch=0").status

            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                got = list(pool.map(claim, range(16)))
            statuses += sorted(got)
            winners.append(emu.get(name).body == b"client %d" % got.index(200))
        same(statuses, ([200] + [412] * 15) * 10,
             f"{upload.__name__}: of 16 clients exactly one creates, 10 times")
        ok(all(winners), "... and its data are what is stored")


def counter(emu):
    """Compare-and-swap by generation loses no update."""
    emu.media("counter", b"0")

    def increment(_):
        for _ in range(20):
            while True:
                reply = emu.get("counter")
                query = "ifGenerationMatch=" + reply.headers["x-goog-generation"]
                if emu.media("counter", b"%d" % (int(reply.body) + 1), query).status == 200:
                    break

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(increment, range(8)))
    same(emu.get("counter").body, b"160", "8 clients count to 160 by compare-and-swap")


def whole_versions(emu):
    """Readers see one version or another, never a mixture."""
    versions = [bytes([i]) * (500000 + i) for i in range(4)]
    sums = {len(v): v for v in versions}
    emu.media("v", versions[0])
    stop = threading.Event()
    wrong = []

    def read(_):
        conn = emu.connect()
        while not stop.is_set():
            body = emu.call("GET", "/bkt/v", conn=conn).body
            if sums.get(len(body)) != body:
                wrong.append(len(body))
        conn.close()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read, i) for i in range(3)]
        for i in range(60):
            emu.media("v", versions[i % 4])
        stop.set()
        for reader in readers:
            reader.result()
    same(wrong, [], "readers beside a writer see whole versions only")


def many_connections(emu):
    conns = [emu.connect() for _ in range(300)]
    for conn in conns:
        conn.request("GET", emu.o("counter", "alt=media"))
    same([c.getresponse().read() for c in conns], [b"160"] * 300, "300 connections at once")
    for conn in conns:
        conn.close()


def large(emu):
    data = bytes(range(256)) * 4096 * 64
    reply = emu.media("large", data)
    same((reply.status, emu.get("large").body == data), (200, True), "64 MiB there and back")
    same(emu.media("small", data[:5000]).json["crc32c"], crc32c(data[:5000]), "CRC32C")


def limits():
    with Emulator("--max-object", "1m", "--rate-limit") as emu:
        same(emu.media("m", b"x" * 1048576).status, 200, "an object of --max-object")
        for upload in (emu.media, emu.multipart, emu.resumable):
            same(upload("n", b"x" * 1048577).status in (400, 413), True,
                 f"{upload.__name__}: one byte more is refused")
        same(emu.media("r").status, 200, "--rate-limit: the first write")
        reply = emu.media("r")
        same((reply.status, reply.reason), (429, "rateLimitExceeded"), "... the second: 429")
        same(emu.media("other").status, 200, "... another name is not limited")
        same([emu.call("PATCH", emu.o("r"), {}).status for _ in range(2)], [200, 429],
             "... metadata updates have their own limit")
        session = emu.session("r")
        same(emu.chunk(session, b"late", "0-3/4").status, 429, "... 429 at the end of an upload")
        threading.Event().wait(1.1)
        same(emu.chunk(session, b"", "*/4").status, 200, "... which a later query completes")
        same(emu.get("r").body, b"late", "... with its data")


def run():
    with Emulator() as emu:
        for case in (one_winner, counter, whole_versions, many_connections, large):
            case(emu)
    limits()
