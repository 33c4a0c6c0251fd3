#!/bin/bash
# A stock image (tests/vm/stock-image.sh) becomes a worker by its user-data alone: cloud-init
# runs image/stock, which fetches the worker from the control bucket. And what a machine says
# and does that is to run a worker of another sum.
. tests/vm/lib.sh
v_begin
[ "$(id -u)" = 0 ] || t_skip "needs root to build a stock image"
command -v mmdebstrap >/dev/null || t_skip "mmdebstrap is missing (scripts/deps.sh vm)"
[ -x "$BUILD/image/init" ] || t_skip "no $BUILD/image/init (make image)"
need_gcsfuse
export VM_IMAGE=$PWD/$BUILD/stock-image
tests/vm/stock-image.sh "$VM_IMAGE" >"$t_dir/image.out" 2>&1
is $? 0 "a stock image"
export VM_DISK_GIB=4 VM_CLOUD_INIT=yes VM_CPUS=2

sha256=$(sha256sum <"$BUILD/muster-worker" | cut -d' ' -f1)
muster store cp "$BUILD/muster-worker" "gs://ctl/_cache/muster-worker/$sha256" >/dev/null
is $? 0 "the worker is in the control bucket, under its sum"
# stock_user_data NAME=VALUE…: as the attribute of an instance
stock_user_data() {
	tests/tools/stock_user_data.py endpoint=$v_machine_endpoint bucket=ctl \
		"object=_cache/muster-worker/$sha256" "sha256=$sha256" debug=false \
		"worker_json={\"schema\":\"muster/vm/1\",\"run_url\":\"gs://ctl/stock\",\"worker\":\"w-1\",\"endpoint\":\"$v_machine_endpoint\"}
" "$@" | jq -Rs '{"user-data": .}'
}

v_cases=$'write,1,8m,1m,4,1,0\nread,1,4m,128k,4,2,1' small_run stock 1
is $? 0 "split"
export VM_DIR=$t_dir/machine VM_ADDRESS=127.0.7.5
instance stock $VM_ADDRESS "$(stock_user_data)"
begin=$SECONDS
vm up
VM_WAIT_S=400 vm wait
is $? 0 "the machine powers itself off ($((SECONDS - begin)) s)"
text=$(console)
like "$text" "muster: fetching the worker, gs://ctl/_cache/muster-worker/$sha256" "it fetches the worker"
like "$text" "muster: the worker is set up" "starts it"
like "$text" "done: 2 of 2 steps ok" "the run is done"
case $text in *"muster: installing"*) here=1 ;; *) here=0 ;; esac
is $here 0 "and packages that are there are not installed"
muster collect gs://ctl/stock --out "$t_dir/out" >"$t_dir/collect.out"
is $? 0 "every step is ok"
flags=$(jq -r '.flags[]' "$t_dir"/out/raw/w-1/test-*/step_1.json | sort -u | tr '\n' ' ')
is "$flags" "" "root, caches dropped, fio in its cage: no flag"

export VM_DIR=$t_dir/machine-wrong VM_ADDRESS=127.0.7.6
instance wrong $VM_ADDRESS "$(stock_user_data "sha256=$(printf '0%.0s' {1..64})")"
begin=$SECONDS
vm up
VM_WAIT_S=300 vm wait
is $? 0 "with another sum the machine powers off, too ($((SECONDS - begin)) s)"
like "$(console)" "cannot set up the worker: gs://ctl/_cache/muster-worker/$sha256 is not what its name says" \
	"and says why"
done_testing
