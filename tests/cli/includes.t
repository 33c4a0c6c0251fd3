#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The house rules that a compiler does not check: who may include what, banned functions,
# lengths, headers that stand alone, formatting. Each check first has to find a planted
# violation, then must find none in the tree.
# shellcheck disable=SC2317 # check() calls the functions by name
set -u
cd "$(dirname "$0")/../.." || exit 1

CC=${CC:-cc}
tree=$PWD
curl_include=$(realpath -m "${CURL:-build/curl}")/include
product=(core manifests worker coordinator emulator)
planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
count=0
failed=0

result() # <what> <0 or 1> [explanation]
{
	count=$((count + 1))
	if (($2 == 0)); then
		echo "ok $count - $1"
		return
	fi
	failed=1
	echo "not ok $count - $1"
	head -n 40 <<<"${3:-}" | while read -r line; do echo "# $line"; done
}

# C sources below the given folders of the current directory.
sources()
{
	find "$@" -name '*.[ch]' 2>/dev/null | sort
}

# "file:line:code" of the given files without comments, text of strings and characters.
code()
{
	# shellcheck disable=SC2016
	(($#)) && perl -0777 -ne '
		s{(//[^\n]*|/\*.*?\*/)|"((?:[^"\\\n]|\\.)*)"|\x27((?:[^\x27\\\n]|\\.)*)\x27}
		 {my $c = $1; defined $c ? $c =~ s/[^\n]//gr : "\"\""}gse;
		my $n = 0;
		print $ARGV, ":", ++$n, ":", $_, "\n" for split /\n/, $_, -1;' "$@"
}

# The quoted includes of a folder as "file: path".
includes()
{
	grep -rHE --include='*.[ch]' '^ *# *include *"' "$1" 2>/dev/null |
		sed 's|^\([^:]*\):[^"]*"\(.*\)".*|\1: \2|'
}

layering()
{
	local base='err|str|log|json|crc32c|clock|cleanup|rng'
	includes core | grep -v ': core/'
	includes manifests | grep -vE ': (manifests|core)/'
	includes worker | grep -vE ': (worker|manifests|core)/'
	includes coordinator | grep -vE ': (coordinator|manifests|core)/'
	includes emulator | grep -vE ": (emulator/|core/($base)\.h$)"
}

missing_includes()
{
	local file path folder
	for folder in "${product[@]}" tests; do
		includes "$folder" | while IFS=': ' read -r file path; do
			[[ -f $path ]] || echo "$file: $path"
		done
	done
}

third_party()
{
	local all
	mapfile -t all < <(sources "${product[@]}")
	((${#all[@]})) || return
	grep -nE '# *include *<curl/' "${all[@]}" | grep -v '^core/http\.c:'
	grep -nE '# *include *<archive(_entry)?\.h>' "${all[@]}" | grep -v '^core/archive\.c:'
	grep -nE '# *include *<microhttpd\.h>' "${all[@]}" | grep -v '^emulator/'
}

calls() # <names joined by |> <folder>...
{
	local names=$1 all
	shift
	mapfile -t all < <(sources "$@")
	code "${all[@]}" | grep -P ":\d+:.*(?<![\w.>])($names)\s*\("
}

banned_functions()
{
	calls 'strcpy|strcat|sprintf|vsprintf|strncpy|strtok|atoi|atol|strtol|sscanf|alloca|gets|system|popen' \
		"${product[@]}" tests
}

library_prints()
{
	local all
	calls 'printf|vprintf|puts|putchar|perror|exit|abort' core manifests
	mapfile -t all < <(sources core manifests)
	code "${all[@]}" | grep -P ':\d+:.*\b(stdout|stderr)\b'
}

long_functions()
{
	local all
	mapfile -t all < <(sources "${product[@]}" tests)
	awk 'FNR == 1 { start = 0 }
	     /^\{/ { start = FNR }
	     /^\}/ { if (start && FNR - start - 1 > 80)
			     printf "%s:%d: %d lines\n", FILENAME, start, FNR - start - 1
		     start = 0 }' "${all[@]}"
}

long_files()
{
	local all
	mapfile -t all < <(sources "${product[@]}" tests)
	awk 'FNR == 601 { print FILENAME " goes past 600 lines" }' "${all[@]}"
}

no_licence()
{
	local all
	mapfile -t all < <(sources "${product[@]}" tests)
	awk 'FNR == 1 && $0 != "// SPDX-License-Identifier: Apache-2.0" ||
	     FNR == 2 && !/^\/\/ / { print FILENAME ":" FNR ": " $0 }' "${all[@]}"
}

headers_not_alone()
{
	local file flags
	read -ra flags < <(pkg-config --cflags jansson libarchive libmicrohttpd openssl)
	for file in $(sources "${product[@]}" tests | grep '\.h$'); do
		"$CC" -std=c17 -D_GNU_SOURCE -I. "${flags[@]}" "-I$curl_include" -Werror \
			-fsyntax-only -x c "$file" 2>&1
	done
}

not_formatted()
{
	local all
	mapfile -t all < <(sources "${product[@]}" tests)
	clang-format --style="file:$tree/.clang-format" --dry-run -Werror "${all[@]}" 2>&1 |
		grep 'error:'
}

check() # <what holds> <function> <file to plant> <its text>
{
	local found
	rm -rf "${planted:?}"/*
	mkdir -p "$planted/$(dirname "$3")"
	printf '%b' "$4" >"$planted/$3"
	found=$(cd "$planted" && $2)
	result "$1: a violation is found" "$([[ -n $found ]]; echo $?)"
	found=$($2)
	result "$1" "$([[ -z $found ]]; echo $?)" "$found"
}

lines() # <n>: as many lines of code, for printf %b
{
	printf '\\tx++;\\n%.0s' $(seq "$1")
}

mapfile -t all < <(sources "${product[@]}")
result "there are sources to check" "$((${#all[@]} == 0))"

check "core includes only core" layering core/x.c '#include "manifests/paths.h"\n'
check "manifests include only manifests and core" \
	layering manifests/x.h '#include "worker/worker.h"\n'
check "the worker includes nothing of the coordinator" \
	layering worker/x.c '#include "coordinator/plan.h"\n'
check "the coordinator includes nothing of the worker" \
	layering coordinator/x.c '# include "worker/step.h"\n'
check "the emulator includes only the base of core" \
	layering emulator/x.c '#include "core/http.h"\n'
check "every quoted include is a path from the top" \
	missing_includes core/x.c '#include "err.h"\n'
check "libcurl is used in core/http.c only" \
	third_party core/auth.c '#include <curl/curl.h>\n'
check "libarchive is used in core/archive.c only" \
	third_party coordinator/x.c '#include <archive_entry.h>\n'
check "libmicrohttpd is used in emulator/ only" \
	third_party worker/x.c '#include <microhttpd.h>\n'
for name in strcpy system atoi; do
	check "no banned function, $name among them" banned_functions worker/x.c \
		"/* fine: $name(a) */ // $name(b)\nchar *s = \"\\\\\"$name(c)\";\nint r = $name (d);\n"
done
check "core and manifests never print or exit" \
	library_prints manifests/x.c 'int f(void)\n{\n\texit(1);\n}\n'
check "core and manifests leave the standard streams alone" \
	library_prints core/x.c 'int f(void)\n{\n\tfputs("x", stderr);\n}\n'
check "functions have at most 80 lines" \
	long_functions core/x.c "int f(void)\n{\n$(lines 81)}\n"
check "files have at most 600 lines" long_files core/x.c "$(lines 601)"
check "every file names its licence and purpose" no_licence core/x.c 'int x;\n'
if command -v "$CC" >/dev/null && command -v pkg-config >/dev/null && [[ -d $curl_include ]]; then
	check "every header compiles alone" headers_not_alone core/x.h 'size_t f(void);\n'
else
	result "every header compiles alone # SKIP no compiler, pkg-config or $curl_include" 0
fi
version=$(clang-format --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p')
# other versions differ in details: their users would have to fight over every commit
if [[ $version == 14 ]]; then
	check "the sources are formatted" not_formatted core/x.c 'int  x ;\n'
else
	result "the sources are formatted # SKIP no clang-format 14" 0
fi

# the checks must not see what is fine
rm -rf "${planted:?}"/*
mkdir "$planted/core"
printf '%b' "/* strcpy(a) */\nint f(void)\n{\n$(lines 80)}\n// exit(1)\nchar s[] = \"\\\\\"printf(\";\n" \
	>"$planted/core/x.c"
printf '%b' 'void (*p)(int) __attribute__((format(printf, 1, 2)));\nint y = t->exit(1) + my_exit(2) + snprintf(s, 1, "");\n' \
	>>"$planted/core/x.c"
found=$(cd "$planted" && banned_functions && library_prints && long_functions)
result "comments, strings, members and 80 lines are no violations" "$([[ -z $found ]]; echo $?)" "$found"

echo "1..$count"
exit $failed
