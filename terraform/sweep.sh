#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is left of a fleet when Terraform's state is lost or destroy did not finish:
#   terraform/sweep.sh gcp --name NAME [--run RUN] [--project P] [--yes]
# lists everything that carries the labels managed-by=muster and fleet=NAME, and what can
# carry none and has exactly the name base gives it (NAME-worker, NAME-network, …). With
# --run only that run's machines and disks. Deletes what it has listed, with --yes only; the
# control bucket with all results is among it, so muster collect comes first.
# Exit: 0 nothing is left, 1 something is (or could not be looked for), 2 bad usage.
#
# Each way is a file of its own, terraform/<way>/sweep.sh, that defines
#   sweep_prepare         checks its tools; may set defaults
#   sweep_list            prints "kind place name" lines in the order of deletion; - is no place
#   sweep_remove KIND PLACE NAME…
# with name, run and project as given.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

die()
{
	echo "sweep: $*" >&2
	exit 2
}

way=${1:-}
[[ -n $way ]] || die "say where: $(cd "$here" && echo */sweep.sh | sed 's/\/sweep.sh//g')"
[[ $way =~ ^[a-z]+$ && -f $here/$way/sweep.sh ]] || die "no such way: $way"
shift
# shellcheck disable=SC2034 # the ways use project
name='' run='' project='' yes=
while (($#)); do
	case $1 in
	--name | --run | --project)
		[[ ${2:-} == [a-z0-9]* ]] || die "$1 wants a value"
		declare "${1#--}=$2"
		shift
		;;
	--yes) yes=1 ;;
	*) die "unknown word \"$1\" (--name, --run, --project, --yes)" ;;
	esac
	shift
done
# as terraform has them: nothing of them is special in a filter
[[ $name =~ ^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$ ]] || die "--name: not the name of a fleet: \"$name\""
[[ -z $run || $run =~ ^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$ ]] || die "--run: not a run's id: \"$run\""

# shellcheck source=/dev/null
. "$here/$way/sweep.sh"
sweep_prepare

# Sets found[]; false when something could not be looked for.
look()
{
	local list status=0
	list=$(sweep_list) || status=1
	found=()
	[[ -z $list ]] || mapfile -t found <<<"$list"
	return $status
}

# Neighbours of one kind and place in one go, a hundred at most.
remove_found()
{
	local kind place one last='' names=()
	for one in "${found[@]}" "- - -"; do
		read -r kind place one <<<"$one"
		if ((${#names[@]})) && [[ $kind/$place != "$last" || ${#names[@]} -ge 100 ]]; then
			echo "deleting ${#names[@]} $last"
			sweep_remove "${last%%/*}" "${last#*/}" "${names[@]}" ||
				echo "sweep: not all of these could be deleted" >&2
			names=()
		fi
		last=$kind/$place
		names+=("$one")
	done
}

complete=1
look || complete=0
for line in "${found[@]}"; do
	read -r kind place one <<<"$line"
	echo "$kind $one${place:+ ($place)}" | sed 's/ (-)$//'
done
if ((${#found[@]} && !yes)); then
	echo "${#found[@]} left; --yes deletes them"
	exit 1
fi
if ((${#found[@]})); then
	remove_found
	look || complete=0
	for line in "${found[@]}"; do
		echo "sweep: still there: $line" >&2
	done
fi
((${#found[@]})) && exit 1
((complete)) || { echo "sweep: not everything could be looked for" >&2; exit 1; }
echo "nothing is left of $name${run:+, run $run}"
