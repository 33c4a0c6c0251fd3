# SPDX-License-Identifier: Apache-2.0
"""Note when measured fio processes were forked, by the kernel: watch_fio.py OUT TOP

One line "<workspace> <step> <wall clock ns>" each, to OUT, until SIGTERM. /proc/<pid>/stat
has the start in ticks since boot (10 ms): an outside clock that muster has no hand in.
"""
import glob
import os
import re
import signal
import sys
import time

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
out, top = open(sys.argv[1], "w"), sys.argv[2]
tick_ns = 10**9 // os.sysconf("SC_CLK_TCK")
boot_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
path = re.compile(re.escape(top) + r"/(ws-[^/]*)/.*/(\d+-\d+)-a\d+/")
known = {}


def look(proc):
    with open(proc + "/stat") as f:
        stat = f.read()
    started = int(stat.rsplit(")", 1)[1].split()[19])
    key = proc, started
    if key in known:
        return
    with open(proc + "/cmdline", "rb") as f:
        args = f.read().decode(errors="replace").split("\0")
    if not args or os.path.basename(args[0]) != "fio":
        return
    known[key] = True
    output = next((path.search(a) for a in args if a.startswith("--output=")), None)
    if output and "--create_only=1" not in args:
        # jobs are forks with the same arguments: the first is the one that was started
        print(output[1], output[2], boot_ns + started * tick_ns, file=out, flush=True)


while True:
    for proc in glob.glob("/proc/[0-9]*"):
        try:
            look(proc)
        except (OSError, ValueError, IndexError):
            pass
    time.sleep(0.1)
