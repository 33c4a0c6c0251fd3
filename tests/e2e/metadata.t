#!/bin/bash
# A worker that knows nothing but the metadata server, as on Google Cloud: in a network of its
# own with the emulator's metadata server at 169.254.169.254, at the machine's own speed.
if [ -z "${T_IN_NETWORK:-}" ]; then
	if [ "$(id -u)" != 0 ] || ! unshare -n true 2>/dev/null || ! command -v ip >/dev/null; then
		echo "1..0 # SKIP no network namespace here (root, unshare, ip)"
		exit 0
	fi
	T_IN_NETWORK=1 exec unshare -n "$0" "$@"
fi
. tests/e2e/lib.sh
t_begin
ip link set lo up
ip addr add 169.254.169.254/32 dev lo
start_emulator --metadata-listen 169.254.169.254 --metadata-port 80
# the firmware here is not Google's
export GCE_METADATA_HOST=169.254.169.254
endpoint=$STORAGE_EMULATOR_HOST
instances=$endpoint/_emulator/instances

# a power switch that only notes that it was pressed
mkdir "$t_dir/bin"
printf '#!/bin/sh\necho "$*" >>"%s/pressed"\n' "$t_dir" >"$t_dir/bin/systemctl"
chmod +x "$t_dir/bin/systemctl"

instance() { # ATTRIBUTES: this machine, put (again)
	curl -sSf -X PUT --data-binary "{\"zone\":\"z-a\",\"machine_type\":\"n2-standard-8\",\"attributes\":$1}" \
		"$instances/machine-1" >/dev/null
}

attributes() { # RUN [MORE]
	printf '{"muster-run":"gs://ctl/%s","muster-worker":"w-1","muster-endpoint":"%s"%s}' \
		"$1" "$endpoint" "${2:-}"
}

split_run() { # RUN [FLAGS…]
	local run=$1
	shift
	printf 'rw,bs,filesize,numjobs\nread,64k,1m,2\n' >"$t_dir/tests.csv"
	cat >"$t_dir/job.fio" <<-END
		[t]
		ioengine=psync
		fallocate=none
		rw=\${IO_TYPE}
		bs=\${BS}
		filesize=\${FILE_SIZE}
		numjobs=\${THREADS}
		directory=\${TEST_DATA_DIR}
		time_based
		runtime=${runtime:-1}
	END
	muster split "gs://ctl/$run" --tests "$t_dir/tests.csv" --gcsfuse master --kind dir \
		--fio "$t_dir/job.fio" --data gs://data --workers w-1 --iterations 2 "$@" \
		>"$t_dir/split.out" 2>&1 || sed 's/^/# /' "$t_dir/split.out"
}

machine() { # RUN [FLAGS…]: a boot; the console is RUN.out
	local run=$1
	shift
	rm -f "$t_dir/pressed"
	env -u STORAGE_EMULATOR_HOST PATH="$t_dir/bin:$PATH" "$BUILD/muster-worker" \
		--workspace "$t_dir/ws-$run" --power-off "$@" >>"$t_dir/$run.out" 2>&1
}

# everything from the metadata server
split_run plain
instance "$(attributes plain)"
machine plain
is $? 0 "a worker with no flag but its workspace runs its job"
like "$(cat "$t_dir/plain.out")" "1/8 identify: run gs://ctl/plain, worker w-1" "and says which"
is "$(cat "$t_dir/pressed" 2>/dev/null)" poweroff "then it powers the machine off"
muster collect gs://ctl/plain --out "$t_dir/plain" >/dev/null
is $? 0 "every step is ok"
manifest=$t_dir/plain/raw/w-1/manifest.json
is "$(jq -r .provenance.machine_type "$manifest")" n2-standard-8 "the machine's type is recorded"
is "$(jq -r .provenance.zone "$manifest")" z-a "and its zone"
is "$(jq -r .incarnation.instance_id "$manifest")" \
	"$(curl -s "$instances" | jq -r '.instances[0].id')" "the instance id is the cloud's"
ok "$(jq -e '.provenance | has("accel")' "$manifest" >/dev/null; echo $?)" "and what ran the processors"

# started again, a finished job is not run again
machine plain
is $? 0 "the machine is started again: nothing is left to do"
is "$(muster store ls -r gs://ctl/plain/results | grep -c attempt-)" 0 "no committed step is run again"

# preemption in mid-fio
runtime=12 split_run taken
instance "$(attributes taken)"
machine taken & pid=$!
wait_fio "$t_dir/ws-taken"
is $? 0 "fio runs"
begin=$SECONDS
curl -sSf -X POST "$instances/machine-1/preempt" >/dev/null
for _ in $(seq 100); do
	muster status gs://ctl/taken 2>/dev/null | grep -q interrupted && break
	sleep 0.1
done
told=$((SECONDS - begin))
wait $pid
is $? 3 "a preempted worker ends 3"
ok "$([ $told -le 4 ]; echo $?)" "its heartbeat says interrupted within 3 s ($told s)"
ok "$([ $((SECONDS - begin)) -le 25 ]; echo $?)" "all is over within 25 s ($((SECONDS - begin)) s)"
like "$(muster status gs://ctl/taken)" "preempted: the cloud takes this machine back" "with the reason"
is "$(muster store cat gs://ctl/taken/results/w-1/manifest.json | jq -r .state)" interrupted \
	"the manifest says interrupted"
ok "$([ ! -e "$t_dir/pressed" ]; echo $?)" "the power is the cloud's matter"
no_leftovers "nothing is left"
# preempted before it began: at once
machine taken
is $? 3 "a machine that is preempted already does not begin"
# the cloud starts it again
instance "$(attributes taken)"
machine taken & pid=$!
wait $pid
is $? 0 "started again it goes on and finishes"
muster collect gs://ctl/taken --out "$t_dir/taken" >/dev/null
is $? 0 "every step is ok"
is "$(csv "$t_dir/taken/results.csv" attempt counts yes | sort -u | wc -l)" 2 \
	"only the interrupted step has another attempt"

# orders that cannot be read: why, on the console, and off
instance '{}'
machine lost
is $? 2 "no run named: exit 2"
like "$(cat "$t_dir/lost.out")" "metadata attribute" "the console says what is missing"
is "$(cat "$t_dir/pressed" 2>/dev/null)" poweroff "and the machine goes off"
instance '{"muster-debug":"true"}'
machine debug --debug
ok "$([ ! -e "$t_dir/pressed" ]; echo $?)" "not with debug"
instance "$(attributes absent)"
printf '{"schema":"muster/vm/1","rnu_url":"gs://ctl/plain"}' >"$t_dir/vm.json"
MUSTER_VM_FILE=$t_dir/vm.json machine misspelt
is $? 2 "a worker.json with an unknown key: exit 2"
like "$(cat "$t_dir/misspelt.out")" rnu_url "the console names it"
is "$(cat "$t_dir/pressed" 2>/dev/null)" poweroff "and the machine goes off"
done_testing
