#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""initrd.py INIT MODULES_DIR OUT MODULE...: the image's initial RAM disk.

An uncompressed cpio archive ("newc") of /init and the named kernel modules with what they
need. The list /modules is in the order of loading. Modules are unpacked here, so that the
kernel need not. The same input gives the same bytes.
"""
import lzma
import os
import sys


def module_name(path):
    return os.path.basename(path).split(".ko")[0].replace("-", "_")


def load_order(folder, wanted):
    """Paths below @folder, dependencies first; what is built in or absent is left out."""
    needs = {}
    with open(os.path.join(folder, "modules.dep")) as lines:
        for line in lines:
            path, _, deps = line.partition(":")
            needs[path] = deps.split()
    with open(os.path.join(folder, "modules.builtin")) as lines:
        built_in = {module_name(line.strip()) for line in lines}
    path_of = {module_name(path): path for path in needs}
    order = []
    for name in wanted:
        if name in built_in:
            continue
        if name not in path_of:
            sys.exit(f"initrd: the kernel has no module {name}")
        # modules.dep names the nearest first
        for path in reversed([path_of[name]] + needs[path_of[name]]):
            if path not in order:
                order.append(path)
    return order


class Cpio:
    def __init__(self):
        self.data = bytearray()
        self.inode = 0

    def add(self, name, mode, data=b"", device=(0, 0)):
        self.inode += 1
        fields = [self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0]
        self.data += b"070701" + b"".join(b"%08x" % f for f in fields)
        self.data += name.encode() + b"\0"
        self.pad(4)
        self.data += data
        self.pad(4)

    def pad(self, to):
        self.data += b"\0" * (-len(self.data) % to)


def main():
    init, folder, out, *wanted = sys.argv[1:]
    cpio = Cpio()
    cpio.add("dev", 0o40755)
    cpio.add("dev/console", 0o20600, device=(5, 1))
    with open(init, "rb") as f:
        cpio.add("init", 0o100755, f.read())
    cpio.add("m", 0o40755)
    names = []
    for path in load_order(folder, wanted):
        with open(os.path.join(folder, path), "rb") as f:
            data = f.read()
        if path.endswith(".xz"):
            data = lzma.decompress(data)
        names.append(f"m/{module_name(path)}.ko")
        cpio.add(names[-1], 0o100644, data)
    cpio.add("modules", 0o100644, "".join(f"/{n}\n" for n in names).encode())
    cpio.add("TRAILER!!!", 0)
    cpio.pad(512)
    with open(out, "wb") as f:
        f.write(cpio.data)


if __name__ == "__main__":
    main()
