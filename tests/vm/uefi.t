#!/bin/bash
# The exact disk that is uploaded boots by UEFI from virtio-scsi, gets its orders by cloud-init,
# runs real gcsfuse and fio, and powers off; nothing is left to a kernel or option of ours.
. tests/vm/lib.sh
v_begin
[ -f /usr/share/OVMF/OVMF_CODE_4M.fd ] || t_skip "no UEFI firmware (package ovmf)"
need_gcsfuse
export VM_DIR=$t_dir/machine VM_ADDRESS=127.0.7.1 VM_BOOT=uefi VM_DISK=scsi VM_DISK_GIB=2

v_cases=$'write,1,8m,1m,4,1,0\nread,1,4m,128k,4,2,1' small_run uefi 1
is $? 0 "split"
instance uefi $VM_ADDRESS "$(user_data uefi)"
vm up
is $? 0 "the machine starts"
VM_WAIT_S=240 vm wait
is $? 0 "it powers itself off"
text=$(console)
like "$text" "1/8 identify: run gs://ctl/uefi, worker w-1" "the console names run and worker"
like "$text" "8 fetch-job: ok" "a line per boot step"
like "$text" "done: 2 of 2 steps ok" "and what became of the run"
like "$text" "reboot: Power down" "the kernel powers off"
muster collect gs://ctl/uefi --out "$t_dir/out" >"$t_dir/collect.out"
is $? 0 "every step is ok"
is "$(csv "$t_dir/out/results.csv" state | sort -u)" ok "gcsfuse is mounted and fio runs inside"
manifest=$t_dir/out/raw/w-1/manifest.json
is "$(jq -r .provenance.accel "$manifest")" "$(terraform/local/accel.sh "$VM_IMAGE")" \
	"the manifest says the processor was emulated"
is "$(jq -r '.provenance.fio_version' "$manifest")" "$(jq -r .fio_version "$VM_IMAGE/manifest.json")" \
	"fio is the image's"
like "$(jq -r .provenance.machine_type "$manifest")" n2-standard-1 "the machine's type is the metadata server's"
flags=$(jq -r '.flags[]' "$t_dir"/out/raw/w-1/test-*/step_1.json | sort -u | tr '\n' ' ')
is "$flags" "" "root, caches dropped, fio in its cage: no flag"
ok "$(! grep -q 'without control groups' "$t_dir/out/raw/w-1/worker.log"; echo $?)" \
	"fio had a control group of its own"
done_testing
