# SPDX-License-Identifier: Apache-2.0
"""Preconditions: every call, every condition, live and missing objects."""

from harness import Emulator, same

KINDS = ["GenerationMatch", "GenerationNotMatch", "MetagenerationMatch",
         "MetagenerationNotMatch"]


def expect(kind, value, generation, metageneration):
    """200 (holds), 304 or 412; generation 0 = no object."""
    have = metageneration if kind.startswith("Meta") else generation
    if generation == 0:
        return 200 if kind == "GenerationMatch" and value == 0 else 412
    if kind.endswith("NotMatch"):
        return 304 if value == have else 200
    return 200 if value == have else 412


def creators(emu):
    """Calls that create or overwrite "t"; conditions are about "t"."""
    sources = {"sourceObjects": [{"name": "src"}]}
    return {
        "media": lambda q: emu.media("t", query=q).status,
        "multipart": lambda q: emu.multipart("t", query=q).status,
        "resumable": lambda q: emu.initiate("t", q).status,
        "compose": lambda q: emu.call("POST", emu.o("t") + "/compose?" + q, sources).status,
        "copy": lambda q: emu.call("POST", emu.o("src") + "/copyTo/b/bkt/o/t?" + q).status,
        "rewrite": lambda q: emu.call("POST", emu.o("src") + "/rewriteTo/b/bkt/o/t?" + q).status,
        "move": lambda q: emu.call("POST", emu.o("src") + "/moveTo/o/t?" + q).status,
    }


def users(emu):
    """Calls about an existing "t"."""
    return {
        "get": lambda q: emu.call("GET", emu.o("t", q)).status,
        "download": lambda q: emu.call("GET", emu.o("t", "alt=media&" + q)).status,
        "patch": lambda q: emu.call("PATCH", emu.o("t", q), {}).status,
        "update": lambda q: emu.call("PUT", emu.o("t", q), {}).status,
        "delete": lambda q: emu.call("DELETE", emu.o("t", q)).status,
    }


def copiers(emu):
    """Calls with conditions about their source "t"."""
    return {
        "copy": lambda q: emu.call("POST", emu.o("t") + "/copyTo/b/bkt/o/d?" + q).status,
        "rewrite": lambda q: emu.call("POST", emu.o("t") + "/rewriteTo/b/bkt/o/d?" + q).status,
        "move": lambda q: emu.call("POST", emu.o("t") + "/moveTo/o/d?" + q).status,
    }


def prepare(emu, exists):
    """"t" with metageneration 2, or no "t"; returns its numbers."""
    emu.clear()
    emu.media("src")
    if not exists:
        return 0, 0
    emu.media("t")
    meta = emu.call("PATCH", emu.o("t"), {}).json
    return int(meta["generation"]), int(meta["metageneration"])


def table(emu, calls, exists, prefix):
    for name, call in calls.items():
        wrong = []
        for kind in KINDS:
            for which in ("zero", "right", "wrong"):
                generation, metageneration = prepare(emu, exists)
                have = metageneration if kind.startswith("Meta") else generation
                value = {"zero": 0, "right": have or 7, "wrong": 12345}[which]
                before = emu.names()
                status = call(f"{prefix}{kind}={value}")
                want = expect(kind, value, generation, metageneration)
                # 204 is a success too; a refused call must have changed nothing
                got = 200 if status == 204 else status
                if got != want or (want != 200 and emu.names() != before):
                    wrong.append((kind, value, status, want))
        same(wrong, [], f"{name}: {prefix}* on {'a live' if exists else 'no'} object")


def finalisation(emu):
    """A condition that held at the start of an upload is asked again at its end."""
    emu.clear()
    session = emu.session("f", "ifGenerationMatch=0")
    emu.media("f", b"first")
    reply = emu.chunk(session, b"late", "0-3/4")
    same((reply.status, reply.reason), (412, "conditionNotMet"), "412 on the last chunk")
    same(emu.get("f").body, b"first", "... the other writer's object stays")
    same(emu.chunk(session, b"", "*/4").status, 412, "... and the answer stays")
    generation = emu.call("GET", emu.o("f")).json["generation"]
    session = emu.session("f", f"ifGenerationMatch={generation}")
    same(emu.chunk(session, b"late", "0-3/4").status, 200, "a condition that still holds")


def run():
    with Emulator() as emu:
        for exists in (False, True):
            table(emu, creators(emu), exists, "if")
        table(emu, users(emu), True, "if")
        table(emu, copiers(emu), True, "ifSource")
        emu.clear()
        for name, call in users(emu).items():
            same(call("ifGenerationMatch=5"), 404, f"{name} of no object: 404 at any condition")
        same(emu.media("x", query="ifGenerationMatch=x").status, 400, "not a number: 400")
        same(emu.call("GET", "/storage/v1/b/bkt?ifMetagenerationMatch=2").status, 412,
             "bucket get has ifMetagenerationMatch")
        finalisation(emu)
