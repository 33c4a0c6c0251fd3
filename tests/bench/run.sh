#!/bin/bash
# What muster itself costs, beside its limits; bulk transfer as ratios to curl and rclone.
# Exits 0 whatever the figures are: a clock is no test.
. tests/e2e/lib.sh
t_begin
start_emulator
line() { printf '%-46s %12s   %s\n' "$@"; }

line "figure" "measured" "limit or peer"
cp "$BUILD/muster-worker" "$t_dir/stripped" && strip "$t_dir/stripped"
line "muster-worker, stripped [bytes]" "$(stat -c %s "$t_dir/stripped")" "8388608"

# 20 steps of a tiny fio run, without the cache drop, whose time is the machine's
printf 'rw,bs,filesize\nread,64k,256k\n' >"$t_dir/tests.csv"
printf 'commit,mount_args,label\nmaster,,a\nmaster,,b\n' >"$t_dir/configs.csv"
cat >"$t_dir/job.fio" <<'END'
[t]
ioengine=psync
rw=${IO_TYPE}
bs=${BS}
filesize=${FILE_SIZE}
directory=${TEST_DATA_DIR}
END
bench_run() { # RUN FLAGS…: a run without cache drops
	local run=$1
	shift
	muster split "gs://ctl/$run" --tests "$t_dir/tests.csv" --configs "$t_dir/configs.csv" \
		--fio "$t_dir/job.fio" --data gs://data --workers w-1 "$@" >/dev/null || exit 1
	muster store cat "gs://ctl/$run/jobs/w-1.json" |
		sed 's/"drop_caches":true/"drop_caches":false/' >"$t_dir/job.json"
	muster store cp "$t_dir/job.json" "gs://ctl/$run/jobs/w-1.json" >/dev/null
}
harness() { # RUN: per step, the time between two ends beyond layout, mount, warm and fio
	muster collect "gs://ctl/$1" --out "$t_dir/$1" >/dev/null
	python3 - "$t_dir/$1" "$t_dir/ws-$1-w-1/worker.log" <<'PY'
import glob, json, re, sys, datetime, statistics
records = {}
for path in glob.glob(sys.argv[1] + "/raw/*/test-*/step_*.json"):
    r = json.load(open(path))
    records[r["step"]] = r
last, own = None, []
for text in open(sys.argv[2]):
    m = re.match(r"(\S+)Z I step (\S+) .*: ok", text)
    if not m:
        continue
    at = datetime.datetime.fromisoformat(m.group(1)).timestamp()
    p = records[m.group(2)]["phase_ns"]
    spent = sum(p[k] or 0 for k in ("layout", "mount", "warm", "fio")) / 1e9
    if last is not None:
        own.append((at - last - spent) * 1e3)
    last = at
print("%.1f" % statistics.median(own))
PY
}
bench_run hdir --kind dir --iterations 20
worker hdir w-1
line "harness per iteration, kind dir, median [ms]" "$(harness hdir)" "50"
if [ -w /dev/fuse ] && scripts/deps.sh find-go; then
	bench_run hfuse --iterations 10 --pin "master=$T_GCSFUSE_VERSION"
	worker hfuse w-1
	line "harness per iteration, gcsfuse, median [ms]" "$(harness hfuse)" "50"
fi

# resident memory while fio runs
printf 'time_based\nruntime=4\n' >>"$t_dir/job.fio"
muster split gs://ctl/rss --tests "$t_dir/tests.csv" --configs "$t_dir/configs.csv" \
	--fio "$t_dir/job.fio" --data gs://data --workers w-1 --iterations 2 --kind dir >/dev/null
"$BUILD/muster-worker" --run gs://ctl/rss --worker w-1 --workspace "$t_dir/ws-rss" \
	>/dev/null 2>&1 &
pid=$!
peak=0
for _ in $(seq 60); do
	find_child "$t_dir/ws-rss" --lat_percentiles >/dev/null &&
		now=$(awk '/^VmRSS/ { print $2 * 1024 }' "/proc/$pid/status") &&
		[ "$now" -gt "$peak" ] && peak=$now
	sleep 0.25
done
wait $pid
line "muster-worker RSS while fio runs, peak [bytes]" "$peak" "12582912"

"$BUILD/tests/bench/bench_monitor" 10 | tail -n 2

# bulk transfer, beside curl and rclone on the same server in the same minute
tests/bench/bulk.py
exit 0
