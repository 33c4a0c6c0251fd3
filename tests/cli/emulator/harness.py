# SPDX-License-Identifier: Apache-2.0
"""Starting an emulator, talking HTTP to it, and writing TAP."""

import base64
import hashlib
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import urllib.parse

PROGRAM = os.path.join(os.environ.get("BUILD", "build"), "muster-emulator")
UNIT = 256 * 1024

_count = 0
_failed = 0


def ok(good, text):
    global _count, _failed
    _count += 1
    _failed += not good
    print(f"{'' if good else 'not '}ok {_count} - {text}".replace("\n", " "), flush=True)
    return good


def same(got, want, text):
    if not ok(got == want, text):
        print(f"#  got {got!r}\n# want {want!r}", flush=True)


def done():
    print(f"1..{_count}")
    return 1 if _failed else 0


def quote(text):
    return urllib.parse.quote(text, safe="")


def crc32c(data):
    """Bit by bit, independent of the product; base64 of the big-endian value."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return base64.b64encode((crc ^ 0xFFFFFFFF).to_bytes(4, "big")).decode()


def md5(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def reason(self):
        return self.json["error"]["errors"][0]["reason"]


class Emulator:
    """One process; a context manager that ends it with SIGTERM."""

    def __init__(self, *args, bucket="bkt"):
        args = list(args) + (["--bucket", bucket] if bucket else [])
        self.bucket = bucket
        self.is_stopped = False
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([PROGRAM, *args], stdout=subprocess.PIPE,
                                        stderr=self.log)
        ready, _, _ = select.select([self.process.stdout], [], [], 20)
        self.url = self.process.stdout.readline().decode().strip() if ready else ""
        if not self.url:
            raise RuntimeError(f"the emulator did not start: {self.errors()}")
        parts = urllib.parse.urlsplit(self.url)
        self.host, self.port = parts.hostname, parts.port
        self.metadata = ""
        if "--metadata-port" in args:
            line = self.process.stdout.readline().decode().strip()
            self.metadata = line.removeprefix("metadata ")
        self.rest = b""  # of what it printed

    def errors(self):
        self.log.seek(0)
        return self.log.read().decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.is_stopped:
            return
        status = self.process.poll()
        status = self.stop() if status is None else f"{status}, before it was told to"
        if status != 0 or "ERROR" in self.errors() or "WARNING" in self.errors():
            ok(False, f"the emulator ended with {status}")
            print("# " + self.errors()[:20000].replace("\n", "\n# "))

    def stop(self, how=signal.SIGTERM):
        self.is_stopped = True
        self.process.send_signal(how)
        self.rest = self.process.stdout.read()
        self.process.stdout.close()
        return self.process.wait(60)

    def connect(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=60)

    def call(self, method, path, body=None, headers=None, conn=None):
        """One request; @body may be bytes or a JSON value."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        own = conn or self.connect()
        own.request(method, path, body=body, headers=headers)
        reply = own.getresponse()
        result = Reply(reply.status, reply.headers, reply.read())
        if not conn:
            own.close()
        return result

    # The calls of the JSON API that tests use most.

    def o(self, name=None, query="", bucket=None):
        path = f"/storage/v1/b/{bucket or self.bucket}/o"
        if name is not None:
            path += "/" + quote(name)
        return path + ("?" + query if query else "")

    def up(self, kind, name, query="", bucket=None):
        path = f"/upload/storage/v1/b/{bucket or self.bucket}/o?uploadType={kind}"
        return path + f"&name={quote(name)}" + ("&" + query if query else "")

    def media(self, name, data=b"x", query="", headers=None):
        headers = {"Content-Type": "text/plain", **(headers or {})}
        return self.call("POST", self.up("media", name, query), data, headers)

    def multipart(self, name, data=b"x", query="", resource=None, eol=b"\r\n"):
        body = eol.join([b"--frontier", b"Content-Type: application/json", b"",
                         json.dumps(resource or {}).encode(), b"--frontier",
                         b"Content-Type: text/plain", b"", data, b"--frontier--", b""])
        return self.call("POST", self.up("multipart", name, query), body,
                         {"Content-Type": "multipart/related; boundary=frontier"})

    def initiate(self, name, query="", resource=None, headers=None):
        return self.call("POST", self.up("resumable", name, query), resource or {}, headers)

    def session(self, name, query="", resource=None, headers=None):
        reply = self.initiate(name, query, resource, headers)
        parts = urllib.parse.urlsplit(reply.headers["Location"])
        return f"{parts.path}?{parts.query}"

    def chunk(self, session, data, content_range, method="PUT", headers=None):
        headers = {"Content-Range": f"bytes {content_range}", **(headers or {})}
        return self.call(method, session, data, headers)

    def resumable(self, name, data=b"x", query=""):
        reply = self.initiate(name, query)
        if reply.status != 200:
            return reply
        parts = urllib.parse.urlsplit(reply.headers["Location"])
        span = f"0-{len(data) - 1}" if data else "*"
        return self.chunk(f"{parts.path}?{parts.query}", data, f"{span}/{len(data)}")

    def get(self, name):
        return self.call("GET", self.o(name, "alt=media"))

    def names(self):
        return [i["name"] for i in self.call("GET", self.o()).json.get("items", [])]

    def clear(self):
        for name in self.names():
            self.call("DELETE", self.o(name))

    def log_since(self, since=None):
        """The request log from number @since on; without it, the next number."""
        log = self.call("GET", f"/_emulator/requests?since={since or 0}"
                               f"&limit={100000 if since is not None else 0}").json
        return log["total"] if since is None else log["requests"]

    def raw(self, data, shut=True):
        """Send bytes as they are, then break the connection off."""
        sock = socket.create_connection((self.host, self.port), timeout=30)
        sock.sendall(data)
        if shut:
            sock.close()
        return sock
