#!/bin/bash
# A worker on a machine of the cloud's: who it is, and that the machine is taken away, it
# is told by the metadata server alone; and when it cannot go on, the console says why and
# the machine is powered off. All in a network of its own, because the server's address is
# given. Nothing here can end the real machine: processes have a namespace of their own.
if [ -z "${MUSTER_NETNS:-}" ]; then
	if [ "$(id -u)" = 0 ] && unshare -n -p -f --mount-proc true 2>/dev/null; then
		MUSTER_NETNS=1 exec unshare -n -p -f --mount-proc --kill-child "$0" "$@"
	fi
	echo "1..0 # SKIP network namespaces need root"
	exit 0
fi
. tests/e2e/lib.sh
t_begin
ip link set lo up && ip addr add 169.254.169.254/32 dev lo || t_skip "no ip command that works"
start_emulator --listen 127.0.0.1 --metadata-listen 169.254.169.254 --metadata-port 80
store=$STORAGE_EMULATOR_HOST

emu() { # METHOD PATH [DOCUMENT]: the reply
	python3 - "$store/_emulator/$2" "$@" <<'PY'
import sys, urllib.request
url, method, body = sys.argv[1], sys.argv[2], sys.argv[4:]
print(urllib.request.urlopen(urllib.request.Request(url, method=method,
    data=body[0].encode() if body else None,
    headers={"Content-Type": "application/json"}), timeout=10).read().decode())
PY
}

instance() { # ATTRIBUTES: vm-1, as it is or anew
	emu PUT instances/vm-1 '{"address": null, "zone": "z-a", "machine_type": "n2-standard-8",
		"cpu_platform": "Intel Ice Lake", "attributes": '"$1"'}' >"$t_dir/instance.json"
}

of_run() { # RUN [MORE]: an instance of that run
	instance '{"muster-run": "gs://ctl/'"$1"'", "muster-worker": "w-1",
		"muster-endpoint": "'"$store"'"'"${2:-}"'}'
}

vm_file=$t_dir/no-such-file
metadata=169.254.169.254
# vm NAME: the worker as its unit starts it; $t_dir/NAME.out, NAME.power
vm() {
	local name=$1
	mkdir -p "$t_dir/bin-$name"
	printf '#!/bin/sh\necho "$@" >>%s\n' "$t_dir/$name.power" >"$t_dir/bin-$name/systemctl"
	chmod 755 "$t_dir/bin-$name/systemctl"
	env -u STORAGE_EMULATOR_HOST PATH="$t_dir/bin-$name:$PATH" GCE_METADATA_HOST=$metadata \
		MUSTER_VM_FILE="$vm_file" "$BUILD/muster-worker" --power-off \
		--workspace "$t_dir/ws-$name" >>"$t_dir/$name.out" 2>&1
}

power() { cat "$t_dir/$1.power" 2>/dev/null; }

field() { # OBJECT EXPRESSIONS: of a document d in the control bucket
	muster store cat "gs://ctl/$1" 2>/dev/null | python3 -c "
import json, sys
try:
    d = json.load(sys.stdin)
    print($2)
except ValueError:
    pass"
}

wait_text() { # FILE TEXT
	for _ in $(seq 600); do
		grep -qF -- "$2" "$1" 2>/dev/null && return 0
		sleep 0.1
	done
	return 1
}

split_run() { # RUN RUNTIME
	sed "s/^runtime=.*/runtime=$2/" "$t_dir/job.fio" >"$t_dir/$1.fio"
	muster split "gs://ctl/$1" --tests "$t_dir/tests.csv" --configs "$t_dir/configs.csv" \
		--fio "$t_dir/$1.fio" --data gs://data --workers w-1 --iterations 2 --kind dir \
		>"$t_dir/split.out" 2>&1 || sed 's/^/# /' "$t_dir/split.out"
}

printf 'rw,bs,filesize,numjobs\nread,64k,1m,2\n' >"$t_dir/tests.csv"
printf 'commit,mount_args,label\nmaster,,a\nmaster,--implicit-dirs,b\n' >"$t_dir/configs.csv"
cat >"$t_dir/job.fio" <<'END'
[global]
ioengine=psync
fallocate=none
rw=${IO_TYPE}
bs=${BS}
filesize=${FILE_SIZE}
numjobs=${THREADS}
directory=${TEST_DATA_DIR}
time_based
runtime=1
[t]
END

# a server that never answers is waited for as long as one that starts late: meanwhile
metadata=127.0.0.1:1 vm down & down=$!

# who it is
split_run meta 1
of_run meta
vm meta
is $? 0 "told by metadata alone, the worker runs its job"
is "$(power meta)" poweroff "and powers the machine off"
id=$(python3 -c "import json; print(json.load(open('$t_dir/instance.json'))['id'])")
is "$(field meta/results/w-1/manifest.json "d['state'], d['incarnation']['instance_id'], \
	*[d['provenance'][k] for k in ('machine_type', 'zone', 'cpu_platform')]")" \
	"done $id n2-standard-8 z-a Intel Ice Lake" "the manifest says which machine it was"
is "$(field meta/results/w-1/manifest.json "'accel' in d['provenance'], \
	len(d['provenance']['muster']['build_id'] or '')")" "True 40" "what it ran on, and which build"
muster collect gs://ctl/meta --out "$t_dir/meta" >/dev/null
is $? 0 "every step is ok"

# taken away in mid-fio
split_run spot 4
of_run spot
vm spot & pid=$!
wait_text "$t_dir/spot.out" "attempt 1: ok"; is $? 0 "a step is committed"
wait_fio "$t_dir/ws-spot"; is $? 0 "the second fio runs"
t0=$(date +%s)
emu POST instances/vm-1/preempt >/dev/null
for _ in $(seq 12); do
	said=$(field spot/workers/w-1.json "d['state'], d['reason']")
	case $said in *interrupted*) break ;; esac
	sleep 0.25
done
is "$said" "interrupted preempted: the cloud takes this machine back" \
	"within 3 s the heartbeat says so"
wait $pid; is $? 3 "the worker ends 3"
t1=$(date +%s)
ok "$([ $((t1 - t0)) -le 25 ]; echo $?)" "within 25 s ($((t1 - t0)) s)"
is "$(power spot)" "" "and leaves the power to the cloud"
no_leftovers "nothing is left"
like "$(cat "$t_dir/spot.out")" "interrupted: 1 of 4 steps ok: preempted: the cloud takes" "the console says why"
like "$(muster status gs://ctl/spot)" interrupted "status says interrupted"
is "$(field spot/results/w-1/manifest.json "d['state'], d['reason'][:9], \
	[s['reason'] for s in d['steps'] if s['state'] == 'interrupted'][0][:24]")" \
	"interrupted preempted while fio ran: preempted" "the manifest as well, and the step's line"

# still so at the next start: it does not begin
vm spot; is $? 3 "started while the machine is preempted, it ends 3 again"
is "$(power spot)" "" "without touching the power"
of_run spot
vm spot; is $? 0 "on a machine that stays it finishes"
is "$(power spot)" poweroff "and powers off"
muster collect gs://ctl/spot --out "$t_dir/spot" >/dev/null
is $? 0 "every step is ok"
is "$(csv "$t_dir/spot/results.csv" attempt counts yes | sort | tr '\n' ' ')" "1 1 1 2 " \
	"the interrupted step is attempt 2, the others 1"
is "$(csv "$t_dir/spot/results.csv" state | sort | uniq -c | tr -s ' ' | tr '\n' ';')" \
	" 1 interrupted; 4 ok;" "and nothing committed was run again"

# taken away while it waits for a job
of_run later
vm later & pid=$!
wait_text "$t_dir/ws-later/worker.log" "no job yet"
emu POST instances/vm-1/preempt >/dev/null
wait $pid; is $? 3 "taken away while it waits for a job, it ends 3"
is "$(power later)" "" "and leaves the power"
of_run later

# what keeps it from going on
MUSTER_JOB_WAIT_S=1 vm nojob; is $? 2 "no job: exit 2"
like "$(cat "$t_dir/nojob.out")" ": no job at gs://ctl/later/jobs/w-1.json" "the console says so"
is "$(power nojob)" poweroff "and the machine is powered off"

of_run later ', "muster-debug": "true"'
MUSTER_JOB_WAIT_S=1 vm debug; is $? 2 "the same with debug"
is "$(power debug)" "" "the machine stays on"

instance '{"muster-run": "gs://nowhere/r", "muster-endpoint": "'"$store"'"}'
vm nowhere & pid=$!
wait_text "$t_dir/nowhere.out" "waiting for the bucket: "
is $? 0 "no bucket: the console says that it waits for one"
like "$(cat "$t_dir/nowhere.out")" nowhere "which"
kill -TERM "$(pgrep -f "muster-worker.*ws-nowhere" | head -n 1)"
wait $pid; is $? 3 "a person's signal ends it"
is "$(power nowhere)" "" "with the power left to the person"

instance '{}'
vm norun; is $? 2 "no run: exit 2"
like "$(cat "$t_dir/norun.out")" "1/8 identify: no run: give" "the console says where it can be given"
is "$(power norun)" poweroff "and the machine is powered off"

vm_file=$t_dir/worker.json
echo '{"schema": "muster/vm/1", "run_url": "gs://ctl/later", "wrker": "w-1"}' >"$vm_file"
vm bad; is $? 2 "a bad worker.json: exit 2"
like "$(cat "$t_dir/bad.out")" "1/8 identify: $vm_file: " "the console names the file"
like "$(cat "$t_dir/bad.out")" wrker "and the key"
is "$(power bad)" poweroff "and the machine is powered off"
echo '{"schema": "muster/vm/1", "debug": true, "wrker": "w-1"}' >"$vm_file"
vm baddebug; is $? 2 "the same with debug in it"
is "$(power baddebug)" "" "the machine stays on"
vm_file=$t_dir/no-such-file

wait $down; is $? 2 "no metadata server: exit 2"
like "$(cat "$t_dir/down.out")" "1/8 identify: asking for instance/attributes/muster-run: metadata server: no connection" \
	"the console says so"
is "$(power down)" poweroff "and the machine is powered off"
done_testing
