#!/bin/bash
# A machine that no metadata server knows gets its orders from a NoCloud disk: a small file
# system named CIDATA. Its firmware is not Google's, so cloud-init asks nobody else.
. tests/vm/lib.sh
v_begin
for tool in mkfs.vfat mcopy; do
	command -v $tool >/dev/null || t_skip "$tool is missing (scripts/deps.sh vm)"
done
need_gcsfuse
export VM_DIR=$t_dir/machine VM_ADDRESS=127.0.7.4 VM_DISK_GIB=2
export VM_CLOUD_INIT=yes VM_PRODUCT="Standard PC" VM_SEED=$t_dir/seed.img

v_cases=write,1,1m,256k,1,1,0 small_run nocloud 1
is $? 0 "split"
printf 'instance-id: nocloud-1\nlocal-hostname: w-1\n' >"$t_dir/meta-data"
user_data nocloud | jq -r '."user-data"' >"$t_dir/user-data"
truncate -s 1M "$VM_SEED"
mkfs.vfat -n CIDATA "$VM_SEED" >/dev/null
mcopy -i "$VM_SEED" "$t_dir/meta-data" "$t_dir/user-data" ::

begin=$SECONDS
vm up
VM_WAIT_S=240 vm wait
is $? 0 "the machine powers itself off ($((SECONDS - begin)) s)"
text=$(console)
like "$text" "identify: run gs://ctl/nocloud, worker w-1" "the orders are the disk's"
like "$text" "done: 1 of 1 steps ok" "its run is done"
muster collect gs://ctl/nocloud --out "$t_dir/out" >"$t_dir/collect.out"
is $? 0 "every step is ok"
is "$(curl -sS "$STORAGE_EMULATOR_HOST/_emulator/instances" | jq -c .)" '{"instances":[]}' \
	"and no metadata server knew it"
done_testing
