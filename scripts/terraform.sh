#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the path of a Terraform that muster's modules run on, 1.9 or newer and below 2:
#   scripts/terraform.sh         the one in PATH, else build/tools/terraform, else it builds
#                                that one from its Go module; else an OpenTofu in PATH
#   scripts/terraform.sh find    the same, and builds nothing: exit 1 when there is none
# Building takes Go (scripts/deps.sh find-go), a Go module proxy and some minutes, once.
set -euo pipefail
cd "$(dirname "$0")/.."

module=github.com/hashicorp/terraform
version=v1.11.4
# Modules of the same repository that $module replaces by folders its zip does not have: the
# commit that is $version.
parts_version=v0.0.0-20250409131005-35645b8fca68
parts=(internal/backend/remote-state/{azure,consul,cos,gcs,kubernetes,oss,pg,s3} internal/legacy)
# The toolchain its go.mod names: later ones refuse a setting in there.
export GOTOOLCHAIN=go1.23.3
dir=$PWD/build/tools

die()
{
	echo "terraform.sh: $*" >&2
	exit 1
}

is_good()
{
	local version
	# a preset configuration file that is not there is an error to Terraform
	version=$(TF_CLI_CONFIG_FILE=/dev/null CHECKPOINT_DISABLE=1 "$1" version 2>/dev/null |
		sed -n '1s/^[A-Za-z]* v1\.\([0-9]*\)\..*/\1/p')
	[[ -n $version ]] && ((version >= 9))
}

find_one()
{
	local name
	for name in "$@"; do
		name=$(command -v "$name") && is_good "$name" && echo "$name" && return
	done
	return 1
}

build()
{
	local go source part
	go=$(scripts/deps.sh find-go) || die "no Go to build Terraform with (make deps installs one)"
	echo "terraform.sh: building Terraform $version from its Go module, some minutes (log: $dir/terraform.log)" >&3
	source=$("$go" mod download -json "$module@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
	[[ -d $source ]] || die "the Go module $module@$version cannot be had"
	rm -rf "$dir/src"
	cp -r --no-preserve=mode "$source" "$dir/src"
	for part in "${parts[@]}"; do
		(cd "$dir/src" && "$go" mod edit -replace "$module/$part=$module/$part@$parts_version")
	done
	(cd "$dir/src" && CGO_ENABLED=0 "$go" build -mod=mod -buildvcs=false -trimpath \
		-ldflags "-s -w -X $module/version.dev=no" -o "$dir/terraform.part" .)
	mv "$dir/terraform.part" "$dir/terraform"
	rm -rf "$dir/src"
}

case ${1:-} in
'' | find) ;;
*) die "unknown word \"$1\" (find)" ;;
esac
find_one terraform "$dir/terraform" && exit
if [[ ${1:-} == find ]]; then
	find_one tofu
	exit
fi
mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9 # two builds at once would share one work folder
find_one "$dir/terraform" && exit
# set -e stops at the first failure only outside of a condition
set +e
(
	set -e
	build
) 3>&2 >"$dir/terraform.log" 2>&1
result=$?
set -e
if ((result)); then
	find_one tofu && exit
	tail -n 5 "$dir/terraform.log" >&2
	die "Terraform could not be built; the whole log is $dir/terraform.log"
fi
find_one "$dir/terraform" || die "what was built is no Terraform of 1.9 or newer"
