#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hand-made runs in an emulated bucket, for tests of the coordinator without workers.

As a program: make_run.py RUN [key=value ...] with the keys of Run(); as a module: see Run.
The bucket is gs://ctl; STORAGE_EMULATOR_HOST names the emulator.
"""
import base64
import hashlib
import http.client
import json
import os
import sys
import urllib.parse

RECORD_TIME = "2026-11-20T14:05:06.123Z"


class Bucket:
    """The few calls of the JSON API that a test needs."""

    def __init__(self, bucket="ctl"):
        host = os.environ["STORAGE_EMULATOR_HOST"].split("://")[-1]
        self.bucket = bucket
        self.connection = http.client.HTTPConnection(host)

    def call(self, method, path, body=b"", headers=None):
        self.connection.request(method, path, body, headers or {})
        reply = self.connection.getresponse()
        data = reply.read()
        if reply.status >= 300:
            raise RuntimeError(f"{method} {path}: {reply.status} {data[:200]!r}")
        return data

    def put(self, name, body, summary=None):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        meta = {"name": name, "metadata": {"muster-nonce": "00" * 16}}
        if summary is not None:
            meta["metadata"]["muster-summary"] = summary
        parts = (b"--XX\r\nContent-Type: application/json\r\n\r\n" + json.dumps(meta).encode()
                 + b"\r\n--XX\r\nContent-Type: application/octet-stream\r\n\r\n" + body
                 + b"\r\n--XX--\r\n")
        self.call("POST", f"/upload/storage/v1/b/{self.bucket}/o?uploadType=multipart", parts,
                  {"Content-Type": "multipart/related; boundary=XX"})

    def delete(self, name):
        self.call("DELETE",
                  f"/storage/v1/b/{self.bucket}/o/{urllib.parse.quote(name, safe='')}")

    def get(self, name):
        return self.call(
            "GET", f"/storage/v1/b/{self.bucket}/o/{urllib.parse.quote(name, safe='')}?alt=media")

    def faults(self, *rules):
        """Replace the emulator's rules: {"kind", "match", "method", ...}; none = no faults."""
        self.call("POST", "/_emulator/faults", json.dumps({"seed": 1, "rules": rules}).encode())

    def names(self, prefix=""):
        found, token = [], ""
        while True:
            page = json.loads(self.call(
                "GET", f"/storage/v1/b/{self.bucket}/o?prefix={urllib.parse.quote(prefix)}{token}"))
            found += [o["name"] for o in page.get("items", [])]
            if "nextPageToken" not in page:
                return found
            token = "&pageToken=" + urllib.parse.quote(page["nextPageToken"])


def crc32c(data):
    """Base64 of the Castagnoli checksum, as the JSON API writes it."""
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return base64.b64encode((crc ^ 0xffffffff).to_bytes(4, "big")).decode()


def bin_key(index, bits=6):
    """fio's plat_idx_to_val(): the middle of bin @index."""
    if index < 2 << bits:
        return index
    shift = (index >> bits) - 1
    return (1 << (shift + bits)) + (((index % (1 << bits)) * 2 + 1) << shift) // 2


def lat_of(bins):
    """{index: count} as the latency of a record and as fio writes it."""
    pairs = [(bin_key(i), n) for i, n in sorted(bins.items())]
    n = sum(c for _, c in pairs)
    low, high = pairs[0][0], pairs[-1][0]
    mean = sum(k * c for k, c in pairs) / n
    var = sum(c * (k - mean) ** 2 for k, c in pairs) / (n - 1) if n > 1 else 0.0
    record = {"n": n, "min_ns": low, "max_ns": high, "mean_ns": mean,
              "stddev_ns": var ** 0.5, "bins": [[k, c] for k, c in pairs],
              "geometry": {"bits": 6, "groups": 29}}
    fio = {"N": n, "min": low, "max": high, "mean": mean, "stddev": var ** 0.5,
           "bins": {str(k): c for k, c in pairs}}
    return record, fio


def result_of(bins, group=0, rw="read", runtime_ms=1000, block=4096):
    lat, _ = lat_of(bins)
    n = lat["n"]
    return {"group": group, "rw": rw, "ios": n, "io_bytes": n * block,
            "runtime_ns": runtime_ms * 1000000,
            "bw_bytes_per_s": n * block * 1000.0 / runtime_ms if runtime_ms else 0.0,
            "iops": n * 1000.0 / runtime_ms if runtime_ms else 0.0,
            "short_ios": 0, "drop_ios": 0, "lat": lat}


def fio_output(bins, rw="read", runtime_ms=1000, block=4096):
    _, lat = lat_of(bins)
    return {"fio version": "fio-3.39", "jobs": [
        {"jobname": "j", "groupid": 0, "error": 0,
         rw: {"io_bytes": lat["N"] * block, "total_ios": lat["N"], "runtime": runtime_ms,
              "short_ios": 0, "drop_ios": 0, "lat_ns": lat}}]}


def incarnation():
    return {"n": 1, "nonce": "00" * 16, "boot_id": "b", "instance_id": "i"}


class Run:
    """A spread of tests x arms x iterations over workers, all of kind dir."""

    def __init__(self, run, workers=2, tests=2, arms=2, iterations=2, prefix="", label=None,
                 params=None, bucket=None):
        self.bucket = bucket or Bucket()
        self.run, self.at = run, (prefix + "/" if prefix else "") + run + "/"
        self.url = f"gs://{self.bucket.bucket}/{self.at[:-1]}"
        self.workers = [f"w-{i + 1}" for i in range(int(workers))]
        self.settings = {
            "heartbeat_s": 30, "stale_s": 120, "monitor_hz": 10, "max_attempts": 2,
            "mount_timeout_s": 60, "layout_timeout_s": 7200, "upload_timeout_s": 600,
            "warm_metadata": True, "drop_caches": True, "power_off": True, "keep_data": False}
        pins = ("requested", "module", "version", "h1", "commit", "go", "key", "sha256")
        self.arms = [dict({"config_id": i + 1, "label": label or "abcdefghij"[i % 10] * (i // 10 + 1),
                           "kind": "dir", "mount_args": ["--x", "a b"], "config_file": None,
                           "env": {}}, **{p: None for p in pins}) for i in range(int(arms))]
        self.cases = [{"test_id": i + 1, "params": dict(params or {"bs": "4k", "rw": "read"}),
                       "fio_job": "[j]\ndirectory=${MUSTER_DIR}\nrw=read\nbs=4k\nsize=4M\n",
                       "writes": False, "data_bytes": 4194304, "io_bytes": None,
                       "data_key": "0123456789abcdef01234567", "timeout_s": 60}
                      for i in range(int(tests))]
        self.data = {"bucket": "data", "prefix": "muster", "endpoint": None, "auth": "adc"}
        self.iterations = int(iterations)
        self.steps, k = {w: [] for w in self.workers}, 0
        for matrix_id in range(1, len(self.arms) * len(self.cases) + 1):
            for i in range(1, self.iterations + 1):
                self.steps[self.workers[k % len(self.workers)]].append(self.step(matrix_id, i))
                k += 1

    def step(self, matrix_id, iteration, attempt=1):
        return {"step": f"{matrix_id}-{iteration}", "matrix_id": matrix_id,
                "test_id": (matrix_id - 1) % len(self.cases) + 1,
                "config_id": (matrix_id - 1) // len(self.cases) + 1,
                "iteration": iteration, "block": iteration, "pos": 1, "attempt": attempt}

    def config(self):
        sha = "1" * 64
        return json.dumps({
            "schema": "muster/config/1", "run": self.run,
            "inputs": {"tests": sha, "configs": sha, "fio": sha}, "design": "spread", "seed": 1,
            "iterations": self.iterations, "replicas": 1, "looks": [], "workers": self.workers,
            "arms": self.arms, "cases": self.cases, "data": self.data,
            "settings": self.settings})

    def job(self, worker, round=1, steps=None):
        return {"schema": "muster/job/1", "run": self.run, "worker": worker, "round": round,
                "config_sha256": hashlib.sha256(self.config().encode()).hexdigest(),
                "control": {"url": self.url}, "data": self.data, "settings": self.settings,
                "arms": [dict(a, role=None) for a in self.arms], "cases": self.cases,
                "steps": self.steps[worker] if steps is None else steps}

    def record(self, worker, matrix_id, iteration, state="ok", attempt=1, results=None, **more):
        if results is None:
            results = [result_of({300 + matrix_id: 90, 400 + iteration: 10})] if state == "ok" else []
        record = dict(self.step(matrix_id, iteration, attempt), schema="muster/step/1",
                      run=self.run, worker=worker, incarnation=incarnation(), state=state,
                      reason=None if state == "ok" else f"it {state}", exit_status=None,
                      signal=None, started=RECORD_TIME, ended=RECORD_TIME,
                      phase_ns={"layout": 0, "mount": 5, "warm": None, "fio": 1000000000,
                                "unmount": 1, "parse": 1, "upload": 1},
                      effective={"gcsfuse": None, "gcsfuse_sha256": None}, host={},
                      gcsfuse_log={}, monitor={"samples": 0, "lost": 0}, flags=[],
                      results=results, files=[])
        record.update(more)
        return record

    def folder(self, worker, matrix_id, attempt=1):
        more = f"attempt-{attempt}/" if attempt > 1 else ""
        return f"{self.at}results/{worker}/test-{matrix_id}/{more}"

    def claim(self, worker, step, source, round=1, **more):
        """@worker holds the unit that @step of @source's job leads."""
        name = step + (f".r{round}" if round > 1 else "")
        self.bucket.put(
            f"{self.at}claims/{name}.json",
            dict({"schema": "muster/claim/1", "run": self.run, "round": round, "step": step,
                  "steps": [step], "worker": worker, "incarnation": incarnation(),
                  "from": source, "at": RECORD_TIME}, **more), worker)

    def put_record(self, record, name=None):
        name = name or (self.folder(record["worker"], record["matrix_id"], record["attempt"])
                        + f"step_{record['iteration']}.json")
        self.bucket.put(name, record)

    def heartbeat(self, worker, state="done", done=None, total=None, step=None, reason=None,
                  summary=True):
        total = len(self.steps[worker]) if total is None else total
        done = total if done is None else done
        self.bucket.put(
            f"{self.at}workers/{worker}.json",
            {"schema": "muster/worker/1", "run": self.run, "worker": worker,
             "incarnation": incarnation(), "state": state, "reason": reason, "step": step,
             "attempt": 1 if step else None, "done": done, "total": total, "progress": None,
             "worker_build": "t", "at": RECORD_TIME},
            f"{state} {step or '-'} {1 if step else 0} {done}/{total}" if summary else None)

    def manifest(self, worker, steps=()):
        self.bucket.put(
            f"{self.at}results/{worker}/manifest.json",
            {"schema": "muster/manifest/1", "run": self.run, "worker": worker, "round": 1,
             "incarnation": incarnation(), "state": "done", "reason": None,
             "provenance": {"muster": {"version": "0.1.0", "build_id": "t"},
                            "fio_version": "fio-3.39", "kernel": "6.12.1"},
             "steps": list(steps)})

    def plan(self):
        """config.json and the jobs."""
        self.bucket.put(self.at + "config.json", self.config())
        for w in self.workers:
            self.bucket.put(f"{self.at}jobs/{w}.json", self.job(w))
        return self

    def all(self):
        for w in self.workers:
            for s in self.steps[w]:
                yield w, s["matrix_id"], s["iteration"]

    def finish(self, states=None):
        """A record of every step (ok, or states["<matrix>-<iteration>"]; None = none)."""
        for w, m, i in self.all():
            state = (states or {}).get(f"{m}-{i}", "ok")
            if state:
                self.put_record(self.record(w, m, i, state))
        for w in self.workers:
            self.heartbeat(w)
            self.manifest(w)
        return self


if __name__ == "__main__":
    Run(sys.argv[1], **dict(a.split("=", 1) for a in sys.argv[2:])).plan().finish()
