#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The worker alone: its command line, bad jobs, orders, what a step leaves behind. Jobs are
# written by hand here: no coordinator takes part.
# shellcheck disable=SC2016 # ${MUSTER_DIR} is the worker's, not ours
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
worker=$BUILD/muster-worker
dir=$(mktemp -d)
count=0
failed=0
pids=()
p=
trap 'for p in "${pids[@]}"; do kill "$p"; done 2>/dev/null; wait; rm -rf "$dir"' EXIT

ok() # <status> <what>
{
	count=$((count + 1))
	if (($1 == 0)); then
		echo "ok $count - $2"
	else
		failed=1
		echo "not ok $count - $2"
	fi
}

is() # <got> <wanted> <what>
{
	[[ $1 == "$2" ]]
	ok $? "$3"
	[[ $1 == "$2" ]] || printf '#    got: %s\n# wanted: %s\n' "$1" "$2"
}

like() # <text> <part> <what>
{
	[[ $1 == *"$2"* ]]
	ok $? "$3"
	[[ $1 == *"$2"* ]] || printf '# %s\n' "has no \"$2\":" "$(tail -n 8 <<<"$1")"
}

# --- the command line
out=$("$worker" --help)
is $? 0 "--help is 0"
like "$out" "--workspace DIR" "and teaches the flags"
out=$("$worker" --version)
like "$out" "muster-worker " "--version"
out=$("$worker" --wrokspace x 2>&1)
is $? 2 "an unknown flag is 2"
like "$out" "did you mean --workspace" "and the nearest is named"
out=$("$worker" onlyone 2>&1)
is $? 2 "one argument is neither form"
out=$(MUSTER_VM_FILE=/nonexistent "$worker" --workspace "$dir/ws" 2>&1)
is $? 2 "no run is 2"
like "$out" "--run gs://" "and says where to give it"
out=$("$worker" --run gs://b/r1 --worker a/b --workspace "$dir/ws" 2>&1)
is $? 2 "a worker's name with a slash is 2"
out=$("$worker" --run gs://b/r1 --worker w-1 --workspace "$dir/a b" 2>&1)
is $? 2 "a workspace with a blank is 2"

for tool in python3 fio; do
	command -v $tool >/dev/null || {
		echo "ok $((count + 1)) - the rest # SKIP no $tool"
		echo "1..$((count + 1))"
		exit $failed
	}
done

# --- an emulated bucket, and jobs by hand
"$BUILD/muster-emulator" --port 0 --bucket ctl --bucket data >"$dir/url" 2>"$dir/emu.log" &
pids+=($!)
for _ in $(seq 200); do
	[[ -s $dir/url ]] && break
	sleep 0.02
done
STORAGE_EMULATOR_HOST=$(head -n 1 "$dir/url")
export STORAGE_EMULATOR_HOST MUSTER_RETRY_BASE_MS=20

# store put NAME <text | get NAME | names PREFIX
store()
{
	python3 - "$@" <<'PY'
import json, os, sys, urllib.parse, urllib.request
base = os.environ["STORAGE_EMULATOR_HOST"]
what, name = sys.argv[1], sys.argv[2]
q = urllib.parse.quote(name, safe="")
if what == "put":
    url = f"{base}/upload/storage/v1/b/ctl/o?uploadType=media&name={q}"
    urllib.request.urlopen(urllib.request.Request(url, data=sys.argv[3].encode(),
        headers={"Content-Type": "application/json"}, method="POST")).read()
elif what == "get":
    print(urllib.request.urlopen(f"{base}/storage/v1/b/ctl/o/{q}?alt=media").read().decode())
else:
    r = json.load(urllib.request.urlopen(f"{base}/storage/v1/b/ctl/o?prefix={q}"))
    print("\n".join(o["name"] for o in r.get("items", [])))
PY
}

# job RUN [PYTHON]: a job of two read cases and one write case for w-1, changed by PYTHON
job()
{
	local text
	text=$(python3 - "$1" "${2:-}" <<'PY'
import json, sys
run = sys.argv[1]
def case(i, rw, bs, size_kib, extra=""):
    size = size_kib << 10
    return {"test_id": i, "params": {"rw": rw}, "fio_job":
        f"[t]\nioengine=psync\nfallocate=none\nrw={rw}\nbs={bs}\nfilesize={size_kib}k\n"
        f"directory=${{MUSTER_DIR}}\n{extra}", "writes": rw != "read", "data_bytes": size,
        "io_bytes": size, "data_key": "%024x" % i, "timeout_s": 30}
arm = {"config_id": 0, "label": "local", "kind": "dir", "mount_args": [],
       "config_file": None, "env": {}}
for k in ("requested", "module", "version", "h1", "commit", "go", "key", "sha256", "role"):
    arm[k] = None
cases = [case(1, "read", "4k", 64), case(2, "write", "16k", 64)]
def step(m, attempt=1):
    return {"step": f"{m}-1", "matrix_id": m, "test_id": m, "config_id": 0,
            "iteration": 1, "block": 1, "pos": 1, "attempt": attempt}
job = {"schema": "muster/job/1", "run": run, "worker": "w-1", "round": 1,
    "config_sha256": "0" * 64, "control": {"url": f"gs://ctl/{run}"},
    "data": {"bucket": "data", "prefix": "", "endpoint": None, "auth": "anonymous"},
    "settings": {"heartbeat_s": 1, "stale_s": 10, "monitor_hz": 20, "max_attempts": 2,
        "mount_timeout_s": 20, "layout_timeout_s": 60, "upload_timeout_s": 30,
        "warm_metadata": True, "drop_caches": False, "power_off": True, "keep_data": False},
    "arms": [arm], "cases": cases, "steps": [step(1), step(2)]}
exec(sys.argv[2])
print(json.dumps(job))
PY
)
	store put "$1/jobs/w-1${3:-}.json" "$text"
}

run() # RUN [FLAGS]: output in $out, exit code in $code
{
	local name=$1
	shift
	out=$(timeout 60 "$worker" --run "gs://ctl/$name" --worker w-1 \
		--workspace "$dir/ws" "$@" 2>&1)
	code=$?
}

# manifest RUN: one line a step: id, attempt, state, reason
manifest()
{
	store get "$1/results/w-1/manifest.json" | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["state"], d["reason"] or "-")
for s in d["steps"]:
    print(s["step"], s["attempt"], s["state"], s["reason"] or "-")'
}

# --- a good job
job good
run good
is $code 0 "a job of kind dir ends 0"
like "$(head -n 1 <<<"$out")" "gs://ctl/good, worker w-1" "the first line names run and worker"
is "$(manifest good)" "done -
1-1 1 ok -
2-1 1 ok -" "the manifest says so"
is "$(store names good/results/w-1/test-1/ | tr '\n' ' ')" \
	"good/results/w-1/test-1/fio_output_1.json good/results/w-1/test-1/job_1.fio good/results/w-1/test-1/monitor_1.csv good/results/w-1/test-1/step_1.json " \
	"a step leaves its four files"
is "$(store get good/results/w-1/test-1/step_1.json | python3 -c '
import json, sys
r = json.load(sys.stdin)
f = r["results"][0]
print(r["state"], f["ios"], f["io_bytes"], f["lat"]["n"], sum(c for _, c in f["lat"]["bins"]))')" \
	"ok 16 65536 16 16" "the record's figures are fio's"
like "$(store get good/workers/w-1.json)" '"state":"done"' "the heartbeat says done"
is "$(find "$dir/ws/data/write" "$dir/ws/steps" -type f | wc -l)" 0 \
	"write data and step folders are gone"
like "$(store get good/results/w-1/worker.log)" "run gs://ctl/good" "worker.log is in the bucket"
before=$(store names good/results/)
run good
is $code 0 "started again it ends 0"
is "$(store names good/results/)" "$before" "and writes nothing new"
out=$("$worker" good ctl --worker w-1 --workspace "$dir/ws" 2>&1)
is $? 0 "the short form, RUN BUCKET, is the same"
job nosteps 'job["steps"] = []'
run nosteps
is $code 0 "a job without steps ends 0"

# --- bad jobs
bad() # NAME PYTHON WORDS WHAT
{
	job "$1" "$2"
	run "$1"
	is $code 2 "$4: exit 2"
	like "$out" "$3" "$4: named"
}
bad key 'job["shell"] = "x"' 'shell: unknown key' "an unknown key"
bad major 'job["schema"] = "muster/job/2"' 'muster/job/2' "another major"
bad other 'job["worker"] = "w-2"' 'w-2' "another worker's job"
bad moved 'job["control"]["url"] = "gs://elsewhere/moved"' 'elsewhere' "a job of another run's URL"
bad arm 'job["steps"][0]["config_id"] = 9' 'config' "a step of an unknown arm"
store put torn/jobs/w-1.json '{"schema":"muster/job/1","run":"torn",'
run torn
is $code 2 "a torn job is 2"
like "$(store get torn/workers/w-1.json)" '"state":"failed"' "and the heartbeat says failed"
if "$worker" --list-points >/dev/null 2>&1; then
	MUSTER_JOB_WAIT_S=1 run none
	is $code 2 "no job: exit 2 after the wait"
	like "$out" "no job at gs://ctl/none/jobs/w-1.json" "and says where it looked"
fi

# --- steps that are not ok
job refused 'cases[0]["fio_job"] += "exec_prerun=touch /tmp/x\n"'
run refused
is $code 1 "a fio option that is not allowed: exit 1"
like "$(manifest refused)" "1-1 1 failed" "its step failed"
like "$(manifest refused)" "exec_prerun" "the option is named"
like "$(manifest refused)" "2-1 1 ok" "the other step is ok"
job outside 'cases[0]["fio_job"] = cases[0]["fio_job"].replace("${MUSTER_DIR}", "/tmp")'
run outside
like "$(manifest outside)" "1-1 1 failed" "a directory outside is refused"
job block 'cases[0]["fio_job"] = cases[0]["fio_job"].replace("bs=4k", "bs=1m"); cases[0]["io_bytes"] = None'
run block
is $code 1 "a block larger than the file: exit 1"
like "$(manifest block)" "1-1 1 invalid" "its step is invalid"
like "$(manifest block)" "larger than" "with the cause"
job bytes 'cases[0]["io_bytes"] = 1'
run bytes
like "$(manifest bytes)" "the case asks for 1" "other bytes than planned: failed"
job slow 'cases[0]["fio_job"] += "time_based\nruntime=20\n"; cases[0]["timeout_s"] = 1; cases[0]["io_bytes"] = None'
run slow
like "$(manifest slow)" "1-1 1 timeout" "fio past its timeout: timeout"
is "$(store names slow/results/w-1/test-1/ | grep -c step_1.json)" 1 "recorded too"

# --- a record that exists is adopted, an attempt without one is not run again as itself
job adopt
store put adopt/results/w-1/test-1/job_1.fio "x"
run adopt
is $code 0 "leftovers of a killed attempt do not stand in the way"
is "$(manifest adopt | tail -n 2 | cut -d' ' -f1-3 | tr '\n' ' ')" "1-1 2 ok 2-1 1 ok " \
	"its step is attempt 2"
job lost
store put lost/results/w-1/test-1/attempt-2/job_1.fio "x"
run lost
like "$(manifest lost)" "1-1 2 failed interrupted 2 times" \
	"the last attempt allowed, left without a record, is failed"

# --- orders
order() # RUN SEQ KIND EXTRA
{
	store put "$1/control/$2.json" "$(printf '{"schema":"muster/control/1","kind":"%s",%s"reason":"test"}' "$3" "$4")"
}
all='"workers":null,"steps":null,"round":null,'
job drained
order drained 0001 drain "$all"
run drained
is $code 3 "drained before the first step: exit 3"
is "$(manifest drained | cut -d' ' -f1-3)" "cancelled test
1-1 1 cancelled
2-1 1 cancelled" "every step is cancelled"
job lifted
order lifted 0001 drain "$all"
order lifted 0002 resume "$all"
run lifted
is $code 0 "a drain that was lifted is none"
job lifted2
order lifted2 0001 abort "$all"
order lifted2 0002 resume "$all"
run lifted2
is $code 0 "nor is an abort that was lifted before this worker began"
job round2
job round2 'job["round"] = 2; job["steps"] = [{**step(1), "step": "1-2", "iteration": 2}]' .r2
order round2 0001 resume '"workers":["w-1"],"steps":null,"round":2,'
run round2
is "$(manifest round2 | grep -c "1-2 1")" 0 "only a reassign brings a round into force"
order round2 0002 reassign '"workers":["w-1"],"steps":null,"round":2,'
run round2
is $code 0 "a second round: exit 0"
like "$(manifest round2)" "1-2 1 ok" "its step ran"
job given
order given 0001 reassign '"workers":["w-1"],"steps":["1-1"],"round":null,'
run given
is "$(manifest given)" "done -
2-1 1 ok -" "a reassigned step is not run"
job refuse
order refuse 0001 drain "$all\"shell\":\"x\","
run refuse
is $code 2 "an order that cannot be read: exit 2"
like "$out" 'shell: unknown key' "the key is named"

# --- gcsfuse that cannot be had
job fetch 'arm.update(kind="gcsfuse", requested="x", key="0" * 24, sha256="1" * 64, role="fetch")'
if [[ -w /dev/fuse ]]; then
	run fetch
	is $code 1 "a binary that is nowhere: exit 1"
	like "$(manifest fetch)" "no gcsfuse for arm local" "its steps failed with the reason"
fi

echo "1..$count"
exit $failed
