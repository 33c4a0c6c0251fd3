#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""boot.py: how long a machine of the image takes, from QEMU's start to the worker's first line,
to fio's first I/O in the bucket and to power-off, for each way to boot. One processor, a run of
one step (8 MiB written through gcsfuse, whose binary is in the image's cache when the image was
built with GCSFUSE=, else fetched from the bucket). RUNS=N repeats; the median is shown.

The limits are what the same steps took on an idle machine of the same size with a stand-in for
the worker. Processor seconds are QEMU's own: they hold still where other work delays the clock.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import datetime

BUILD = os.environ.get("BUILD", "build")
RUNS = int(os.environ.get("RUNS", "1"))
GCSFUSE_VERSION = os.environ.get("GCSFUSE_VERSION", "v3.13.0")
ENDPOINT = "http://169.254.169.253"
LIMIT_S = 300

# name, environment of vm.sh, whether user-data or attributes name the run, limits in seconds:
# first line, power-off
WAYS = [
    ("direct", {"VM_BOOT": "kernel", "VM_CLOUD_INIT": "no"}, False, (10, None)),
    ("cloud-init", {"VM_BOOT": "kernel", "VM_CLOUD_INIT": "yes"}, True, (16, None)),
    ("UEFI + cloud-init", {"VM_BOOT": "uefi", "VM_DISK": "scsi"}, True, (22, 31)),
]


def start_servers(folder):
    program = subprocess.Popen(
        [f"{BUILD}/muster-emulator", "--bucket", "ctl", "--bucket", "data", "--metadata-port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    url = program.stdout.readline().strip()
    metadata = program.stdout.readline().split()[1]
    os.environ["STORAGE_EMULATOR_HOST"] = url
    return program, url, metadata


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


def split(folder, run):
    tests = write(f"{folder}/tests.csv", "io_type,num_jobs,file_size,block_size,io_depth,nr_files,direct\n"
                                         "write,1,8m,1m,4,1,0\n")
    baked = os.environ.get("GCSFUSE")
    binary = ["--binary", f"default={baked}"] if baked else ["--build-here"]
    configs = write(f"{folder}/configs.csv", "commit,mount_args,label\nmaster,--implicit-dirs,default\n")
    subprocess.run(
        [f"{BUILD}/muster", "split", f"gs://ctl/{run}", "--tests", tests, "--configs", configs, "--fio",
         "tests/data/suite/job.fio", "--data", "gs://data", "--data-endpoint", ENDPOINT, "--workers", "w-1",
         "--iterations", "1", "--pin", f"master={GCSFUSE_VERSION}", *binary],
        check=True, stdout=subprocess.DEVNULL)


def register(url, run, is_user_data):
    orders = {"schema": "muster/vm/1", "run_url": f"gs://ctl/{run}", "worker": "w-1", "endpoint": ENDPOINT}
    files = {"write_files": [{"path": "/etc/muster/worker.json", "content": json.dumps(orders)}]}
    attributes = {"user-data": "#cloud-config\n" + json.dumps(files)} if is_user_data else {
        "muster-run": f"gs://ctl/{run}", "muster-worker": "w-1", "muster-endpoint": ENDPOINT}
    body = json.dumps({"address": "127.0.7.9", "attributes": attributes}).encode()
    request = urllib.request.Request(f"{url}/_emulator/instances/bench", body, method="PUT")
    urllib.request.urlopen(request).close()


def cpu_s(pid):
    """QEMU's processor seconds so far; None when it has ended."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def first_io_s(url, begin):
    """When gcsfuse first wrote a file of the case, by the bucket's own log."""
    with urllib.request.urlopen(f"{url}/_emulator/requests") as reply:
        requests = json.load(reply)["requests"]
    times = [datetime.fromisoformat(r["at"].replace("Z", "+00:00")).timestamp() for r in requests
             if r["method"] in ("POST", "PUT") and "/b/data/o" in r["path"]]
    times = [t for t in times if t > begin]
    return min(times) - begin if times else None


def boot(folder, url, metadata, name, way):
    vm = {**os.environ, **way, "VM_DIR": f"{folder}/{name}", "VM_IMAGE": os.path.abspath(f"{BUILD}/image"),
          "VM_ADDRESS": "127.0.7.9", "VM_METADATA": metadata, "VM_ENDPOINT": url.removeprefix("http://"),
          "VM_DISK_GIB": "1"}
    begin = time.time()
    subprocess.run(["terraform/local/vm.sh", "up"], env=vm, check=True)
    with open(f"{folder}/{name}/qemu.pid") as f:
        pid = f.read().strip()
    first = cpu = None
    while time.time() - begin < LIMIT_S:
        now = cpu_s(pid)
        if now is None:
            break
        cpu = now
        with open(f"{folder}/{name}/console.log", errors="replace") as f:
            text = f.read()
        if first is None and "1/8 identify: run" in text:
            first = (time.time() - begin, cpu)
        time.sleep(0.02)
    if first is None or "1 of 1 steps ok" not in text:
        sys.exit(f"boot: {name} did not run:\n{text[-2000:]}")
    return {"first": first[0], "first_cpu": first[1], "io": first_io_s(url, begin),
            "off": time.time() - begin, "off_cpu": cpu}


def show(name, figures, limits):
    def median(key):
        values = [f[key] for f in figures if f[key] is not None]
        return f"{statistics.median(values):.1f}" if values else "-"
    first, off = limits
    print(f"{name:18} {median('first'):>6} ({median('first_cpu'):>4} cpu)"
          f"{' limit ' + str(first):>9}  {median('io'):>6}  {median('off'):>6} ({median('off_cpu'):>4} cpu)"
          f"{' limit ' + str(off) if off else ''}")


def main():
    with tempfile.TemporaryDirectory(prefix="muster-boot.") as folder:
        program, url, metadata = start_servers(folder)
        try:
            print("seconds since QEMU's start; 1 processor, "
                  f"{os.popen('terraform/local/accel.sh ' + BUILD + '/image').read().strip()}; "
                  f"load {os.getloadavg()[0]:.1f}")
            print("way                worker's first line          first I/O  power-off")
            for number, (name, way, is_user_data, limits) in enumerate(WAYS):
                figures = []
                for i in range(RUNS):
                    run = f"boot-{number}-{i}"
                    split(folder, run)
                    register(url, run, is_user_data)
                    figures.append(boot(folder, url, metadata, run, way))
                show(name, figures, limits)
        finally:
            program.terminate()


if __name__ == "__main__":
    main()
