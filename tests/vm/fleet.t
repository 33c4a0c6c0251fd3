#!/bin/bash
# A fleet by terraform: two machines boot and run by themselves; one is killed in mid-run, the
# next apply starts it again and it goes on where it was; a further apply does nothing; the
# server dies and comes back with everything; destroy leaves nothing.
. tests/vm/lib.sh
need_vm
need_gcsfuse
TERRAFORM=$(scripts/terraform.sh find) || t_skip "no terraform (scripts/terraform.sh)"
t_begin
[ -f "${TF_CLI_CONFIG_FILE:-/dev/null}" ] || export TF_CLI_CONFIG_FILE=/dev/null

tf() { # ROOT COMMAND…, with a state of the test's own
	local root=$1 command=$2
	shift 2
	[ "$command" = init ] || set -- -state="$t_dir/$root.tfstate" "$@"
	TF_DATA_DIR=$t_dir/$root.data "$TERRAFORM" -chdir="terraform/local/$root" "$command" -no-color "$@"
}
base=(-var "state_dir=$t_dir/machines" -var "programs=$PWD/$BUILD" -var "images={x86_64=\"$VM_IMAGE\"}")
fleet=(-var run=fleet -var 'groups={w={count=2}}' -var 'defaults={cloud_init=false,disk_gib=4}'
	-var "base_state={backend=\"local\",config={path=\"$t_dir/base.tfstate\"}}")
apply_fleet() { tf fleet apply -auto-approve "${fleet[@]}" >"$t_dir/apply.out" 2>&1; }
# shellcheck disable=SC2317 # called by the trap
f_cleanup() {
	tf fleet destroy -auto-approve "${fleet[@]}" >/dev/null 2>&1
	tf base destroy -auto-approve "${base[@]}" >/dev/null 2>&1
	v_cleanup
}
trap f_cleanup EXIT
machine() { # WORKER: its folder
	dirname "$(tf fleet output -json workers | jq -r ".[\"$1\"].console")"
}
# steps NAME: how many records of this worker there are
records() { muster store ls -r "gs://muster-control/fleet/results/$1/" 2>/dev/null | grep -c '/step_'; }

tf base init >/dev/null && tf base apply -auto-approve "${base[@]}" >"$t_dir/base.out" 2>&1
is $? 0 "apply base"
STORAGE_EMULATOR_HOST=$(tf base output -raw endpoint)
export STORAGE_EMULATOR_HOST
printf 'io_type,num_jobs,file_size,block_size,io_depth,nr_files,direct\nwrite,1,1m,256k,1,1,0\nread,1,1m,128k,1,1,1\n' \
	>"$t_dir/tests.csv"
printf 'commit,mount_args,label\nmaster,--implicit-dirs,default\n' >"$t_dir/configs.csv"
muster split gs://muster-control/fleet --tests "$t_dir/tests.csv" --configs "$t_dir/configs.csv" \
	--fio tests/data/suite/job.fio --data gs://muster-data --data-endpoint "$v_machine_endpoint" \
	--workers 2 --iterations 4 --pin "master=$T_GCSFUSE_VERSION" --build-here >"$t_dir/split.out" 2>&1
is $? 0 "split"

tf fleet init >/dev/null && apply_fleet
started=$?
is $started 0 "apply fleet starts the machines and returns"
[ $started = 0 ] || { sed 's/^/# /' "$t_dir/apply.out"; done_testing; }
for _ in $(seq 600); do
	[ "$(records w-1)" -ge 1 ] && break
	sleep 0.2
done
dir=$(machine w-1)
kill -9 "$(cat "$dir/qemu.pid")"
before=$(records w-1)
ok "$([ "$before" -ge 1 ] && [ "$before" -lt 4 ]; echo $?)" "w-1 is killed in mid-run, after $before of its steps"
apply_fleet
is $? 0 "apply again"
like "$(cat "$t_dir/apply.out")" "1 added, 0 changed, 1 destroyed" "starts the killed machine and leaves the other"
timeout 400 "$BUILD/muster" wait gs://muster-control/fleet >"$t_dir/wait.out"
is $? 0 "the run ends with every step ok"
muster collect gs://muster-control/fleet --out "$t_dir/out" >"$t_dir/collect.out"
is $? 0 "collect"
is "$(csv "$t_dir/out/results.csv" step counts yes | wc -l)" 8 "every step once"
is "$(csv "$t_dir/out/results.csv" state counts no | grep -vx interrupted)" "" \
	"only what the kill interrupted is run again"
attempts=$(muster store ls -r gs://muster-control/fleet/results | grep -c '/step_')
is "$(jq -r .incarnation.n "$t_dir/out/raw/w-1/manifest.json")" 2 "the machine's worker is its second incarnation"
is "$(jq -r .incarnation.n "$t_dir/out/raw/w-2/manifest.json")" 1 "the other's is its first"

for name in w-1 w-2; do
	VM_DIR=$(machine $name) VM_WAIT_S=60 vm wait
	is $? 0 "$name powers itself off"
done
apply_fleet
like "$(cat "$t_dir/apply.out")" "0 added, 0 changed, 0 destroyed" "a machine whose run is over is left alone"

kill -9 "$(cat "$t_dir/machines/muster/emulator.pid")"
sleep 0.5
tf base apply -auto-approve "${base[@]}" >"$t_dir/base.out" 2>&1
is $? 0 "the server died: apply base starts it again"
is "$(tf base output -raw endpoint)" "$STORAGE_EMULATOR_HOST" "where it was"
muster wait gs://muster-control/fleet >/dev/null
is $? 0 "with all that was in it"

tf fleet apply -auto-approve "${fleet[@]}" -var 'start=["w-2"]' >"$t_dir/apply.out" 2>&1
is $? 0 "a machine that is off is started by name"
wait_off_dir=$(machine w-2)
VM_DIR=$wait_off_dir VM_WAIT_S=120 vm wait
is $? 0 "and powers off again, its run being over"
is "$(muster store ls -r gs://muster-control/fleet/results | grep -c '/step_')" "$attempts" "no step is run again"

tf fleet destroy -auto-approve "${fleet[@]}" >"$t_dir/destroy.out" 2>&1
is $? 0 "destroy fleet"
tf base destroy -auto-approve "${base[@]}" >>"$t_dir/destroy.out" 2>&1
is $? 0 "destroy base"
is "$(pgrep -f "$t_dir/machines" | wc -l)" 0 "no machine and no server is left"
done_testing
