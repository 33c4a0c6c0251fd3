#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""account.py WANTED INSTALLED: accounts for every package of the image.

Prints "name version installed-KiB because-of" with tabs between. because-of is "wanted",
"base" (Essential or required: in every Debian), or the package that depends on it, on the
shortest way from a wanted one. A package that nothing accounts for is an error.
"""
import re
import sys


def names(field):
    """The packages named in a dependency field, alternatives and all."""
    return re.findall(r"(?:^|[,|])\s*([a-z0-9][a-z0-9+.-]+)", field)


def read(path):
    packages = {}
    with open(path) as lines:
        for line in lines:
            name, version, kib, essential, priority, provides, depends = line.rstrip("\n").split("\t")
            packages[name] = {
                "version": version,
                "kib": kib,
                "is_base": essential == "yes" or priority == "required" or name == "apt",
                "provides": names(provides),
                "depends": names(depends),
            }
    return packages


def reasons(wanted, packages):
    providers = {}
    for name, package in packages.items():
        for provided in [name, *package["provides"]]:
            providers.setdefault(provided, []).append(name)
    why = {name: "wanted" for name in wanted}
    why.update({n: "base" for n, p in packages.items() if p["is_base"] and n not in why})
    queue = list(why)
    for name in queue:
        for dependency in packages[name]["depends"]:
            for provider in providers.get(dependency, []):
                if provider not in why:
                    why[provider] = name
                    queue.append(provider)
    return why


def main():
    with open(sys.argv[1]) as lines:
        wanted = lines.read().split()
    packages = read(sys.argv[2])
    absent = [name for name in wanted if name not in packages]
    if absent:
        sys.exit(f"image: not installed: {' '.join(absent)}")
    why = reasons(wanted, packages)
    stray = sorted(set(packages) - set(why))
    if stray:
        sys.exit(f"image: nothing needs: {' '.join(stray)}")
    for name in sorted(packages):
        package = packages[name]
        print(name, package["version"], package["kib"], why[name], sep="\t")


if __name__ == "__main__":
    main()
