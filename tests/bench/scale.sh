#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The coordinator and a run of 10,000 workers: list calls and time of status, time and
# memory of collect beside curl fetching the same objects, in turns. Prints, never judges.
#
# scale.sh [WORKERS] [ROUNDS] [FILES-PER-STEP]; TMPDIR must have room (300 MB a round).
set -u
workers=${1:-10000} rounds=${2:-3} files=${3:-1}
BUILD=$(realpath "${BUILD:-build}")
dir=$(mktemp -d "${TMPDIR:-/tmp}/muster-scale.XXXXXX")
"$BUILD/muster-emulator" --port 0 --bucket ctl >"$dir/url" 2>"$dir/emulator.log" &
emulator=$!
trap 'kill $emulator 2>/dev/null; wait 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
until [ -s "$dir/url" ]; do sleep 0.02; done
STORAGE_EMULATOR_HOST=$(head -n 1 "$dir/url")
export STORAGE_EMULATOR_HOST PYTHONPATH=tests/cli PYTHONDONTWRITEBYTECODE=1
unset GOOGLE_APPLICATION_CREDENTIALS

# timed NAME COMMAND...: seconds, processor seconds and peak RSS into $dir/NAME
timed() {
	local name=$1
	shift
	/usr/bin/time -q -a -o "$dir/$name" -f "%e %U %S %M" "$@" >/dev/null 2>"$dir/err" </dev/null
}
requests() { # those since the last call: all, and LISTs
	curl -s "$STORAGE_EMULATOR_HOST/_emulator/requests" | python3 -c '
import json, sys
paths = [r["path"] for r in json.load(sys.stdin)["requests"]]
print(len(paths), sum(p.endswith("/b/ctl/o") for p in paths))'
	curl -s -X DELETE "$STORAGE_EMULATOR_HOST/_emulator/requests"
}
median() { sort -n "$dir/$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
peak() { awk '$4 > m { m = $4 } END { print m }' "$dir/$1"; }
cpu() { awk '{ s += $2 + $3 } END { printf "%.1f", s / NR }' "$dir/$1"; }

python3 tests/bench/scale_run.py big "$workers" 4 "$files" "$dir/urls" || exit 1
echo "run: $workers workers, $((workers * 4)) steps, $(grep -c '^url' "$dir/urls") objects; load $(cut -d' ' -f1-3 /proc/loadavg)"

requests >/dev/null
timed status "$BUILD/muster" status gs://ctl/big
echo "status of a run that is over: $(median status) s, $(peak status) KiB; requests, LISTs of them: $(requests)"
python3 - "$workers" <<'PY'
import sys
sys.path.insert(0, "tests/bench")
from scale_run import *
r = Run("big", workers=int(sys.argv[1]), tests=10, arms=4, iterations=int(sys.argv[1]) // 10,
        bucket=Pipe())
for w in r.workers:
    r.heartbeat(w, "running", 1)
r.bucket.flush()
PY
requests >/dev/null
timed running "$BUILD/muster" status gs://ctl/big
echo "status of a running fleet: $(median running) s, $(peak running) KiB; requests, LISTs of them: $(requests)"
requests >/dev/null
timed wait "$BUILD/muster" wait gs://ctl/big --every 10s --timeout 1ms
echo "wait, looks of: $(median wait) s; requests, LISTs of them: $(requests)"

# In memory each round takes the place of the one before, for new pages can cost a virtual
# machine more than what is timed. On disk folders are removed at the end: a file system
# remembers what was removed just before.
kind=$(stat -f -c %T "$dir")
for i in $(seq "$rounds"); do
	[ "$kind" = tmpfs ] && rm -rf "$dir"/curl-* "$dir"/collect-*
	mkdir "$dir/curl-$i"
	(cd "$dir/curl-$i" && timed curl curl -sf --parallel --parallel-max 64 --create-dirs -K "$dir/urls")
	timed collect "$BUILD/muster" collect gs://ctl/big --out "$dir/collect-$i"
	echo "round $i: curl $(tail -n 1 "$dir/curl"), collect $(tail -n 1 "$dir/collect") (s, user s, system s, KiB)"
done
timed again "$BUILD/muster" collect gs://ctl/big --out "$dir/collect-$rounds"
echo "collect over what is there: $(median again) s"
echo "medians: curl $(median curl) s, collect $(median collect) s, ratio $(awk "BEGIN { printf \"%.2f\", $(median collect) / $(median curl) }")"
echo "processor time, means: curl $(cpu curl) s, collect $(cpu collect) s; collect's peak RSS $(peak collect) KiB"
exit 0
