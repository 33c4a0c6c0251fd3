#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A large finished run in an emulated bucket, written over pipelined connections.

scale_run.py RUN WORKERS STEPS_PER_WORKER FILES_PER_STEP URLS: the run in gs://ctl, every
object of it that collect fetches as a curl config in the file URLS ("url = ..", "output =
.." below raw/). FILES_PER_STEP: 1 = the record alone, up to 5.
"""
import os
import socket
import sys
import urllib.parse

from make_run import *

PROCESSES = 3
WINDOW = 32  # requests on their way on one connection
BINS = {300 + i: 10 + i % 7 for i in range(100)}


class Pipe(Bucket):
    """Bucket.call() that reads the replies later: 2xx or it ends."""

    def __init__(self):
        super().__init__()
        host, port = os.environ["STORAGE_EMULATOR_HOST"].split("://")[-1].split(":")
        self.socket = socket.create_connection((host, int(port)))
        self.replies = self.socket.makefile("rb")
        self.pending = []
        self.names = []

    def call(self, method, path, body=b"", headers=None):
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        head += "".join(f"{k}: {v}\r\n" for k, v in (headers or {}).items())
        self.pending.append(head.encode() + b"\r\n" + body)
        if len(self.pending) == WINDOW:
            self.flush()

    def flush(self):
        self.socket.sendall(b"".join(self.pending))
        for _ in self.pending:
            status = self.replies.readline()
            if not status.startswith(b"HTTP/1.1 2"):
                raise RuntimeError(status)
            n = 0
            while (line := self.replies.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    n = int(line.split(b":")[1])
            self.replies.read(n)
        self.pending = []

    def put(self, name, body, summary=None):
        self.names.append(name)
        super().put(name, body, summary)


def fill(run, workers, files):
    """Everything of these workers: job, heartbeat, manifest, records and their files."""
    others = [("job_{}.fio", b"[j]\nrw=read\n"), ("fio_output_{}.json", b"{}" * 1500),
              ("monitor_{}.csv", b"1,2,3,4,5,6\n" * 200), ("gcsfuse_mount_{}.log.gz", b"z" * 900)]
    results = [result_of(BINS)]
    sums = [crc32c(body) for _, body in others]
    job = run.job(run.workers[0])
    for w in workers:
        run.bucket.put(f"{run.at}jobs/{w}.json", dict(job, worker=w, steps=run.steps[w]))
        run.heartbeat(w)
        run.manifest(w, [{"step": s["step"], "attempt": 1, "state": "ok", "reason": None,
                          "summary": None} for s in run.steps[w]])
        for s in run.steps[w]:
            refs, at = [], run.folder(w, s["matrix_id"])
            for (name, body), crc in list(zip(others, sums))[:files - 1]:
                name = name.format(s["iteration"])
                run.bucket.put(at + name, body)
                refs.append({"name": name, "bytes": len(body), "crc32c": crc, "generation": 1,
                             "cut": False})
            run.put_record(run.record(w, s["matrix_id"], s["iteration"], results=results,
                                      files=refs))
    run.bucket.flush()


def main(name, workers, steps, files, urls):
    run = Run(name, workers=workers, tests=10, arms=4, iterations=workers * steps // 40,
              bucket=Pipe())
    run.bucket.put(run.at + "config.json", run.config())
    run.bucket.flush()
    children = []
    for i in range(PROCESSES):
        pid = os.fork()
        if pid == 0:
            run.bucket = Pipe()
            fill(run, run.workers[i::PROCESSES], files)
            with open(f"{urls}.{i}", "w") as f:
                f.writelines(n + "\n" for n in run.bucket.names)
            os._exit(0)
        children.append(pid)
    if any([os.waitpid(pid, 0)[1] for pid in children]):
        raise SystemExit("a writer failed")
    names = run.bucket.names
    for i in range(PROCESSES):
        names += open(f"{urls}.{i}").read().split()
        os.unlink(f"{urls}.{i}")
    host = os.environ["STORAGE_EMULATOR_HOST"]
    with open(urls, "w") as f:
        for n in sorted(names):
            f.write(f'url = "{host}/storage/v1/b/ctl/o/{urllib.parse.quote(n, safe="")}?alt=media"\n'
                    f'output = "raw/{n}"\n')


if __name__ == "__main__":
    main(sys.argv[1], *[int(a) for a in sys.argv[2:5]], sys.argv[5])
