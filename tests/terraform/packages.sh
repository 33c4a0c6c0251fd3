#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches what check-schema.mjs reads into the folder it prints (build/npm): two npm packages
# of known content, once. Fails with a word when they cannot be had.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=build/npm

# name version sha512, files to unpack
packages=(
	"hcl2json 0.21.0 7305f78bf992248fdc46bb6ac043d17dac01ee95e0362a2b892964be8bbc2d6882aeb7037bd66d4db01bbbc5b5b44250a5ed699d7f55120a737ff05b33bc45f1 package/main.wasm.gz package/wasm"
	"provider-google 16.12.1 2aa340ff9462153d3baf43d267aff4edc276cc449481b8f525c8558f6d620450595546c3fb9efcc40fe4f1eabfaf471bc8480b9a0f5e616795b256986a1e0309 package/.jsii"
)

# npm's, whose own default it is
registry()
{
	npm config get registry 2>/dev/null || echo "${npm_config_registry:-https://registry.npmjs.org/}"
}

download()
{
	if command -v curl >/dev/null; then
		curl -fsS --retry 2 --max-time 120 -o "$2" "$1"
	else
		python3 -c 'import sys, urllib.request; urllib.request.urlretrieve(*sys.argv[1:])' "$1" "$2"
	fi
}

mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9
for package in "${packages[@]}"; do
	read -r name version sha512 files <<<"$package"
	[[ -f $dir/$name/.$version ]] && continue
	url=$(registry)
	url=${url%/}/@cdktf/$name/-/$name-$version.tgz
	tar=$dir/$name.tgz
	if ! download "$url" "$tar" 2>"$dir/log"; then
		tail -n 1 "$dir/log"
		exit 1
	fi
	sha512sum --check --status <<<"$sha512  $tar" || {
		echo "$name-$version.tgz is not what it was"
		exit 1
	}
	rm -rf "${dir:?}/$name"
	mkdir "$dir/$name"
	# shellcheck disable=SC2086 # several
	tar -xzf "$tar" -C "$dir/$name" --strip-components=1 $files
	rm "$tar"
	: >"$dir/$name/.$version"
done
echo "$dir"
