# SPDX-License-Identifier: Apache-2.0
"""The metadata server, and the instances it answers for."""

import http.client
import json
import subprocess
import threading
import time

from harness import PROGRAM, Emulator, Reply, ok, same

INSTANCES = "/_emulator/instances"
V1 = "/computeMetadata/v1/"
GOOGLE = {"Metadata-Flavor": "Google"}
FIRST, SECOND, STRANGER = "127.0.7.1", "127.0.7.2", "127.0.7.9"


def connect(emu, source=FIRST):
    host, port = emu.metadata.rsplit(":", 1)
    return http.client.HTTPConnection(host, int(port), timeout=60, source_address=(source, 0))


def ask(emu, path, source=FIRST, headers=GOOGLE, method="GET", conn=None):
    own = conn or connect(emu, source)
    own.request(method, path if path.startswith("/") else V1 + path, headers=headers)
    reply = own.getresponse()
    result = Reply(reply.status, reply.headers, reply.read())
    if not conn:
        own.close()
    return result


def text(*args, **kwargs):
    reply = ask(*args, **kwargs)
    return reply.body.decode() if reply.status == 200 else reply.status


def put(emu, name, **doc):
    return emu.call("PUT", f"{INSTANCES}/{name}", doc)


def command_line():
    with Emulator("--metadata-port", "0", "--metadata-listen", "127.0.0.2") as emu:
        ok(emu.url.startswith("http://127.0.0.1:"), "the URL is the first line on stdout")
        ok(emu.metadata.startswith("127.0.0.2:"), f"the second: metadata {emu.metadata}")
        same(text(emu, "/"), "computeMetadata/\n", "it answers there")
        reply = subprocess.run([PROGRAM, "--metadata-port", emu.metadata.rsplit(":", 1)[1],
                                "--metadata-listen", "127.0.0.2"], capture_output=True,
                               text=True, timeout=20, check=False)
        ok(reply.returncode == 1 and "listen" in reply.stderr and not reply.stdout,
           "a metadata port in use: exit 1, nothing on stdout")
    for args in (["--metadata-port", "x"], ["--metadata-port", "65536"],
                 ["--metadata-listen", "127.0.0.1"]):
        reply = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=20,
                               check=False)
        ok(reply.returncode == 2 and "--metadata-port" in reply.stderr and not reply.stdout,
           f"{' '.join(args)}: exit 2, {reply.stderr.strip()}")
    with Emulator() as emu:
        emu.stop()
        same(emu.rest, b"", "without the option the URL is the only line")


def manners(emu):
    """What every reply has, and who gets none of the values."""
    replies = [ask(emu, "/", headers={}), ask(emu, "instance/name", headers={}),
               ask(emu, "instance/name"), ask(emu, "none"), ask(emu, "?recursive=true"),
               ask(emu, "instance/name", headers={**GOOGLE, "X-Forwarded-For": "1.1.1.1"}),
               ask(emu, "instance/name", STRANGER), ask(emu, "", method="POST"),
               ask(emu, "/computeMetadata/v1beta/"), ask(emu, "", headers={"Metadata-Flavor": "x"})]
    same([r.status for r in replies], [200, 403, 200, 404, 200, 403, 404, 405, 404, 403],
         "statuses")
    ok(all(r.headers["Metadata-Flavor"] == "Google" and r.headers["ETag"] and
           r.headers["Server"] == "Metadata Server for VM" for r in replies),
       "each reply has Metadata-Flavor, Server and ETag")
    same({r.headers["Content-Type"] for r in replies}, {"application/text", "application/json"},
         "content types")
    ok(STRANGER in replies[6].body.decode(), f"a stranger is told: {replies[6].body.decode()}")
    same(ask(emu, "instance/name", method="HEAD").body, b"", "HEAD")
    conn = connect(emu)
    start = time.monotonic()
    for _ in range(50):
        ask(emu, "instance/name", conn=conn)
    ok(time.monotonic() - start < 1.5, "no delay between requests of one connection")


def values(emu):
    same(text(emu, "/computeMetadata/"), "v1/\n", "above the values")
    same(text(emu, "/computeMetadata/v1"), "instance/\nproject/\nuniverse/\n", "root, no slash")
    same(text(emu, "instance"), text(emu, "instance/"), "a directory without its slash")
    ok({"attributes/", "machine-type", "network-interfaces/", "service-accounts/"} <=
       set(text(emu, "instance/").split("\n")), "a listing, / after directories")
    same(text(emu, "instance/zone"), "projects/1/zones/us-central1-a", "zone")
    same(text(emu, "instance/machine-type"), "projects/1/machineTypes/n2-standard-8",
         "machine type")
    same([text(emu, f"instance/{k}", s) for s in (FIRST, SECOND)
          for k in ("image", "cpu-platform")], ["img", "CPU", 404, 404],
         "image and CPU: 404 unless given")
    same(text(emu, "instance/attributes/user-data"), "#cloud-config\n\u00e4\n", "an attribute")
    same(text(emu, "instance/attributes/user-data?alt=json"), '"#cloud-config\\n\u00e4\\n"',
         "... as JSON")
    same(text(emu, "instance/attributes/none"), 404, "an attribute that is not there")
    same(ask(emu, "instance/attributes/?recursive=True").json,
         {"user-data": "#cloud-config\n\u00e4\n", "my-key": "v"}, "attributes keep their keys")
    same(ask(emu, "project/attributes/?recursive=TRUE").json, {}, "project/attributes")
    tree = ask(emu, "?recursive=true").json
    same((tree["instance"]["machineType"], tree["instance"]["id"], tree["project"]["projectId"],
          tree["universe"]["universeDomain"]),
         ("projects/1/machineTypes/n2-standard-8", 42, "proj", "googleapis.com"),
         "all of it as JSON, in camelCase")
    same(tree["instance"]["networkInterfaces"][0]["ip"], FIRST, "the address of the interface")
    same(text(emu, "instance/network-interfaces/0/mtu"), "1460", "MTU")
    account = "instance/service-accounts/default/"
    token = ask(emu, account + "token").json
    ok(token["access_token"].startswith("emulated-") and token["token_type"] == "Bearer" and
       token["expires_in"] == 3599, "a token")
    ok("token" in text(emu, account).split("\n") and
       "token" not in ask(emu, account + "?recursive=true").json,
       "the account lists its token, and leaves it out of the JSON")


def two_machines(emu):
    same([text(emu, "instance/name", s) for s in (FIRST, SECOND, STRANGER)],
         ["vm-1", "vm-2", 404], "the address tells which instance asks")
    same(put(emu, "rest").status, 201, "an instance without an address")
    same([text(emu, "instance/name", s) for s in (FIRST, SECOND, STRANGER)],
         ["vm-1", "vm-2", "rest"], "... is whoever matches no other")
    same([put(emu, "other").status, put(emu, "other", address=SECOND).status], [409, 409],
         "an address, or none, belongs to one instance")
    same([i["name"] for i in emu.call("GET", INSTANCES).json["instances"]],
         ["vm-1", "vm-2", "rest"], "the list")
    same([emu.call("DELETE", f"{INSTANCES}/rest").status for _ in range(2)], [204, 404],
         "deleted")
    same(text(emu, "instance/name", STRANGER), 404, "... and gone")


def documents(emu):
    for doc, word in [({"colour": 1}, "colour"), ({"address": "here"}, "address"),
                      ({"id": "x"}, "id"), ({"zone": 1}, "zone"),
                      ({"attributes": {"k": 1}}, "attributes.k"),
                      ({"attributes": {"a b": "c"}}, "attributes.a b")]:
        reply = put(emu, "bad", **doc)
        ok(reply.status == 400 and word in reply.json["error"]["message"],
           f"{json.dumps(doc)}: {reply.json['error']['message']}")
    for body in (b"[]", b"{", b'{"zone":"a","zone":"b"}'):
        same(emu.call("PUT", f"{INSTANCES}/bad", body).status, 400, f"{body}: 400")
    same(put(emu, "Bad").status, 400, "a name that is no label")
    same(emu.call("POST", f"{INSTANCES}/none/preempt").status, 404, "preempt: 404")
    same(emu.call("POST", f"{INSTANCES}/vm-1").status, 405, "POST to an instance: 405")
    first = text(emu, "instance/id", SECOND)
    ok(len(first) == 19 and first.isdigit(), f"an id is drawn: {first}")
    emu.call("POST", f"{INSTANCES}/vm-2/preempt")
    same(text(emu, "instance/preempted", SECOND), "TRUE", "preempted")
    reply = put(emu, "vm-2", address=SECOND, attributes={"k": "new"})
    same((reply.status, reply.json["id"], reply.json["preempted"]), (200, first, False),
         "put again: its id stays, preempted does not")
    same([text(emu, f"instance/{k}", SECOND) for k in ("id", "preempted", "attributes/k")],
         [first, "FALSE", "new"], "... and so says the metadata")
    same(put(emu, "vm-2", address=SECOND, id="77").json["id"], "77", "an id in digits")


class Waiter(threading.Thread):
    """One request in a thread; result and seconds once it has ended."""

    def __init__(self, *args):
        super().__init__()
        self.args, self.result, self.seconds = args, None, None
        self.start()

    def run(self):
        start = time.monotonic()
        try:
            self.result = ask(*self.args)
        except (http.client.HTTPException, OSError) as error:
            self.result = error
        self.seconds = time.monotonic() - start


def waiting(emu):
    path = "instance/preempted?wait_for_change=true"
    etag = ask(emu, "instance/preempted").headers["ETag"]
    reply = ask(emu, f"{path}&last_etag=0")
    same((reply.body, reply.headers["ETag"]), (b"FALSE", etag), "another etag: at once")
    start = time.monotonic()
    same(text(emu, f"{path}&timeout_sec=1&last_etag={etag}"), "FALSE", "the value at the timeout")
    ok(0.9 < time.monotonic() - start < 10, "... not before")
    same(text(emu, f"{path}&timeout_sec=x"), 400, "a timeout that is no number")
    same(text(emu, "instance/attributes/none?wait_for_change=true"), 404, "nothing to wait for")
    waiters = [Waiter(emu, path), Waiter(emu, f"{path}&last_etag={etag}&timeout_sec=60"),
               Waiter(emu, "instance/?recursive=true&wait_for_change=TRUE"),
               Waiter(emu, f"{path}&timeout_sec=2", SECOND)]
    time.sleep(0.5)
    same(text(emu, "instance/name"), "vm-1", "others are answered meanwhile")
    ok(all(w.is_alive() for w in waiters), "... while four wait")
    emu.call("POST", f"{INSTANCES}/vm-1/preempt")
    for waiter in waiters:
        waiter.join()
    same([w.result.body for w in waiters[:2]], [b"TRUE", b"TRUE"], "woken by preempt")
    same(waiters[2].result.json["preempted"], "TRUE", "... also who watches all values")
    ok(all(w.seconds < 1.5 for w in waiters[:3]), "... at once")
    ok(waiters[3].result.body == b"FALSE" and waiters[3].seconds > 1.9,
       "another instance's waiter is not")
    gone = Waiter(emu, "instance/attributes/my-key?wait_for_change=true")
    time.sleep(0.2)
    emu.call("DELETE", f"{INSTANCES}/vm-1")
    gone.join()
    same(gone.result.status, 404, "the instance is deleted: 404")


def stop_while_waiting(emu):
    waiter = Waiter(emu, "instance/name?wait_for_change=true", SECOND)
    left = connect(emu, SECOND)
    left.request("GET", V1 + "instance/name?wait_for_change=true", headers=GOOGLE)
    time.sleep(0.3)
    left.close()
    start = time.monotonic()
    same(emu.stop(), 0, "stopped while a client waits")
    waiter.join()
    ok(time.monotonic() - start < 5 and not isinstance(waiter.result, Reply),
       f"... at once, without a reply: {waiter.result!r}")


def run():
    command_line()
    with Emulator("--metadata-port", "0") as emu:
        same(text(emu, "instance/name"), 404, "no instances at the start")
        same(put(emu, "vm-1", address=FIRST, id=42, zone="us-central1-a", image="img",
                 machine_type="n2-standard-8", cpu_platform="CPU", project="proj",
                 attributes={"user-data": "#cloud-config\n\u00e4\n", "my-key": "v"}).status,
             201, "an instance is created")
        same(put(emu, "vm-2", address=SECOND).status, 201, "another, all by default")
        before = emu.log_since()
        manners(emu)
        values(emu)
        two_machines(emu)
        documents(emu)
        waiting(emu)
        same(emu.log_since(), before, "nothing of it is in the request log")
        stop_while_waiting(emu)
