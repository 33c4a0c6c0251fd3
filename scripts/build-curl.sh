#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds a static libcurl that speaks HTTP and HTTPS and nothing else:
#   scripts/build-curl.sh [DIR]     makes DIR/include and DIR/lib/libcurl.a (build/curl)
# The source is Debian's own curl package of the running release, fetched and verified by
# apt from the repositories this machine already uses. Nothing outside DIR is written.
set -euo pipefail

dir=${1:-build/curl}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
src=$dir/src
log=$dir/build.log
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)

# No certificate folder is compiled in: the programs look for one when they start.
options=(
	'CFLAGS=-Os -g0 -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables'
	--disable-shared --enable-static --disable-manual --disable-docs
	--disable-maintainer-mode --disable-dependency-tracking
	--disable-libcurl-option --disable-openssl-auto-load-config
	--with-openssl --with-zlib --enable-ares --without-ca-bundle --without-ca-path
	--without-{brotli,zstd,libidn2,libpsl,nghttp2,nghttp3,ngtcp2,quiche,msh3}
	--without-{libssh2,libssh,wolfssh,librtmp,gssapi,libgsasl,zsh-functions-dir}
	--without-{fish-functions-dir,libuv}
	--disable-{ldap,ldaps,rtsp,dict,telnet,tftp,pop3,imap,smb,smtp,gopher,mqtt,ftp}
	--disable-{file,ipfs,websockets,unix-sockets,doh,mime,form-api,cookies,hsts}
	--disable-{alt-svc,netrc,ntlm,ntlm-wb,kerberos-auth,negotiate-auth,aws,sspi}
	--disable-{tls-srp,digest-auth,progress-meter,get-easy-options}
	--disable-{threaded-resolver,httpsrr,ssls-export,ech,ca-search,headers-api}
)

die()
{
	echo "build-curl: $*" >&2
	exit 1
}

# What must match for an earlier build to be used again.
describe()
{
	echo "$codename $(dpkg --print-architecture)"
	printf '%s\n' "${options[@]}"
}

# Did apt learn of a newer curl (a security fix, say) since DIR was built?
outdated()
{
	local known
	known=$(apt-cache policy curl 2>/dev/null | sed -n 's/^ *Candidate: //p')
	[[ $known == [0-9]* ]] && dpkg --compare-versions "$known" gt "$(tail -n 1 "$dir/version")"
}

up_to_date()
{
	[[ -f $dir/lib/libcurl.a && -f $dir/options && -f $dir/version ]] &&
		[[ $(cat "$dir/options") == "$(describe)" ]] && ! outdated
}

own_state=(-q -o Dir::State::Lists="$src/lists" -o Dir::Cache="$src/cache"
	-o APT::Sandbox::User="$(id -un)")

# This machine's Debian repositories, once more, as sources of source packages.
source_list()
{
	local keyring option=
	for keyring in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
		[[ -f $keyring ]] && option="[signed-by=$keyring] "
	done
	apt-get "$@" indextargets --format "\$(CODENAME) \$(ORIGIN) \$(COMPONENT) deb-src $option\$(REPO_URI) \$(RELEASE) main" \
		'Created-By: Packages' |
		sed -n "s/^$codename\(-updates\|-security\)\? Debian main //p" | sort -u
}

private_apt()
{
	"$@" "${own_state[@]}" -o Dir::Etc::SourceList="$src/curl.list" \
		-o Dir::Etc::SourceParts=/dev/null
}

# Newest first; a mirror can list a version that it does not hold (yet, or any more).
fetch_source()
{
	local version newest=
	for version in $(private_apt apt-cache showsrc --only-source curl |
		sed -n 's/^Version: //p' | sort -rVu); do
		newest=${newest:-$version}
		(cd "$src" && private_apt apt-get source --download-only --only-source \
			"curl=$version") || continue
		[[ $version == "$newest" ]] ||
			echo "build-curl: curl $newest cannot be fetched, this is $version" >&3
		# for outdated(): what was built, and what apt knew of then
		printf '%s\n' "$version" "$newest" >"$src/version"
		return 0
	done
	return 1
}

fetch()
{
	mkdir -p "$src"/{lists,cache/archives}/partial
	source_list >"$src/curl.list"
	if [[ ! -s $src/curl.list ]]; then
		# the system's package lists, which say whose repository is whose, are absent
		apt-get "${own_state[@]}" update
		source_list "${own_state[@]}" >"$src/curl.list"
	fi
	[[ -s $src/curl.list ]] || die "apt knows no Debian repository of $codename"
	private_apt apt-get update
	fetch_source
	dpkg-source -x "$src"/curl_*.dsc "$src/curl"
}

build()
{
	cd "$src/curl"
	# Debian's patches touch the build files' sources, never what this build takes of
	# them: keep the generated files newer, so that make does not ask for autotools
	[[ -x configure ]] || autoreconf -fi
	find . \( -name aclocal.m4 -o -name configure -o -name Makefile.in \
		-o -name '*config.h.in' \) -exec touch {} +
	./configure --prefix="$dir" "${options[@]}"
	make -C lib -j"$(nproc)" libcurl.la
	make -C lib install-libLTLIBRARIES
	make -C include install
	rm -f "$dir"/lib/*.la
	cp "$src/version" "$dir/version"
	describe >"$dir/options"
}

exec 9>"$dir/lock"
flock 9 # two builds at once would share one work folder
up_to_date && exit 0
for tool in dpkg-source make gcc; do
	command -v $tool >/dev/null || die "$tool is missing (make deps installs it)"
done
rm -rf "$src" "$dir/options"
echo "building libcurl from Debian's source package, about half a minute (log: $log)"
# each step stops at its first failure only outside of a condition
set +e
(
	set -e
	fetch
	build
) 3>&2 >"$log" 2>&1
result=$?
set -e
if ((result)); then
	tail -n 20 "$log" >&2
	die "failed; the whole log is $log"
fi
rm -rf "$src"
