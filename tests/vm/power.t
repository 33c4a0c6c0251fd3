#!/bin/bash
# A machine's ends: its power button in mid-fio, orders it cannot read, a job that is not there.
. tests/vm/lib.sh
v_begin
need_gcsfuse
export VM_ADDRESS=127.0.7.2 VM_DISK_GIB=2

# how the accelerator is chosen: by a kernel that boots, not by a device that is there
MUSTER_PROBE_S=60 terraform/local/accel.sh "$VM_IMAGE" probe-tcg
is $? 0 "the probe sees an emulated kernel boot"
is "$(MUSTER_ACCEL=kvm terraform/local/accel.sh "$VM_IMAGE")" kvm "an accelerator can be named by hand"

# ACPI in mid-fio: what a stop or a preemption is
cat >"$t_dir/long.fio" <<'END'
[global]
ioengine=psync
fallocate=none
rw=${IO_TYPE}
bs=${BS}
filesize=${FILE_SIZE}
nrfiles=${NRFILES}
directory=${TEST_DATA_DIR}
time_based
runtime=100
[t]
END
export VM_DIR=$t_dir/machine-button
v_cases=read,1,1m,128k,1,1,0 v_job=$t_dir/long.fio small_run button 1
instance button $VM_ADDRESS "$(attributes button)"
vm up
wait_console "laying out the data" 90
is $? 0 "the worker is at its step"
for _ in $(seq 300); do
	[ "$(muster status gs://ctl/button --json | jq -r '.workers[0].progress')" = measure ] && break
	sleep 0.2
done
sleep 2
begin=$SECONDS
vm down >"$t_dir/down.out"
took=$((SECONDS - begin))
ok "$([ $took -le 27 ]; echo $?)" "the machine is off within 25 s of its button ($took s)"
like "$(cat "$t_dir/down.out")" "went off" "of its own accord"
manifest=$(muster store cat gs://ctl/button/results/w-1/manifest.json)
is "$(jq -r .state <<<"$manifest")" interrupted "the manifest says interrupted"
is "$(jq -r '.steps[0].state' <<<"$manifest")" interrupted "and so does its step"
like "$(muster status gs://ctl/button)" interrupted "status, too"

# nothing to do, said on the console
export VM_DIR=$t_dir/machine-lost
VM_ADDRESS=127.0.7.3
instance lost $VM_ADDRESS '{}'
vm up
VM_WAIT_S=90 vm wait
is $? 0 "a machine without orders powers off"
like "$(console)" "no run: give" "and says what is missing"
done_testing
