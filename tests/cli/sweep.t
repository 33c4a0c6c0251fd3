#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# terraform/sweep.sh gcp with a gcloud of a file: what it lists, what it deletes and when.
set -u
cd "$(dirname "$0")/../.." || exit 1
tmp=$(mktemp -d "${TMPDIR:-/tmp}/muster-sweep.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/bin"
ln -s "$PWD/tests/terraform/gcloud" "$tmp/bin/gcloud"
export PATH=$tmp/bin:$PATH GCLOUD_STATE=$tmp/state GCLOUD_CALLS=$tmp/calls
count=0

ok() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		sed 's/^/# /' "$tmp/out" "$GCLOUD_CALLS"
	fi
}

# What is there: a fleet t with two runs, and everything a careless filter could take for it.
fill() {
	cat >"$GCLOUD_STATE" <<'END'
instance,muster,t,r1,europe-west4-b,r1-w-1
instance,muster,t,r1,europe-west4-b,r1-w-x
instance,muster,t,r2,europe-west4-a,r2-w-1
instance,muster,t-2,r1,europe-west4-b,other-w-1
instance,,t,r1,europe-west4-b,not-labelled
instance,hand,t,r1,europe-west4-b,by-hand
disk,muster,t,r1,europe-west4-b,r1-w-9
disk,,,,europe-west4-b,somebody
image,muster,t,,,t-x86-64-0123456789ab
image,muster,tt,,,tt-x86-64-0123456789ab
bucket,muster,t,,,proj-t-control
bucket,muster,t,,,proj-t-data
bucket,,,,,proj-t-mine
router,,,,europe-west4,t-router
router,,,,europe-west4,t-router-2
subnetwork,,,,europe-west4,t-subnetwork
subnetwork,,,,europe-west4,default
network,,,,,t-network
network,,,,,t-network-2
network,,,,,default
account,,,,,t-worker@proj.iam.gserviceaccount.com
account,,,,,t-2-worker@proj.iam.gserviceaccount.com
END
	: >"$GCLOUD_CALLS"
}

# sweep WANT ARG…: its exit code is WANT
sweep() {
	local want=$1 code
	shift
	timeout 60 terraform/sweep.sh "$@" >"$tmp/out" 2>&1
	code=$?
	echo "exit $code" >>"$tmp/out"
	[ $code = "$want" ]
}
deletes() { grep -cE ' (delete|rm) ' "$GCLOUD_CALLS"; }
others() { grep -E 'other|not-labelled|by-hand|somebody|tt-|mine|-2|default' "$GCLOUD_STATE"; }

fill
others >"$tmp/others"
cp "$GCLOUD_STATE" "$tmp/before"
sweep 1 gcp --name t && [ "$(deletes)" = 0 ] && cmp -s "$GCLOUD_STATE" "$tmp/before"
ok $? "without --yes it lists, deletes nothing, exit 1"
diff <(grep -v -e left -e exit "$tmp/out") - >"$tmp/diff" <<'END'
instance r1-w-1 (europe-west4-b)
instance r1-w-x (europe-west4-b)
instance r2-w-1 (europe-west4-a)
disk r1-w-9 (europe-west4-b)
image t-x86-64-0123456789ab
bucket proj-t-control
bucket proj-t-data
router t-router (europe-west4)
subnetwork t-subnetwork (europe-west4)
network t-network
account t-worker@proj.iam.gserviceaccount.com
END
ok $? "what it lists, in the order of deletion"
! grep -v 'get-value' "$GCLOUD_CALLS" | grep -qv -e '--filter=.*--project=proj --quiet$' -e '--project=proj.*--filter='
ok $? "every question has a filter and the project"

sweep 0 gcp --name t --yes && [ "$(deletes)" = 9 ] && others | cmp -s - "$tmp/others" &&
	[ "$(wc -l <"$GCLOUD_STATE")" = "$(wc -l <"$tmp/others")" ] && grep -q '^nothing is left of t$' "$tmp/out"
ok $? "--yes deletes these and no others; exit 0"
grep -E ' (delete|rm) ' "$GCLOUD_CALLS" | grep -oE '^[a-z]+ [a-z-]+( subnets)?' | uniq | paste -sd, >"$tmp/order"
echo 'compute instances,compute disks,compute images,storage rm,compute routers,compute networks subnets,compute networks,iam service-accounts' |
	cmp -s - "$tmp/order"
ok $? "machines first, network and account last: $(cat "$tmp/order")"
sweep 0 gcp --name t && sweep 0 gcp --name t --yes
ok $? "once more: nothing is left, exit 0"

fill
sweep 0 gcp --name t --run r1 --yes && [ "$(deletes)" = 2 ] && ! grep -q '^[a-z]*,muster,t,r1,' "$GCLOUD_STATE" &&
	[ "$(wc -l <"$GCLOUD_STATE")" = $(($(wc -l <"$tmp/before") - 3)) ]
ok $? "--run takes that run's machines and disks, and leaves base"

fill
GCLOUD_FAIL="compute networks delete" sweep 1 gcp --name t --yes && grep -q 'still there: network - t-network' "$tmp/out" &&
	! grep -q '^account,,,,,t-worker@' "$GCLOUD_STATE"
ok $? "what cannot be deleted is named, the rest goes on, exit 1"
GCLOUD_FAIL="compute disks list" sweep 1 gcp --name t && grep -q 'cannot list disk' "$tmp/out"
ok $? "what cannot be looked for is said"
: >"$GCLOUD_STATE"
GCLOUD_FAIL="compute disks list" sweep 1 gcp --name t && grep -q 'not everything could be looked for' "$tmp/out"
ok $? "and is not taken for nothing"
for i in $(seq 250); do
	echo "instance,muster,t,r1,europe-west4-b,r1-w-$i"
done >"$GCLOUD_STATE"
: >"$GCLOUD_CALLS"
sweep 0 gcp --name t --yes && [ "$(deletes)" = 3 ]
ok $? "a hundred machines a call"

fill
while read -r line; do
	# shellcheck disable=SC2086
	sweep 2 $line && [ "$(deletes)" = 0 ]
	ok $? "refused: ${line:-nothing}"
done <<'END'

gcp
gcp --yes
gcp --name
gcp --name --yes
gcp --name T
gcp --name t*
gcp --name t --run r_1 --yes
gcp --name t --force
nowhere --name t
../gcp --name t
END
echo "1..$count"
