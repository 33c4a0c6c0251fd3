# SPDX-License-Identifier: Apache-2.0
"""The command line, signals, and the data folder."""

import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading

from harness import PROGRAM, UNIT, Emulator, ok, same


def run_program(*args):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=20,
                          check=False)


def usage():
    reply = run_program("--help")
    ok(reply.returncode == 0 and "--bucket" in reply.stdout and not reply.stderr,
       "--help teaches on stdout, exit 0")
    for args, words in [(["--buckt", "x"], "--bucket"), (["x"], "unexpected"),
                        (["--port", "x"], "--port"), (["--port", "65536"], "--port"),
                        (["--port"], "value"), (["--bucket", "A"], "bucket"),
                        (["--fault", "none"], "fault"), (["--seed", "-1"], "--seed"),
                        (["--listen", "256.1.1.1"], "listen"),
                        (["--rate-limit=yes"], "value")]:
        reply = run_program(*args)
        ok(reply.returncode == 2 and words in reply.stderr and not reply.stdout,
           f"{' '.join(args)}: exit 2, {reply.stderr.strip()}")


def ready_line():
    for how in (signal.SIGTERM, signal.SIGINT):
        with Emulator("--port", "0", "--bucket", "other") as emu:
            ok(emu.url.startswith("http://127.0.0.1:"), "the URL is the line on stdout")
            names = [b["name"] for b in emu.call("GET", "/storage/v1/b?project=p").json["items"]]
            same(names, ["bkt", "other"], "buckets named on the command line exist")
            keep = emu.connect()
            emu.call("GET", emu.o(), conn=keep)
            same(emu.stop(how), 0, f"{how.name}: exit 0, also with a connection open")
            ok("seed" in emu.errors(), "the seed of the faults is on stderr")
    taken = Emulator()
    reply = run_program("--port", str(taken.port))
    ok(reply.returncode == 1 and "listen" in reply.stderr, "a port in use: exit 1")
    taken.stop()


def contents(emu):
    """Everything a client can see of the objects."""
    seen = {}
    for name in emu.names():
        seen[name] = (emu.call("GET", emu.o(name)).json, emu.get(name).body)
        for key in ("selfLink", "mediaLink"):
            del seen[name][0][key]
    return seen


def restart(folder):
    names = ["a", "dir/", "dir/\u00e4 b?#%2F", ".", "x" * 1024, "empty", "big", "moved"]
    with Emulator("--data", folder) as emu:
        for name in names:
            emu.media(name, name.encode() * 3)
        emu.media("empty", b"")
        emu.resumable("big", os.urandom(3 * UNIT + 5))
        emu.media("a", b"overwritten")
        emu.call("PATCH", emu.o("a"), {"metadata": {"k": "v"}, "contentType": "a/b"})
        emu.call("POST", emu.o("joined") + "/compose",
                 {"sourceObjects": [{"name": "big"}, {"name": "a"}, {"name": "big"}]})
        emu.call("POST", emu.o("big") + "/copyTo/b/bkt/o/copy", {})
        emu.call("POST", emu.o("moved") + "/moveTo/o/target", {})
        emu.call("DELETE", emu.o("big"))
        before = contents(emu)
        same(len(records(folder)), len(before), "one record for each object")
        taken = run_program("--data", folder)
        ok(taken.returncode == 1 and "in use" in taken.stderr,
           "a second emulator on the same folder is refused")
        same(emu.stop(), 0, "exit 0 with a data folder")
    with Emulator("--data", folder, bucket=None) as emu:
        emu.bucket = "bkt"
        same(contents(emu), before, "everything is as it was after a restart")
        last = max(int(v[0]["generation"]) for v in before.values())
        ok(int(emu.media("a").json["generation"]) > last, "generations go on increasing")
        emu.clear()
    same(os.listdir(os.path.join(folder, "data")), [], "no data file without an object")


def records(folder):
    path = os.path.join(folder, "buckets", "bkt")
    return [os.path.join(path, f) for f in os.listdir(path) if f != "bucket.json"]


def killed_in_a_step(folder):
    """What a kill between two steps leaves on disk is repaired at the next start."""
    with Emulator("--data", folder) as emu:
        emu.media("old", b"first")
        emu.media("src", b"moved")
        data_folder = os.path.join(folder, "data")
        saved = {}
        for path in records(folder) + [os.path.join(data_folder, f)
                                       for f in os.listdir(data_folder)]:
            with open(path, "rb") as file:
                saved[path] = file.read()
        emu.media("old", b"second")
        emu.call("POST", emu.o("src") + "/moveTo/o/dst")
        before = contents(emu)
        data = os.listdir(data_folder)
    for path, text in saved.items():
        with open(path, "wb") as file:
            file.write(text)
    with open(next(iter(saved)) + ".tmp", "wb") as file:
        file.write(b"{")
    shutil.copy(os.path.join(data_folder, data[0]),
                os.path.join(data_folder, "00000000deadbeef"))
    with Emulator("--data", folder) as emu:
        same(contents(emu), before, "records of overwritten and moved objects are removed")
        same((len(records(folder)), sorted(os.listdir(data_folder))), (2, sorted(data)),
             "... with the data nothing refers to")
    with open(records(folder)[0], "w", encoding="utf-8") as file:
        file.write("{")
    with Emulator("--data", folder) as emu:
        same(len(emu.names()), 1, "a record that cannot be read is left out")
        ok("left out" in emu.errors(), "... and named on stderr")


def killed(folder):
    """SIGKILL under load: each object is one of its whole versions."""
    rng = random.Random(5)
    good, acknowledged = True, {}
    for _ in range(4):
        emu = Emulator("--data", folder)
        for name, value in acknowledged.items():
            good = good and emu.get(name).body == value
        running = threading.Event()

        def write(worker, emu=emu, running=running):
            name = f"w{worker}"
            for i in range(1000000):
                value = bytes([i % 251]) * (1000 + worker * 100000)
                try:
                    if emu.media(name, value).status == 200:
                        acknowledged[name] = value
                    emu.call("POST", emu.o(name) + f"/moveTo/o/tmp{worker}", {})
                    acknowledged.pop(name)
                    emu.call("POST", emu.o(f"tmp{worker}") + f"/moveTo/o/{name}", {})
                    acknowledged[name] = value
                except OSError:
                    return
                except Exception:  # a reply cut short by the kill
                    return
                running.set()

        threads = [threading.Thread(target=write, args=(w,)) for w in range(3)]
        for thread in threads:
            thread.start()
        running.wait(20)
        threading.Event().wait(rng.uniform(0.05, 0.3))
        emu.stop(signal.SIGKILL)
        for thread in threads:
            thread.join()
        emu = Emulator("--data", folder)
        seen = emu.names()
        for worker in range(3):
            both = {f"w{worker}", f"tmp{worker}"} & set(seen)
            good = good and len(both) <= 1
            for name in both:
                body = emu.get(name).body
                good = good and len(body) == 1000 + worker * 100000 and len(set(body)) == 1
                acknowledged[f"w{worker}"] = body
                emu.call("POST", emu.o(name) + f"/moveTo/o/w{worker}", {})
            if not both:
                acknowledged.pop(f"w{worker}", None)
        emu.stop(signal.SIGKILL)
    ok(good, "killed under load: no object lost, doubled by a move, or mixed of two versions")


def run():
    usage()
    ready_line()
    folder = tempfile.mkdtemp()
    try:
        restart(os.path.join(folder, "a"))
        killed_in_a_step(os.path.join(folder, "c"))
        killed(os.path.join(folder, "b"))
    finally:
        shutil.rmtree(folder)
