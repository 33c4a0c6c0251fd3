#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# pack.sh WORK: WORK/disk.raw becomes WORK/disk.tar.gz, the form Google Cloud imports (one
# sparse member named disk.raw, old GNU format), and WORK/manifest.json says what is in it.
set -euo pipefail
work=$1
files=(disk.raw vmlinuz initrd)

if [[ ${PACK:-1} == 1 ]]; then
	# holes by content: what the file system here has as holes differs from one to the next
	tar --hole-detection=raw --format=oldgnu --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 \
		--numeric-owner --mode=0644 -C "$work" -Scf - disk.raw | gzip -n -6 >"$work/disk.tar.gz"
	files+=(disk.tar.gz)
fi

fio_version=$(chroot "$work/root" fio --version)

(cd "$work" && sha256sum "${files[@]}" && stat -c '%s %n' "${files[@]}") >"$work/sums"
FIO_VERSION=$fio_version python3 - "$work" <<'END'
import json, os, sys
work = sys.argv[1]
sums, sizes, packages = {}, {}, []
with open(f"{work}/sums") as lines:
    for line in lines:
        value, name = line.split()
        (sums if len(value) == 64 else sizes)[name] = value
with open(f"{work}/packages.tsv") as lines:
    for line in lines:
        name, version, kib, because = line.rstrip("\n").split("\t")
        packages.append({"name": name, "version": version, "installed_bytes": int(kib) * 1024,
                         "because_of": because})
manifest = {
    "schema": "muster/image/1",
    "build_id": sums["disk.raw"][:24],
    "arch": os.uname().machine,
    "lean": os.environ["LEAN"] == "1",
    "kernel": os.listdir(f"{work}/root/usr/lib/modules")[0],
    "fio_version": os.environ["FIO_VERSION"],
    "files": {n: {"bytes": int(sizes[n]), "sha256": sums[n]} for n in sums},
    "packages": packages,
}
with open(f"{work}/manifest.json", "w") as f:
    json.dump(manifest, f, indent=1)
    f.write("\n")
END
