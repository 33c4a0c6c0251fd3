# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# terraform/sweep.sh on Google Cloud, by gcloud.

sweep_prepare()
{
	command -v gcloud >/dev/null || die "gcloud is not in PATH"
	[[ -n $project ]] || project=$(gcloud config get-value project 2>/dev/null) || true
	[[ -n $project ]] || die "no project: give --project, or gcloud config set project"
}

ask()
{
	gcloud "$@" --project="$project" --quiet
}

# labelled KIND FIELD COMMAND…: what has the labels. The filter asks for them; they are
# looked at once more here, because what is printed is what --yes deletes.
labelled()
{
	local kind=$1 field=$2 filter="labels.managed-by=muster AND labels.fleet=$name" rows
	shift 2
	[[ -z $run ]] || filter+=" AND labels.run=$run"
	rows=$(ask "$@" --filter="$filter" --format="csv[no-heading](labels.managed-by,labels.fleet,labels.run,$field,name)") || {
		echo "sweep: cannot list $kind" >&2
		return 1
	}
	awk -F, -v kind="$kind" -v name="$name" -v run="$run" \
		'$1 == "muster" && $2 == name && (run == "" || $3 == run) && $5 != "" {
			print kind, ($4 == "" ? "-" : $4), $5 }' <<<"$rows"
}

# named KIND FIELD KEY VALUE COMMAND…: what has no labels, by its whole name
named()
{
	local kind=$1 field=$2 key=$3 value=$4 rows
	shift 4
	rows=$(ask "$@" --filter="$key=$value" --format="csv[no-heading]($field,$key)") || {
		echo "sweep: cannot list $kind" >&2
		return 1
	}
	awk -F, -v kind="$kind" -v value="$value" \
		'$2 == value { print kind, ($1 == "" ? "-" : $1), $2 }' <<<"$rows"
}

# In the order of deletion: what is used comes after what uses it.
sweep_list()
{
	local status=0
	labelled instance 'zone.basename()' compute instances list || status=1
	labelled disk 'zone.basename()' compute disks list || status=1
	[[ -z $run ]] || return $status
	labelled image none compute images list --no-standard-images || status=1
	labelled bucket none storage buckets list || status=1
	named router 'region.basename()' name "$name-router" compute routers list || status=1
	named subnetwork 'region.basename()' name "$name-subnetwork" \
		compute networks subnets list || status=1
	named network none name "$name-network" compute networks list || status=1
	named account none email "$name-worker@$project.iam.gserviceaccount.com" \
		iam service-accounts list || status=1
	return $status
}

sweep_remove()
{
	local kind=$1 place=$2 one status=0
	shift 2
	case $kind in
	instance) ask compute instances delete "$@" --zone="$place" ;;
	disk) ask compute disks delete "$@" --zone="$place" ;;
	image) ask compute images delete "$@" ;;
	bucket) ask storage rm --recursive "${@/#/gs://}" ;;
	router) ask compute routers delete "$@" --region="$place" ;;
	subnetwork) ask compute networks subnets delete "$@" --region="$place" ;;
	network) ask compute networks delete "$@" ;;
	account)
		for one in "$@"; do
			ask iam service-accounts delete "$one" || status=1
		done
		return $status
		;;
	esac
}
