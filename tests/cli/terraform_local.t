#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# terraform/local without a machine: its form, terraform test, and a base's life: applied,
# swept only when asked to, gone.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-$PWD/build}
TERRAFORM=$(scripts/terraform.sh find) || {
	echo "1..0 # SKIP no Terraform (scripts/terraform.sh builds one)"
	exit 0
}
export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1 TF_CLI_CONFIG_FILE=/dev/null
tmp=$(mktemp -d "${TMPDIR:-/tmp}/muster-tflocal.XXXXXX") || exit 1
trap 'terraform/local/server.sh down; rm -rf "$tmp"' EXIT
export SERVER_DIR=$tmp/state/t # of the trap
count=0
failed=0

ok() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		failed=1
		echo "not ok $count - $2"
		sed 's/^/# /' "$tmp/out"
	fi
}

tf() { # ROOT COMMAND…
	local root=$1
	shift
	TF_DATA_DIR=$tmp/$root.data "$TERRAFORM" -chdir="terraform/local/$root" "$@" -no-color >"$tmp/out" 2>&1
}

"$TERRAFORM" fmt -check -recursive terraform >"$tmp/out" 2>&1
ok $? "terraform fmt"
for root in base fleet; do
	tf $root init && tf $root validate
	ok $? "$root: validate"
	tf $root test
	ok $? "$root: terraform test"
done

base=(-auto-approve -state="$tmp/base.tfstate" -var name=t -var "state_dir=$tmp/state" -var "programs=$BUILD")
tf base apply "${base[@]}"
ok $? "apply base"
TF_DATA_DIR=$tmp/base.data "$TERRAFORM" -chdir=terraform/local/base output -state="$tmp/base.tfstate" \
	-no-color -raw endpoint >"$tmp/url" 2>/dev/null
url=$(cat "$tmp/url")
STORAGE_EMULATOR_HOST=$url "$BUILD/muster" store ls gs://t-control/ >"$tmp/out" 2>&1
ok $? "the bucket answers at the endpoint"
echo hello >"$tmp/file"
STORAGE_EMULATOR_HOST=$url "$BUILD/muster" store cp "$tmp/file" gs://t-data/file >"$tmp/out" 2>&1
kill -9 "$(cat "$tmp/state/t/emulator.pid")"
tf base apply "${base[@]}"
STORAGE_EMULATOR_HOST=$url "$BUILD/muster" store cat gs://t-data/file >"$tmp/out" 2>&1 &&
	grep -qx hello "$tmp/out"
ok $? "after a kill the next apply starts it again where it was, with everything in it"
tf base plan -state="$tmp/base.tfstate" -var name=t -var "state_dir=$tmp/state" -var "programs=$BUILD" \
	-detailed-exitcode
ok $? "a further plan changes nothing"

# two folders as machines leave them, of runs whose names begin alike
for run in r1 r1-x; do
	mkdir -p "$tmp/state/t/machines/$run-w-1"
	echo "{\"attributes\":{\"muster-run\":\"gs://t-control/$run\"}}" >"$tmp/state/t/machines/$run-w-1/instance.json"
done
sweep() { STATE_DIR=$tmp/state terraform/sweep.sh local --name t "$@" >"$tmp/out" 2>&1; }
sweep
[ $? = 1 ] && [ "$(grep -c '^machine' "$tmp/out")" = 2 ] && grep -q ^server "$tmp/out" && [ -d "$tmp/state/t/machines/r1-w-1" ]
ok $? "sweep lists machines, server and folder, and deletes nothing"
sweep --run r1 --yes && [ ! -d "$tmp/state/t/machines/r1-w-1" ] && [ -d "$tmp/state/t/machines/r1-x-w-1" ]
ok $? "sweep --run --yes deletes that run's machines, not those of a run whose name begins alike"
pid=$(cat "$tmp/state/t/emulator.pid")
sweep --yes && [ ! -d "$tmp/state/t" ] && ! kill -0 "$pid" 2>/dev/null
ok $? "sweep --yes leaves nothing"
tf base destroy "${base[@]}"
ok $? "destroy finds nothing to do, and says so without an error"
echo "1..$count"
exit $failed
