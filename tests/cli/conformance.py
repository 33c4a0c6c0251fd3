# SPDX-License-Identifier: Apache-2.0
"""The retry conformance suite; see conformance.t. Writes TAP."""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse

BUILD = os.environ.get("BUILD", "build")
MUSTER = os.path.join(BUILD, "muster")
BUCKET = f"conformance-{os.getpid()}"
KIB, MIB = 1024, 1024 * 1024
BUSY, RESET = "return-503", "return-reset-connection"
PAIRS = [[BUSY, BUSY], [RESET, RESET], [RESET, BUSY]]

# number, failures of each case, methods, with a precondition?, does it succeed?
SCENARIOS = [
    (1, PAIRS, ("get", "list"), False, True),
    (2, PAIRS, ("insert", "delete", "compose"), True, True),
    (3, [[BUSY], [RESET]], ("insert", "delete", "compose"), False, False),
    # 4, never idempotent: none of these methods
    (5, [["return-400"], ["return-401"]],
     ("get", "list", "insert", "delete", "compose"), False, False),
    (6, [[BUSY, "return-400"], [RESET, "return-401"]],
     ("get", "list", "insert", "delete", "compose"), True, False),
    (7, [[RESET, BUSY], ["return-408"], ["return-503-after-256K"],
         ["return-503-after-8192K", "return-408"]], ("resumable",), True, True),
    (8, [["return-broken-stream"] * 2, ["return-broken-stream-after-256K"]],
     ("download",), False, True),
]
# the testbench's name of a method, where it is not ours
RPC = {"resumable": "insert", "download": "get"}
# requests of each case, and what the last upload or the downloads must look like
RESUMED_REQUESTS = [5, 4, 5, 6]
# the last 256 KiB go by themselves, with the checksum of all
TAIL = 256 * KIB
RESUMED_BYTES = [[9 * MIB - TAIL, TAIL], [9 * MIB - TAIL, TAIL],
                 [9 * MIB - TAIL, 9 * MIB - TAIL - 256 * KIB, TAIL],
                 [9 * MIB - TAIL, MIB - TAIL, TAIL]]
RANGED_STATUSES = [[200, 206, 206], [200, 206]]

count = failed = 0


def ok(good, text):
    global count, failed
    count += 1
    failed += not good
    print(f"{'' if good else 'not '}ok {count} - {text}", flush=True)


class Server:
    def __init__(self, url):
        self.url = url
        self.at = urllib.parse.urlsplit(url)

    def call(self, method, path, body=None):
        conn = http.client.HTTPConnection(self.at.hostname, self.at.port, timeout=30)
        headers = {"Content-Type": "application/octet-stream"}
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        conn.request(method, path, body=body, headers=headers)
        reply = conn.getresponse()
        data = reply.read()
        conn.close()
        if reply.status >= 300:
            raise RuntimeError(f"{method} {path}: {reply.status} {data[:300]}")
        return json.loads(data) if data[:1] == b"{" else data

    def put(self, name, data):
        """Returns the generation."""
        path = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={name}"
        return self.call("POST", path, data)["generation"]

    def get(self, name):
        return self.call("GET", f"/storage/v1/b/{BUCKET}/o/{name}?alt=media")


class Files:
    """The files of all combinations."""

    def __init__(self, folder):
        self.small = self.make(folder, "small", b"hello")
        self.large = self.make(folder, "large", os.urandom(9 * MIB))
        self.medium = os.urandom(3 * MIB)
        self.got = os.path.join(folder, "got")

    @staticmethod
    def make(folder, name, data):
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(data)
        return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def command(server, files, method, name, is_conditional):
    """What is to be there beforehand is made; returns the words after muster store."""
    url = f"gs://{BUCKET}/{name}"
    only = ["--if-generation-match", "0"] if is_conditional else []
    if method == "list":
        return ["ls", f"gs://{BUCKET}"]
    if method == "insert":
        return ["cp", *only, files.small, url]
    if method == "resumable":
        return ["cp", "--resumable", *only, files.large, url]
    generation = server.put(name, files.medium if method == "download" else b"hello")
    if method == "get":
        return ["stat", url]
    if method == "delete":
        return ["rm", *(["--if-generation-match", generation] if is_conditional else []), url]
    if method == "compose":
        return ["compose", *only, url, url, url + "-whole"]
    if os.path.exists(files.got):
        os.remove(files.got)
    return ["cp", url, files.got]


def has_effect(server, files, method, name):
    """After a success: is what was asked for there, to the byte?"""
    if method == "resumable":
        return server.get(name) == read(files.large)
    if method == "download":
        return read(files.got) == files.medium
    if method == "insert":
        return server.get(name) == b"hello"
    if method == "compose":
        return server.get(name + "-whole") == b"hellohello"
    if method == "delete":
        try:
            server.get(name)
        except RuntimeError as error:
            return ": 404 " in str(error)
        return False
    return True


def run(server, words, test_id):
    env = dict(os.environ, STORAGE_EMULATOR_HOST=server.url, MUSTER_RETRY_BASE_MS="10",
               MUSTER_EXTRA_HEADERS=f"x-retry-test-id: {test_id}")
    return subprocess.run([MUSTER, "store", *words], env=env, text=True, timeout=60,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def requests(server, is_ours):
    """The log since it was last cleared, without what this program asked."""
    if not is_ours:
        return None
    log = server.call("GET", "/_emulator/requests")["requests"]
    return [r for r in log if "x-retry-test-id" in [h.lower() for h in r["headers"]]]


def count_resumed(case, log):
    data = [r["body_bytes"] for r in log if r["method"] == "PUT" and r["body_bytes"]]
    ok(len(log) == RESUMED_REQUESTS[case], f"  in {len(log)} requests")
    ok(data == RESUMED_BYTES[case],
       f"  what is persisted is not sent again: {data}")


def count_ranged(case, log):
    statuses = [r["status"] for r in log]
    ok(statuses == RANGED_STATUSES[case], f"  only the rest is asked for: {statuses}")


def combination(server, files, scenario, case, failures, method, is_ours):
    number, _, _, is_conditional, succeeds = scenario
    rpc = f"storage.objects.{RPC.get(method, method)}"
    name = f"s{number}-{case}-{method}"
    words = command(server, files, method, name, is_conditional)
    test_id = server.call("POST", "/retry_test", {"instructions": {rpc: failures},
                                                  "transport": "HTTP"})["id"]
    if is_ours:
        server.call("DELETE", "/_emulator/requests")
    end = run(server, words, test_id)
    log = requests(server, is_ours)
    is_completed = server.call("GET", f"/retry_test/{test_id}")["completed"]
    server.call("DELETE", f"/retry_test/{test_id}")
    good = (end.returncode == 0) == succeeds and end.returncode >= 0 and is_completed is True
    if good and succeeds:
        good = has_effect(server, files, method, name)
    ok(good, f"scenario {number}, objects.{method}, {', '.join(failures)}: "
       f"{'succeeds' if succeeds else 'fails'}")
    if not good:
        print(f"# exit {end.returncode}, completed {is_completed}: {end.stderr.strip()}")
    elif log and number == 7:
        count_resumed(case, log)
    elif log and number == 8:
        count_ranged(case, log)
    return 1


def run_all(server, is_ours):
    combinations = 0
    server.call("POST", "/storage/v1/b?project=p", {"name": BUCKET})
    with tempfile.TemporaryDirectory() as folder:
        files = Files(folder)
        for scenario in SCENARIOS:
            for case, failures in enumerate(scenario[1]):
                for method in scenario[2]:
                    combinations += combination(server, files, scenario, case, failures,
                                                method, is_ours)
    ok(combinations == 47, f"{combinations} combinations")
    print(f"1..{count}")
    return 1 if failed else 0


def main():
    foreign = os.environ.get("CONFORMANCE_ENDPOINT")
    start = time.monotonic()
    if foreign:
        return run_all(Server(foreign.rstrip("/")), False)
    program = os.path.join(BUILD, "muster-emulator")
    with subprocess.Popen([program, "--port", "0"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as emulator:
        try:
            status = run_all(Server(emulator.stdout.readline().decode().strip()), True)
        finally:
            emulator.terminate()
    print(f"# {time.monotonic() - start:.1f} s")
    return status


sys.exit(main())
