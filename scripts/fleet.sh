#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The whole way with virtual machines, on this machine: terraform makes a bucket, muster
# writes the jobs, terraform launches machines of the real image, they run by themselves and
# power off, muster collects. On Google Cloud the same lines work with terraform/gcp.
#   WORKERS=2       machines (each one processor; more than two slow each other down)
#   OUT=fleet-out   the results' folder
#   BUILD=build     where programs and image are
#   KEEP=1          leave bucket and machines there
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
OUT=${OUT:-fleet-out}
WORKERS=${WORKERS:-2}
GCSFUSE_VERSION=${GCSFUSE_VERSION:-v3.13.0}
SUITE=tests/data/suite
run=fleet-$(date +%H%M%S)
# a preset file that is not there would only make terraform warn
[ -f "${TF_CLI_CONFIG_FILE:-/dev/null}" ] || export TF_CLI_CONFIG_FILE=/dev/null

say() { printf '\n== %s\n' "$*"; }
# tf ROOT COMMAND…: with a state of this script's own, beside whatever a person applied
tf() {
	local root=$1 command=$2
	shift 2
	case $command in
	init | show) ;;
	*) set -- -state="$work/$root.tfstate" "$@" ;;
	esac
	TF_DATA_DIR=$work/$root.data "$TERRAFORM" -chdir="terraform/local/$root" "$command" "$@"
}
die() {
	echo "fleet: $*" >&2
	exit 1
}

# shellcheck disable=SC2317 # called by the trap
finish() {
	[ -n "${KEEP:-}" ] && return
	say "8. terraform destroy: machines still on get their power button pressed"
	[ ! -f "$work/fleet.tfstate" ] ||
		tf fleet destroy -auto-approve -no-color "${fleet[@]}" | tail -n 1
	tf base destroy -auto-approve -no-color "${base[@]}" | tail -n 1
	rm -rf "$work"
}

TERRAFORM=$(scripts/terraform.sh) || exit 1
[ -f "$BUILD/image/disk.raw" ] || die "no image in $BUILD/image: make image"
BUILD=$(cd "$BUILD" && pwd)
work=$BUILD/local/$run
mkdir -p "$work"
base=(-var "state_dir=$work" -var "programs=$BUILD" -var "images={x86_64=\"$BUILD/image\"}")
fleet=(-var "run=$run" -var "groups={w={count=$WORKERS}}"
	-var "base_state={backend=\"local\",config={path=\"$work/base.tfstate\"}}")
trap finish EXIT
trap 'exit 130' INT TERM

say "1. terraform apply, base: an emulated bucket and metadata server"
tf base init -no-color >/dev/null && tf base apply -auto-approve -no-color "${base[@]}" | grep -v '^$' | tail -n 20
STORAGE_EMULATOR_HOST=$(tf base output -raw endpoint) || die "no bucket"
export STORAGE_EMULATOR_HOST
control=$(tf base output -raw control_bucket)
machine_endpoint=$(tf base output -raw machine_endpoint) # the bucket as a VM sees it

say "2. terraform plan, fleet: who will be in it"
tf fleet init -no-color >/dev/null || die "terraform init"
tf fleet plan -no-color "${fleet[@]}" -out="$work/fleet.plan" >/dev/null || die "terraform plan"
tf fleet show -json "$work/fleet.plan" >"$work/plan.json"
jq -r .planned_values.outputs.workers_file.value "$work/plan.json" >"$work/workers"
data=$(jq -r .planned_values.outputs.data_url.value "$work/plan.json")
paste -sd' ' "$work/workers"

say "3. muster split: a job for each (gcsfuse $GCSFUSE_VERSION is built here, once)"
"$BUILD/muster" split "gs://$control/$run" --tests $SUITE/tests.csv --configs $SUITE/configs.csv \
	--fio $SUITE/job.fio --data "$data" --data-endpoint "$machine_endpoint" --workers "@$work/workers" --iterations 2 \
	--pin "master=$GCSFUSE_VERSION" --build-here || exit 2

say "4. terraform apply, fleet: the machines start"
tf fleet apply -no-color "$work/fleet.plan" | grep -E '^Apply|"console"'

say "5. they boot and run by themselves; muster watch shows the fleet"
"$BUILD/muster" watch "gs://$control/$run" --every 5s

say "6. what machine w-1 said on its console"
tr -d '\033' <"$(tf fleet output -json workers | jq -r '.["w-1"].console')" | tail -n 22

say "7. muster collect"
rm -rf "$OUT"
"$BUILD/muster" collect "gs://$control/$run" --out "$OUT"
code=$?
cat <<END

Measured with emulated processors: that it works, not how fast Cloud Storage is.
On Google Cloud: terraform/gcp/base, muster split, terraform/gcp/fleet (README).
END
exit $code
