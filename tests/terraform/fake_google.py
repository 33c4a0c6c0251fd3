# SPDX-License-Identifier: Apache-2.0
"""As much of Compute Engine's and Cloud Storage's control plane as terraform/gcp/fleet needs.

    fake_google.py FOLDER       prints its port

FOLDER/calls gets a line per changing request, FOLDER/<instance>.json what it was made of. POST /finish stops every machine, as one that
powers itself off does.
"""
import http.server
import json
import re
import sys
import threading

folder = sys.argv[1]
lock = threading.Lock()
instances, disks, policies = {}, {}, {}
numbers = iter(range(1000, 10**6))


def operation(zone, target):
    return {"kind": "compute#operation", "name": "op-%d" % next(numbers), "status": "DONE",
            "progress": 100, "zone": zone, "targetLink": target}


def insert(base, zone, body):
    name, number = body["name"], next(numbers)
    with open(folder + "/" + name + ".json", "w") as f:
        json.dump(body, f)
    link = base + "/zones/%s" % zone
    for i, disk in enumerate(body["disks"]):
        given = disk.pop("initializeParams", {})
        disk.update(kind="compute#attachedDisk", index=i, mode="READ_WRITE")
        if disk.get("type") != "SCRATCH":
            disk["source"] = link + "/disks/" + name
            disks[zone, name] = {
                "name": name, "sizeGb": str(given["diskSizeGb"]), "type": given["diskType"],
                "sourceImage": given["sourceImage"], "labels": given.get("labels", {}),
                "architecture": given.get("architecture"), "selfLink": disk["source"]}
    for n in body["networkInterfaces"]:
        n.update(name="nic0", networkIP="10.64.0.%d" % (number % 250), stackType="IPV4_ONLY",
                 network=base + "/global/networks/n")
    scheduling = body["scheduling"]
    scheduling.pop("nodeAffinities", None)
    for duration in filter(None, [scheduling.get("maxRunDuration")]):
        duration["seconds"] = str(duration["seconds"])  # 64 bits are text here
    body["metadata"].update(kind="compute#metadata", fingerprint="f")
    body.update(kind="compute#instance", id=str(number), status="RUNNING", zone=link,
                selfLink=link + "/instances/" + name, labelFingerprint="f", fingerprint="f",
                cpuPlatform="none", creationTimestamp="2026-01-01T00:00:00Z")
    instances[zone, name] = body
    return operation(zone, body["selfLink"])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, body, code=200):
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def missing(self):
        self.reply({"error": {"code": 404, "message": "not found: " + self.path}}, 404)

    def route(self):
        path = self.path.split("?")[0]
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        changes = self.command != "GET" and not path.endswith("/wait")
        base = "http://%s/compute/v1/projects/proj" % self.headers["Host"]
        if changes:
            with open(folder + "/calls", "a") as f:
                f.write("%s %s\n" % (self.command, path))
        if path == "/finish":
            for instance in instances.values():
                instance["status"] = "TERMINATED"
            return self.reply({})
        if m := re.fullmatch(r"/storage/v1/b/([^/]+)/iam", path):
            if changes:
                policies[m[1]] = dict(body, etag="CAE=")
            return self.reply(policies.get(m[1], {"etag": "CAE=", "version": 1}))
        if m := re.fullmatch(r"/compute/v1/projects/([^/]+)/global/images/(?:family/)?([^/]+)", path):
            return self.reply({"name": m[2], "selfLink": "http://%s%s" % (self.headers["Host"], path)})
        if m := re.fullmatch(r"/compute/v1/projects/proj/zones/([^/]+)(?:/(\w+)(?:/([^/]+)(?:/(\w+))?)?)?", path):
            return self.zonal(base, body, *m.groups())
        self.missing()

    def zonal(self, base, body, zone, kind, name, verb):
        key = zone, name
        if kind is None:
            return self.reply({"name": zone, "selfLink": base + "/zones/" + zone})
        if kind == "operations":
            return self.reply(dict(operation(zone, ""), name=name))
        if kind == "instances" and self.command == "POST" and name is None:
            return self.reply(insert(base, zone, body))
        table = {"instances": instances, "disks": disks}.get(kind)
        if table is None or key not in table:
            return self.missing()
        if self.command == "GET":
            return self.reply(table[key])
        if self.command == "DELETE":
            del table[key]
        elif verb == "start":
            table[key]["status"] = "RUNNING"
        elif verb not in ("setLabels", "setMetadata"):
            return self.missing()
        return self.reply(operation(zone, ""))

    def handle_all(self):
        with lock:
            self.route()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_all

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
