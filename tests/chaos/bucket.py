# SPDX-License-Identifier: Apache-2.0
"""The emulated bucket as evidence: its objects, and the log of every request made to it.

Each process of a run sends a header "X-Chaos-<its tag>" (MUSTER_EXTRA_HEADERS); the log has
the header's name, so that it says who wrote which generation of what. Generations are
given by one counter: they order all writes, whatever they wrote.
"""
import http.client
import json
import urllib.parse
from dataclasses import dataclass

TAG = "x-chaos-"
# what a look at a bucket full of faults may end with
FAULTY = (OSError, RuntimeError, ValueError, http.client.HTTPException)


class Client:
    """The few calls that a look at the bucket takes."""

    def __init__(self, url):
        self.host = url.split("://")[-1]

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.host, timeout=10)
        try:
            connection.request(method, path, body)
            reply = connection.getresponse()
            data = reply.read()
        finally:
            connection.close()
        if reply.status >= 300:
            raise RuntimeError(f"{method} {path}: {reply.status} {data[:200]!r}")
        return data

    def json(self, method, path, body=None):
        return json.loads(self.call(method, path, body and json.dumps(body)) or b"null")

    def set_faults(self, seed, rules):
        """Replaces the rules; returns how often each kind struck until now."""
        struck = {}
        for rule in self.json("GET", "/_emulator/faults")["rules"]:
            struck[rule["kind"]] = struck.get(rule["kind"], 0) + rule["struck"]
        self.json("POST", "/_emulator/faults", {"seed": seed, "rules": rules})
        return struck

    def metadata(self, bucket, prefix=""):
        found, token = [], ""
        while True:
            page = self.json("GET", f"/storage/v1/b/{bucket}/o?prefix={prefix}{token}")
            found += page.get("items", [])
            if "nextPageToken" not in page:
                return found
            token = "&pageToken=" + urllib.parse.quote(page["nextPageToken"])

    def content(self, bucket, name):
        quoted = urllib.parse.quote(name, safe="")
        return self.call("GET", f"/storage/v1/b/{bucket}/o/{quoted}?alt=media")

    def requests(self):
        log = self.json("GET", "/_emulator/requests")
        if log["dropped"]:
            raise RuntimeError("the request log has lost its beginning")
        return log["requests"]


@dataclass
class Object:
    name: str  # below the run
    generation: int
    metadata: dict
    resource: dict
    content: bytes

    def document(self):
        """As JSON; None when it is none."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None


@dataclass
class Write:
    """A write that landed, whatever its writer was told."""
    generation: int
    name: str  # below the run
    tag: str


def snapshot(client, bucket, run):
    """Every object below the run, and the names of those that are not below it."""
    objects, strangers = {}, []
    for resource in client.metadata(bucket):
        name = resource["name"]
        if not name.startswith(run + "/"):
            strangers.append(name)
            continue
        objects[name[len(run) + 1:]] = Object(
            name[len(run) + 1:], int(resource["generation"]), resource.get("metadata", {}),
            resource, client.content(bucket, name))
    return objects, strangers


def contents(client, bucket, run, folder):
    """What the objects of one of the run's folders say, by their name below the run."""
    names = [r["name"] for r in client.metadata(bucket, f"{run}/{folder}")]
    return {name[len(run) + 1:]: client.content(bucket, name) for name in names}


def tag_of(request):
    for header in request["headers"]:
        if header.lower().startswith(TAG):
            return header[len(TAG):].lower()
    return ""


def query_of(request):
    return dict(urllib.parse.parse_qsl(request["query"], keep_blank_values=True))


def is_write(request):
    return request["method"] in ("POST", "DELETE", "PATCH", "PUT")


def writes(requests, run, objects):
    """The writes that landed below the run, in the order in which they did. What a session
    wrote has its name from the object: nothing that goes in one is ever replaced."""
    found = []
    by_generation = {obj.generation: f"{run}/{name}" for name, obj in objects.items()}
    for request in requests:
        name = query_of(request).get("name", "")
        if "upload_id" in query_of(request):
            name = by_generation.get(request["generation"], "?")
        if not is_write(request) or not request["generation"]:
            continue
        if name.startswith(run + "/"):
            found.append(Write(request["generation"], name[len(run) + 1:], tag_of(request)))
    return sorted(found, key=lambda w: w.generation)
