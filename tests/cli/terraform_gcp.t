#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# terraform/gcp and the module it shares with terraform/local: names and settings by
# terraform test, the provider's schema by tests/terraform/check-schema.mjs. With a mirror that
# has hashicorp/google (MUSTER_TF_MIRROR=DIR, a filesystem_mirror) also the provider itself:
# validate and test of base and fleet, and a fleet's life on tests/terraform/fake_google.py.
# Nothing here speaks to Google.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/muster-tf.XXXXXX") || exit 1
fake=
trap '[ -z "$fake" ] || kill "$fake" 2>/dev/null; rm -rf "$tmp"' EXIT
count=0

ok() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		sed 's/^/# /' "$tmp/out"
	fi
}
skip() { count=$((count + 1)) && echo "ok $count - $2 # SKIP $1"; }

terraform=$(scripts/terraform.sh find 2>/dev/null) || terraform=
export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1 TF_CLI_CONFIG_FILE=/dev/null
# terraform writes beside what it reads
mkdir -p "$tmp/src/image"
cp -r terraform "$tmp/src/" && cp -r image/files image/stock "$tmp/src/image/"
tf() { # tf MODULE ARG…
	local module=$1
	shift
	TF_DATA_DIR="$tmp/data-${module//\//-}" "$terraform" -chdir="$tmp/src/terraform/$module" "$@" -no-color >"$tmp/out" 2>&1
}

# --- what needs Terraform alone ---
names=modules/names
if [ -z "$terraform" ]; then
	for what in "format" "names: validate" "names: test" "names: what is wrong" "names: split" "names: documents"; do
		skip "no Terraform (scripts/terraform.sh builds one)" "$what"
	done
else
	tf . fmt -check -recursive
	ok $? "terraform fmt has nothing to change"
	tf $names init && tf $names validate
	ok $? "names: terraform validate"
	tf $names test && grep -q 'Success! [1-9][0-9] passed, 0 failed' "$tmp/out"
	ok $? "names: $(grep -o '[0-9]* passed, 0 failed' "$tmp/out")"

	tf $names plan -var bucket=ctl -var run=r1 -var 'defaults={speed=1}' \
		-var 'workers={a={machine_type="big",zone="europe-west4",arch="amd64",image="theirs",disk_type="PD",spot=1}}' \
		-var 'groups={b={count=1,disk_gib=20.5,local_ssds=33,tier_1="yes"}}'
	missing=
	tr '\n' ' ' <"$tmp/out" >"$tmp/line"
	for word in workers.a.{machine_type,zone,arch,image,disk_type,spot} groups.b.{disk_gib,local_ssds,tier_1}; do
		grep -qE "$word +is +not" "$tmp/line" || missing+=" $word"
	done
	grep -qE 'No +such +setting: +defaults.speed' "$tmp/line" || missing+=" defaults.speed"
	[ -z "$missing" ]
	ok $? "names: every wrong setting is named by its place$missing"

	if [ ! -x "$BUILD/muster" ] || ! command -v jq >/dev/null; then
		skip "muster is not built, or no jq" "names: split takes the file"
		skip "muster is not built, or no jq" "names: worker.json is what the worker reads"
	else
		tf $names plan -var bucket=ctl -var run=r1 -var 'groups={w={count=12}}' -out="$tmp/plan" &&
			tf $names show -json "$tmp/plan" && cp "$tmp/out" "$tmp/plan.json" &&
			jq -r .planned_values.outputs.workers_file.value "$tmp/plan.json" >"$tmp/workers" &&
			url=$(jq -r .planned_values.outputs.run_url.value "$tmp/plan.json") &&
			for workers in 12 "@$tmp/workers"; do
				"$BUILD/muster" split "$url" --tests tests/data/suite/tests.csv --configs tests/data/suite/configs.csv \
					--fio tests/data/suite/job.fio --data gs://data --kind dir --workers "$workers" --dry-run --json \
					>"$tmp/split-${workers%%/*}" 2>"$tmp/out" || break
			done && cmp "$tmp/split-12" "$tmp/split-@" >"$tmp/out" && grep -q '"w-12"' "$tmp/split-12"
		ok $? "names: split --workers @FILE plans for the workers that --workers 12 names"
		tool=$BUILD/tests/tools/dump_documents
		if [ -x "$tool" ]; then
			jq -c '.planned_values.outputs.workers.value[].worker_json | fromjson' "$tmp/plan.json" >"$tmp/json" &&
				"$tool" check vm <"$tmp/json" >"$tmp/out" && [ "$(grep -c . "$tmp/json")" = 12 ] && ! grep -qv '^ok' "$tmp/out"
			ok $? "names: worker.json is what the worker reads"
		else
			skip "$tool is not built (make tests)" "names: worker.json is what the worker reads"
		fi
	fi
fi

# --- the provider's schema ---
check() { node tests/terraform/check-schema.mjs "$packages" "$@" >"$tmp/out" 2>&1; }
# plant FILE SED-SCRIPT: a mistake in the copy
plant() {
	sed -i "$2" "$tmp/planted/$1" && ! cmp -s "$tmp/planted/$1" "$tmp/src/terraform/gcp/$1"
}
if ! command -v node >/dev/null; then
	skip "node is not installed" "schema"
elif ! packages=$(tests/terraform/packages.sh 2>&1); then
	skip "npm packages cannot be had: $packages" "schema"
else
	check terraform/gcp/base terraform/gcp/fleet
	ok $? "schema: $(tail -n 1 "$tmp/out")"
	cp -r terraform/gcp "$tmp/planted"
	plant base/main.tf '/^resource "google_storage_bucket" "control"/a bogus = 1'
	plant base/main.tf 's/  soft_delete_policy {/  soft_delete_policy = {/'
	plant base/network.tf 's/^resource "google_compute_subnetwork"/resource "google_compute_subnet"/'
	plant fleet/main.tf 's/ seconds = / second = /'
	plant fleet/main.tf 's/^  machine_type = .*/  cpu_platform = "x"/'
	plant fleet/main.tf 's/^  boot_disk {/  network_interface {/'
	plant fleet/main.tf 's/^  metadata = merge(/  metadata {}\n  labels_ = merge(/'
	check "$tmp/planted/base" "$tmp/planted/fleet"
	code=$?
	while read -r want; do
		[ $code = 1 ] && grep -q -- "$want" "$tmp/out"
		ok $? "schema: finds that $want"
	done <<'END'
google_storage_bucket.control: bogus is unknown
google_compute_instance.worker.scheduling.max_run_duration: second is unknown
google_compute_instance.worker.scheduling.max_run_duration: seconds is missing
google_compute_instance.worker: machine_type is missing
google_compute_instance.worker: boot_disk is missing
google_compute_instance.worker: cpu_platform is read-only
google_compute_instance.worker: metadata is an argument, not a block
google_storage_bucket.data: soft_delete_policy is a block, not an argument
google_compute_subnet.own: no such resource
END
fi

# --- the provider itself ---
mirror=${MUSTER_TF_MIRROR:-}
if [ -n "$terraform" ] && [ -n "$mirror" ]; then
	export TF_CLI_CONFIG_FILE=$tmp/terraformrc
	printf 'provider_installation {\n  filesystem_mirror {\n    path = "%s"\n  }\n}\n' "$mirror" >"$TF_CLI_CONFIG_FILE"
fi
for module in gcp/base gcp/fleet; do
	if [ -z "$terraform" ] || [ -z "$mirror" ]; then
		skip "no mirror with hashicorp/google (MUSTER_TF_MIRROR)" "$module: validate and test"
		continue
	fi
	tf $module init && tf $module validate
	ok $? "$module: terraform validate"
	tf $module test && grep -q 'Success! [1-9][0-9]* passed, 0 failed' "$tmp/out"
	ok $? "$module: $(grep -o '[0-9]* passed, 0 failed' "$tmp/out")"
done

# --- a fleet's life ---
apply() { # apply ARG…: what it changed is in $tmp/calls
	: >"$tmp/calls"
	tf gcp/fleet apply -auto-approve "$@"
}
calls() { [ "$(sed 's#/compute/v1/projects/proj/zones/europe-west4-b/##' "$tmp/calls" | sort | paste -sd,)" = "$1" ]; }
finish() { python3 -c 'import sys, urllib.request as u; u.urlopen(u.Request(sys.argv[1], method="POST"))' "http://127.0.0.1:$port/finish"; }
base_state() { # base_state IMAGE: as terraform/gcp/base would leave it
	sed "s/muster-1/$1/" tests/terraform/base.tfstate.json >"$tmp/base.tfstate"
}
if [ -z "$terraform" ] || [ -z "$mirror" ] || ! command -v jq >/dev/null; then
	skip "no mirror with hashicorp/google (MUSTER_TF_MIRROR), or no jq" "a fleet's life"
	echo "1..$count"
	exit
fi
mkdir "$tmp/google"
python3 tests/terraform/fake_google.py "$tmp/google" >"$tmp/port" &
fake=$!
for _ in $(seq 100); do
	[ -s "$tmp/port" ] && break
	sleep 0.05
done
port=$(cat "$tmp/port")
ln -s "$tmp/calls" "$tmp/google/calls"
export GOOGLE_OAUTH_ACCESS_TOKEN=none GOOGLE_COMPUTE_CUSTOM_ENDPOINT=http://127.0.0.1:$port/compute/v1/
export GOOGLE_STORAGE_CUSTOM_ENDPOINT=http://127.0.0.1:$port/storage/v1/
export TF_VAR_run=r1 TF_VAR_groups='{"w":{"count":2}}'
export TF_VAR_base_state="{\"backend\":\"local\",\"config\":{\"path\":\"$tmp/base.tfstate\"}}"
base_state muster-1
apply && calls "POST instances,POST instances,PUT /storage/v1/b/ctl/iam"
ok $? "apply makes two machines and one binding"
jq -e '(.labels | del(."goog-terraform-provisioned")) == {"managed-by": "muster", fleet: "muster", run: "r1", worker: "w-1"} and .networkInterfaces[0].nicType == "GVNIC"
	and (.networkInterfaces[0].accessConfigs // [] | length) == 0 and (.scheduling | .automaticRestart == false and .instanceTerminationAction == "STOP")
	and ([.metadata.items[].key] | sort) == ["block-project-ssh-keys", "muster-run", "muster-worker", "user-data"]' "$tmp/google/r1-w-1.json" >"$tmp/out"
ok $? "what Compute Engine is asked for"
finish
tf gcp/fleet plan -detailed-exitcode
ok $? "all are done and off: a second plan has nothing to change"
base_state muster-2
sed -i 's/#cloud-config/&\\\\n# another version/' "$tmp/src/terraform/modules/names/main.tf"
tf gcp/fleet plan -detailed-exitcode
ok $? "nor with a new image and new user-data"
apply -var 'start=["w-2"]' && calls "POST instances/r1-w-2/start"
ok $? "start names one: it is started, nothing else"
finish
apply && calls ""
ok $? "start is empty again: nothing happens"
apply -var 'groups={w={count=3}}' && calls "POST instances"
ok $? "a third worker: one machine more, nothing else"
: >"$tmp/calls"
tf gcp/fleet destroy -auto-approve -var 'groups={w={count=3}}' &&
	calls "DELETE instances/r1-w-1,DELETE instances/r1-w-2,DELETE instances/r1-w-3,PUT /storage/v1/b/ctl/iam"
ok $? "destroy takes all away"
echo "1..$count"
