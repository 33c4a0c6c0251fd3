# SPDX-License-Identifier: Apache-2.0
"""The processes of one chaos run: emulator, workers on "machines", commands.

A machine is a workspace: the worker's instance_id is made of its path. It has its own clock
(skew) and its own measure lock. Everything lies below one folder.
"""
import os
import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field

import bucket
import script


@dataclass
class Process:
    tag: str
    what: str  # a worker's name, or the words of a command
    child: subprocess.Popen
    workspace: str = ""
    is_frozen: bool = False
    was_frozen: bool = False
    is_doomed: bool = False  # told to die by itself
    signals: set = field(default_factory=set)  # that the script sent it
    started_s: float = field(default_factory=time.monotonic)

    def is_alive(self):
        return self.child.poll() is None

    def send(self, sig):
        if self.is_alive():
            self.signals.add(sig)
            self.child.send_signal(sig)


class Fleet:
    def __init__(self, folder, build, setup, rng, plant=None):
        self.folder, self.build, self.setup, self.rng = folder, build, setup, rng
        self.plant = plant
        self.secret = "ya29." + secrets.token_hex(16)
        self.processes = []
        self.machines = {name: 0 for name in setup.workers}
        self.skew_ms = {}
        for name in ("tmp", "logs", "bin", "in"):
            os.makedirs(os.path.join(folder, name))
        os.symlink(os.path.join(build, "tests/tools/fake_fio"),
                   os.path.join(folder, "bin/fio"))
        self.write_inputs()
        self.start_emulator()

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write_inputs(self):
        setup = self.setup
        columns = list(setup.cases[0])
        with open(self.path("in/tests.csv"), "w") as f:
            print(",".join(columns), file=f)
            for row in setup.cases:
                print(",".join(row[c] for c in columns), file=f)
        with open(self.path("in/configs.csv"), "w") as f:
            print("commit,mount_args,label", file=f)
            for label in setup.arms:
                print(f"master,,{label}", file=f)
        with open(self.path("in/job.fio"), "w") as f:
            f.write(script.TEMPLATE.format(**setup.fio))

    def environment(self, tag):
        env = {
            "PATH": self.path("bin") + ":/usr/bin:/bin", "HOME": self.path("tmp"),
            "TMPDIR": self.path("tmp"), "STORAGE_EMULATOR_HOST": self.url,
            "MUSTER_EXTRA_HEADERS": f"{bucket.TAG}{tag}: 1\nX-Key: {self.secret}", "MUSTER_RETRY_BASE_MS": "10",
            "MUSTER_CACHE_DIR": self.path("tmp"), "MUSTER_VM_FILE": self.path("no-such-file"),
            "MUSTER_LEASE_STALE_MS": str(script.STALE_S * 1000), "MUSTER_LEASE_LOOK_MS": "200",
            "MUSTER_BEAT_GAP_MS": "150", "MUSTER_JOB_LOOK_MS": "100",
            "MUSTER_JOB_WAIT_S": "20", "MUSTER_KEEP_CACHES": "1",
            # what fio leaves behind goes in sessions, whose names are secrets
            "MUSTER_MULTIPART_MAX_BYTES": "900", "CHAOS_SECRET": self.secret,
        }
        if self.plant:
            env["MUSTER_PLANT"] = self.plant
        return env

    def start_emulator(self):
        log = open(self.path("logs/emulator.err"), "wb")
        self.emulator = subprocess.Popen(
            [os.path.join(self.build, "muster-emulator"), "--port", "0", "--bucket", "ctl",
             "--bucket", "data"], stdout=subprocess.PIPE, stderr=log, start_new_session=True)
        log.close()
        self.url = self.emulator.stdout.readline().decode().strip()
        self.client = bucket.Client(self.url)

    def spawn(self, what, argv, workspace="", extra=None):
        tag = f"p{len(self.processes):03d}"
        with open(self.path(f"logs/{tag}.out"), "wb") as out:
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out,
                                     stderr=subprocess.STDOUT, start_new_session=True,
                                     env={**self.environment(tag), **(extra or {})},
                                     cwd=self.path("tmp"))
        process = Process(tag, what, child, workspace)
        self.processes.append(process)
        return process

    def start_worker(self, name, place, die=None, stop=None):
        if place == "other":
            self.machines[name] += 1
        workspace = self.path(f"{name}.{self.machines[name]}")
        skew = self.skew_ms.setdefault(workspace, self.rng.choice([0, 1, -1]) *
                                       self.rng.randint(0, 60000))
        extra = {"MUSTER_CLOCK_SKEW_MS": str(skew), "MUSTER_MEASURE_LOCK": workspace + ".lock"}
        if die:
            extra["MUSTER_DIE_AT"] = die
        if stop:
            extra["MUSTER_STOP_AT"] = stop
        process = self.spawn(name, [
            os.path.join(self.build, "muster-worker"), "--run", f"gs://ctl/{self.setup.run}",
            "--worker", name, "--workspace", workspace], workspace, extra)
        process.is_doomed, process.is_frozen = bool(die), bool(stop)
        process.was_frozen = bool(stop)
        return process

    def start_command(self, words, puts=None):
        setup, url = self.setup, f"gs://ctl/{self.setup.run}"
        argv = [os.path.join(self.build, "muster"), words[0], url, *words[1:]]
        if words[0] == "split":
            argv += ["--tests", self.path("in/tests.csv"), "--configs",
                     self.path("in/configs.csv"), "--fio", self.path("in/job.fio"), "--data",
                     "gs://data", "--workers", ",".join(setup.workers), "--iterations",
                     str(setup.iterations), "--replicas", str(setup.replicas), "--design",
                     setup.design, "--kind", "dir", "--max-attempts",
                     str(setup.max_attempts), "--timeout", "20s", "--heartbeat",
                     f"{script.HEARTBEAT_S}s", "--stale", f"{script.STALE_S}s"]
            argv += self.more_flags()
        if words[0] == "collect":
            argv += ["--out", self.path(f"out.{len(self.processes)}")]
        extra = {"MUSTER_CLOCK_SKEW_MS": str(self.rng.choice([0, 1, -1]) *
                                             self.rng.randint(0, 60000))}
        if puts:
            extra.update(MUSTER_DIE_AFTER_PUTS=str(puts), MUSTER_DIE_AFTER_WRITES=str(puts))
        process = self.spawn(" ".join(words), argv, extra=extra)
        process.is_doomed = bool(puts)
        process.out = argv[-1]
        return process

    def more_flags(self):
        setup = self.setup
        if setup.kind == "together":
            return ["--barrier-policy", setup.policy, "--barrier-lead", f"{setup.lead_ms}ms",
                    "--barrier-timeout", f"{setup.barrier_timeout_s}s"]
        return ["--steal"] if setup.kind == "steal" else []

    def run_command(self, words, limit_s=15):
        """To its end, or killed at the limit: None."""
        process = self.start_command(words)
        try:
            process.code = process.child.wait(limit_s)
        except subprocess.TimeoutExpired:
            process.child.kill()
            process.code = None
        return process

    def workers(self, name=None):
        return [p for p in self.processes if p.workspace and name in (None, p.what)]

    def living(self, name):
        return [p for p in self.workers(name) if p.is_alive()]

    def log(self, process):
        with open(self.path(f"logs/{process.tag}.out"), errors="replace") as f:
            return f.read()

    def remains(self):
        """Processes and mounts that still have to do with this folder."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            if int(pid) in (os.getpid(), self.emulator.pid):
                continue
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    line = f.read().replace(b"\0", b" ").decode(errors="replace")
                with open(f"/proc/{pid}/stat") as f:
                    state = f.read().rsplit(")", 1)[1].split()[0]
                cwd = os.readlink(f"/proc/{pid}/cwd") if state != "Z" else ""
            except OSError:
                continue
            if state != "Z" and (self.folder + "/" in line or cwd.startswith(self.folder)):
                found.append(f"process {pid} {line[:120]}")
        with open("/proc/self/mountinfo") as f:
            found += ["mount " + line.strip() for line in f if self.folder in line]
        return found

    def await_remains(self, limit_s=3):
        """What is left; the guardians of killed workers get a moment."""
        until = time.monotonic() + limit_s
        left = self.remains()
        while left and time.monotonic() < until:
            time.sleep(0.05)
            left = self.remains()
        return left

    def end(self):
        """Whatever happened: nothing of ours goes on."""
        for process in self.processes:
            if process.is_alive():
                process.child.send_signal(signal.SIGKILL)
                process.child.wait()
        if self.emulator.poll() is None:
            self.emulator.kill()
        self.emulator.wait()
        self.emulator.stdout.close()

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
