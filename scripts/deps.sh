#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Names what this machine lacks and installs it with apt (Debian 12 and 13):
#   scripts/deps.sh              to build, and to run the demo and a worker
#   scripts/deps.sh test         the same and what the tests need
#   scripts/deps.sh vm           the same and what builds the VM image and runs it here
#   scripts/deps.sh check [test] [vm]  installs nothing; exit 1 when something is missing
#   scripts/deps.sh find-go      prints the Go that can build gcsfuse; exit 1 if there is none
# WITH=analyze adds the tools of `make analyze`. Installing needs root.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

build=(gcc libc6-dev make pkgconf libjansson-dev libarchive-dev libssl-dev libc-ares-dev
	zlib1g-dev libmicrohttpd-dev dpkg-dev ca-certificates)
run=(fio fuse3 util-linux)
tests=(perl clang clang-format python3-jsonschema jq strace shellcheck procps nodejs)
analyze=(clang-tidy cppcheck)
vm=(mmdebstrap arch-test debian-archive-keyring mtools dosfstools fdisk e2fsprogs binutils python3
	qemu-system-x86 qemu-utils ovmf socat curl jq)

# gcsfuse is built from source; any Go from here on fetches the release gcsfuse asks for
go_minor_min=21
apt_options=(-y -qq -o Dpkg::Use-Pty=0 --no-install-recommends)

die()
{
	echo "deps: $*" >&2
	exit 1
}

is_installed()
{
	[[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# The version apt would install; fails when it knows none.
candidate()
{
	local version
	version=$(apt-cache policy "$1" | sed -n 's/^ *Candidate: //p')
	[[ -n $version && $version != "(none)" ]] && echo "$version"
}

# clang's sanitizers and libFuzzer: a package named after clang's major version.
clang_runtime()
{
	local major=
	if command -v clang >/dev/null; then
		major=$(clang -dumpversion)
	else
		major=$(apt-cache depends clang 2>/dev/null |
			sed -n 's/.*Depends: clang-\([0-9]\+\)$/\1/p')
	fi
	[[ -z $major ]] || echo "libclang-rt-${major%%.*}-dev"
}

is_go_new_enough()
{
	local version
	version=$(GOTOOLCHAIN=local "$1" version 2>/dev/null | sed -n 's/.* go1\.\([0-9]\+\).*/\1/p')
	[[ -n $version ]] && ((version >= go_minor_min))
}

find_go()
{
	local go
	for go in "$(command -v go || true)" /usr/local/go/bin/go /usr/lib/go-1.*/bin/go; do
		if [[ -x $go ]] && is_go_new_enough "$go"; then
			echo "$go"
			return
		fi
	done
	return 1
}

has_go()
{
	find_go >/dev/null
}

# The Go to install, nothing if apt's are all too old: Debian's own one, which puts itself
# on PATH, or else the newest by number (Debian 12 has some in its backports).
go_package()
{
	local name minor
	minor=$(candidate golang-go | sed -n 's/^\([0-9]*:\)\?1\.\([0-9]\+\).*/\2/p')
	name=golang-go
	if ((${minor:-0} < go_minor_min)); then
		name=$(apt-cache search --names-only '^golang-1\.[0-9]+-go$' | cut -d' ' -f1 |
			sort -V | tail -n 1)
		minor=$(cut -d. -f2 <<<"${name%-go}")
	fi
	((${minor:-0} >= go_minor_min)) && echo "$name"
}

# Sets missing[] to the packages of wanted[] and of Go that are not here.
find_missing()
{
	local package
	missing=()
	for package in "${wanted[@]}"; do
		is_installed "$package" || missing+=("$package")
	done
	if ((with_tests)); then
		package=$(clang_runtime)
		[[ -z $package ]] || is_installed "$package" || missing+=("$package")
	fi
	has_go || ! package=$(go_package) || is_installed "$package" || missing+=("$package")
}

say_go()
{
	has_go || go_package >/dev/null ||
		echo "deps: no Go 1.$go_minor_min or newer here or in apt's sources: gcsfuse cannot be built, the demo measures a plain directory instead"
}

# Are apt's package lists absent, or too old to know what is missing?
lists_are_needed()
{
	local package
	for package in "${missing[@]}" clang; do
		candidate "$package" >/dev/null || return 0
	done
	return 1
}

run_apt()
{
	local log
	log=$(mktemp)
	if ! apt-get "$@" >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

install_missing()
{
	if lists_are_needed; then
		echo "deps: apt-get update"
		run_apt update -qq || die "apt-get update failed"
		find_missing
	fi
	((${#missing[@]})) || return 0
	echo "deps: apt-get install ${missing[*]}"
	run_apt install "${apt_options[@]}" "${missing[@]}" && return 0
	echo "deps: once more, with fresh package lists"
	run_apt update -qq || die "apt-get update failed"
	run_apt install "${apt_options[@]}" "${missing[@]}" ||
		die "apt-get could not install: ${missing[*]}"
}

# Debian 12's own Go is too old, its backports' is not; they are rarely in apt's sources. The
# package comes from a private list on the mirror apt already uses; /etc stays as it is.
install_go_from_backports()
{
	local dir line uri codename package
	# shellcheck disable=SC2016 # apt's own placeholders
	line=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' \
		'Created-By: Packages' 'Label: Debian' 2>/dev/null | head -n 1)
	read -r uri codename <<<"$line"
	codename=${codename%%-*}
	[[ -n $codename ]] || return 1
	dir=$(mktemp -d)
	mkdir -p "$dir/lists/partial"
	echo "deb $uri $codename-backports main" >"$dir/backports.list"
	private=(-o "Dir::Etc::SourceList=$dir/backports.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$dir/lists")
	if run_apt "${private[@]}" update -qq; then
		package=$(apt-cache "${private[@]}" search --names-only '^golang-1\.[0-9]+-go$' |
			cut -d' ' -f1 | sort -V | tail -n 1)
		if [[ -n $package ]]; then
			echo "deps: apt-get install $package (from $codename-backports)"
			run_apt "${private[@]}" install "${apt_options[@]}" "$package" || true
		fi
	fi
	rm -rf "$dir"
}

check_only=0
with_tests=0
wanted=("${build[@]}" "${run[@]}")
for word in "$@"; do
	case $word in
	check) check_only=1 ;;
	find-go) find_go && exit 0 || exit 1 ;;
	test) with_tests=1 wanted+=("${tests[@]}") ;;
	vm) wanted+=("${vm[@]}") ;;
	*) die "unknown word \"$word\" (check, test, vm)" ;;
	esac
done
[[ ${DEPS:-} != *check* ]] || check_only=1
[[ ${WITH:-} != *analyze* ]] || wanted+=("${analyze[@]}")
command -v apt-get >/dev/null || die "this is no Debian; needed are: ${wanted[*]} and Go"

find_missing
complete=0
((${#missing[@]})) || ! has_go || complete=1
if ((!complete && !check_only && !EUID)); then
	install_missing
	has_go || go_package >/dev/null || install_go_from_backports || true
	find_missing
fi
if ((${#missing[@]} == 0)); then
	echo "deps: nothing is missing"
elif ((check_only)); then
	echo "deps: missing: ${missing[*]}"
elif ((EUID)); then
	echo "deps: missing; as root: apt-get update && apt-get install --no-install-recommends ${missing[*]}"
else
	echo "deps: apt-get left out: ${missing[*]}"
fi
say_go
((${#missing[@]} == 0))
