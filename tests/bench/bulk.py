#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bulk.py [MIB [ROUNDS]]: one large object (256 MiB, 7 rounds) up and down by `muster store cp`,
curl and, if installed, rclone: whole processes in turn against one server that keeps objects in
memory, files on tmpfs. The order changes with each round, so that a drifting machine favours
nobody. Prints medians, processor seconds, and muster's speed as a ratio to each of the others,
round by round and of the medians.

curl moves bytes only; muster sends and verifies CRC32C of the whole, rclone MD5.
OTHER=PATH is one more muster, of another build, beside this one.
"""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

BUILD = os.environ.get("BUILD", "build")
LIMIT = 0.95


def commands(url, file, got):
    """name -> (upload of FILE to an object, download of it to GOT), without the object's name"""
    media = f"{url}/upload/storage/v1/b/data/o?uploadType=media&name="
    curl = ["curl", "-q", "-sf", "-H", "Expect:"]
    rclone = ["rclone", "copyto", "--config", "/dev/null", "--no-traverse", "--ignore-times", "--gcs-anonymous",
              "--gcs-endpoint", f"{url}/storage/v1/", "--gcs-bucket-policy-only", "--gcs-no-check-bucket"]

    def muster(path):
        return (lambda name: [path, "store", "cp", file, f"gs://data/{name}"],
                lambda name: [path, "store", "cp", f"gs://data/{name}", got])

    ret = {
        "muster": muster(f"{BUILD}/muster"),
        "curl": (lambda name: curl + ["-o", "/dev/null", "-X", "POST", "-T", file, "-H",
                                      "Content-Type: application/octet-stream", media + name],
                 lambda name: curl + ["-o", got, f"{url}/storage/v1/b/data/o/{name}?alt=media"]),
    }
    if shutil.which("rclone"):
        ret["rclone"] = (lambda name: rclone + [file, f":gcs:data/{name}"],
                         lambda name: rclone + [f":gcs:data/{name}", got])
    if os.environ.get("OTHER"):
        ret["other"] = muster(os.environ["OTHER"])
    return ret


def run(argv):
    """Seconds on the clock, of the processor."""
    begin = time.monotonic()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    _, status, use = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"bulk: {' '.join(argv)}: exit {child.returncode}")
    return time.monotonic() - begin, use.ru_utime + use.ru_stime


def delete(url, name):
    request = urllib.request.Request(f"{url}/storage/v1/b/data/o/{name}", method="DELETE")
    urllib.request.urlopen(request).close()


def one_round(url, programs, order, got, figures):
    for name in order:
        figures[name, "upload"].append(run(programs[name][0](name)))
    for name in order:
        figures[name, "download"].append(run(programs[name][1](name)))
        if os.path.getsize(got) != figures["bytes"]:
            sys.exit(f"bulk: {name} wrote {os.path.getsize(got)} bytes")
        os.unlink(got)
        delete(url, name)


def show(figures, names, mib):
    print(f"{'':9} {'program':8} {'median':>9} {'MiB/s':>7} {'cpu':>8}   muster's speed: of medians, by round")
    for what in ("upload", "download"):
        for name in names:
            walls = [w for w, _ in figures[name, what]]
            median = statistics.median(walls)
            cpu = statistics.median(c for _, c in figures[name, what])
            line = f"{what:9} {name:8} {median * 1e3:6.0f} ms {mib / median:7.0f} {cpu * 1e3:5.0f} ms"
            if name != "muster":
                own = [w for w, _ in figures["muster", what]]
                pairs = sorted(w / o for w, o in zip(walls, own))
                limit = LIMIT if name == "curl" else 1
                line += (f"   {median / statistics.median(own):.2f}, {statistics.median(pairs):.2f} "
                         f"({pairs[0]:.2f} to {pairs[-1]:.2f}) of {name}'s; limit {limit}")
            print(line)


def main():
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    tmpfs = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="muster-bulk.", dir=tmpfs) as folder:
        file, got = f"{folder}/big", f"{folder}/got"
        with open(file, "wb") as f:
            for _ in range(mib):
                f.write(os.urandom(1 << 20))
        server = subprocess.Popen([f"{BUILD}/muster-emulator", "--bucket", "data"], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True)
        try:
            url = server.stdout.readline().strip()
            os.environ["STORAGE_EMULATOR_HOST"] = url
            programs = commands(url, file, got)
            names = list(programs)
            figures = {(n, what): [] for n in names for what in ("upload", "download")}
            figures["bytes"] = mib << 20
            one_round(url, programs, names, got, {**figures, **{k: [] for k in figures if k != "bytes"}})
            for i in range(rounds):
                at = i % len(names)
                one_round(url, programs, names[at:] + names[:at], got, figures)
            print(f"{mib} MiB, {rounds} rounds after one to warm up; load {os.getloadavg()[0]:.1f}")
            show(figures, names, mib)
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
