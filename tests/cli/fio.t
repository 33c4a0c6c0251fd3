#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# muster fio: recorded fleets, several files, exit codes, messages, escaping.
set -u

muster=${BUILD:-build}/muster
data=tests/data/fio
dir=$(mktemp -d "${TMPDIR:-/tmp}/fio.XXXXXX")
trap 'rm -rf "$dir"' EXIT
n=0

ok() { # ok STATUS NAME
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# out: /' "$dir/out" | head -n 20
		sed 's/^/# err: /' "$dir/err" | head -n 20
	fi
}

# fio WANTED_EXIT ARG...: output in $dir/out and $dir/err
fio() {
	local want=$1
	shift
	"$muster" fio "$@" >"$dir/out" 2>"$dir/err"
	local got=$?
	[ $got -eq "$want" ] || echo "# exit $got, want $want: fio $*"
	[ $got -eq "$want" ]
}
has() { grep -qF -- "$1" "$dir/out"; }
says() { grep -qF -- "$1" "$dir/err"; }

# one job entry: NAME ERROR IOS LAT
job() {
	printf '{"jobname":"%s","groupid":0,"error":%s,"read":{"io_bytes":%s,' "$1" "$2" \
		$(($3 * 4096))
	printf '"total_ios":%s,"runtime":2000,"short_ios":0,"drop_ios":0,"lat_ns":{%s}}}' \
		"$3" "$4"
}
doc() { printf '{\n"fio version":"fio-3.39","jobs":[%s]}\n' "$1"; }
lat4='"N":4,"min":1,"max":19000000000,"mean":4.5,"stddev":1.5,"bins":{"1":3,"17112760320":1}'

for i in 0 1 2 3; do
	gzip -dc "$data/fleet-0$i.json.gz" >"$dir/fleet-$i"
done

fio 0 "$dir/fleet-1" && has "fio-3.39, 6 jobs" && has "0 read" && has "total write"
ok $? "a fleet as tables"
grep -q '^0 .* read  *1426600  *23346577408  *2.001  *11126.952 ' "$dir/out"
ok $? "its reads: I/Os, bytes, runtime, MiB/s"
[ "$(grep -c '(us)' "$dir/out")" -eq 4 ] && has "bandwidth (MiB/s)" &&
	has "runtime (s)" && has "iops (1/s)"
ok $? "a unit in the heads"
[ "$(wc -L <"$dir/out")" -le 90 ]
ok $? "90 columns suffice"

cp "$dir/out" "$dir/named"
fio 0 - <"$dir/fleet-1" && diff <(tail -n +2 "$dir/out") <(tail -n +2 "$dir/named") >"$dir/err"
ok $? "standard input gives the same"

# fio's own sum in each recording is the reference of the JSON totals
cat >"$dir/check.pl" <<'EOF'
use strict;
use warnings;
use JSON::PP;
local $/;
my ($ours, @docs) = map { open my $f, '<', $_ or die; my $t = <$f>; $t =~ s/^.*?(?=^\{)//sm; decode_json($t) } @ARGV;
my $bad = $ours->{schema} ne 'muster/fio/1';
for my $rw (qw(read write)) {
	my @all = map { $_->{client_stats}[-1]{$rw} } @docs;
	my ($t, %bins, $sum, $n) = ($ours->{total}{$rw}, (), 0, 0);
	for my $lat (map { $_->{lat_ns} } @all) {
		$bins{$_} += $lat->{bins}{$_} for keys %{ $lat->{bins} };
		$n += $lat->{N};
		$sum += $lat->{N} * $lat->{mean};
	}
	my $total = sub { my $s = 0; $s += $_->{ $_[0] } for @all; $s };
	$bad++ if $t->{ios} != $total->('total_ios') || $t->{io_bytes} != $total->('io_bytes');
	$bad++ if $t->{lat}{n} != $n || abs($t->{lat}{mean_ns} - $sum / $n) > 1e-6;
	$bad++ if @{ $t->{lat}{percentiles} } != 17 || $t->{bw_bytes_per_s};
	for my $pct (@{ $t->{lat}{percentiles} }) {
		my ($cum, $key) = (0, 0);
		for (sort { $a <=> $b } keys %bins) {
			$key = $_;
			last if ($cum += $bins{$_}) >= $pct->{p} * $n / 100;
		}
		$bad++ if $pct->{ns} != $key || $pct->{censored};
		my $fio = $all[0]{lat_ns}{percentile}{ sprintf '%f', $pct->{p} };
		$bad++ if @docs == 1 && $pct->{ns} != $fio;
	}
	my @groups = grep { $_->{rw} eq $rw } @{ $ours->{groups} };
	$bad++ if @groups != @docs;
	for my $i (0 .. $#groups) {
		$bad++ if $groups[$i]{file} ne $ARGV[$i + 1];
		$bad++ if int($groups[$i]{bw_bytes_per_s}) != $all[$i]{bw_bytes};
	}
}
exit($bad ? 1 : 0);
EOF
for i in 0 1 2 3; do
	fio 0 --json "$dir/fleet-$i" && perl "$dir/check.pl" "$dir/out" "$dir/fleet-$i"
	ok $? "fleet $i as JSON: fio's own sum"
done
fio 0 --json "$dir"/fleet-? && perl "$dir/check.pl" "$dir/out" "$dir"/fleet-?
ok $? "four files: totals over all, groups by file, no bandwidth added"

doc "$(job slow 0 4 "$lat4")" >"$dir/slow"
fio 0 "$dir/slow" && has "≥17.1 s"
ok $? "a percentile at the ceiling has its sign"
fio 0 --json "$dir/slow" && has '"censored": true' && has '"censored": false'
ok $? "and is marked in JSON"

fio 2 "$dir/fleet-0" "$dir/absent" && says "$dir/absent: No such file" && [ ! -s "$dir/out" ]
ok $? "a missing file: exit 2, nothing printed"
fio 2 "$dir" && says "Is a directory"
ok $? "a folder: exit 2"
fio 2 && says "which FILE?"
ok $? "no file named: exit 2"
fio 2 --jsno "$dir/slow" && says "--json"
ok $? "an unknown flag: exit 2, the nearest named"
fio 2 - - </dev/null && says "only once"
ok $? "standard input twice: exit 2"

head -c 9000 "$dir/fleet-0" >"$dir/cut"
fio 4 "$dir/cut" && says "$dir/cut: fio's JSON is cut" && [ ! -s "$dir/out" ]
ok $? "a cut file: exit 4"
: >"$dir/empty"
fio 4 "$dir/empty" && says "no JSON"
ok $? "an empty file: exit 4"
fio 4 "$dir/empty" "$dir/slow" && [ ! -s "$dir/out" ]
ok $? "one bad file among good ones: exit 4, no figures of a part"
fio 2 "$dir/empty" "$dir/absent"
ok $? "a bad and a missing file: exit 2"
printf 'fio: size too small\x1b[31m\n\nfio: bye\n' >"$dir/text"
fio 4 "$dir/text" && says 'fio said: fio: size too small\x1b[31m; fio: bye'
ok $? "text without JSON: exit 4, fio's words, escaped"
doc "$(job wrong 0 5 "$lat4" | sed 's/"N":4/"N":5/')" >"$dir/sum"
fio 4 "$dir/sum" && says "the bins sum to 4, N is 5"
ok $? "bins that do not sum to N: exit 4"
doc "$(job none 0 0 '"N":0')" | sed '1i blocksize is larger than data set range' >"$dir/none"
fio 4 "$dir/none" && says "fio did no I/O; fio said: blocksize is larger"
ok $? "no I/O: exit 4, with fio's reason"

doc "$(job $'esc\x1b[2J' 5 4 "$lat4")" >"$dir/failed"
fio 1 "$dir/failed" && says 'job "esc\x1b[2J" failed with error 5: Input/output error' &&
	has "total read"
ok $? "a failed job: exit 1, said, figures printed, its name escaped"
fio 1 --json "$dir/failed" && has '"ios": 4'
ok $? "and as JSON"

doc "$(job plain 0 4 '"N":4,"min":1,"max":2,"mean":1.5,"stddev":0.5')" >"$dir/plain"
fio 0 "$dir/plain" && says "no latency bins" && has "16384"
ok $? "without bins: bandwidth, and how to get latency"
fio 0 --json "$dir/plain" "$dir/slow" && has '"mean_ns": null' && has '"ios": 8'
ok $? "totals then have no latency"

doc "$(job short 0 4 "$lat4" | sed 's/"short_ios":0/"short_ios":3/')" >"$dir/short"
fio 0 "$dir/short" && says "group 0 read: 3 short and 0 dropped I/Os"
ok $? "short I/Os are said"

name=$dir/$'na\x1bme'
cp "$dir/slow" "$name"
fio 0 "$name" && has 'na\x1bme:' && ! grep -q $'\x1b' "$dir/out"
ok $? "a file's name is escaped"

"$muster" fio --help >"$dir/out" 2>"$dir/err" && has "usage: muster fio FILE" && has "--json"
ok $? "--help teaches"
"$muster" fio "$dir/slow" >/dev/full 2>"$dir/err"
[ $? -eq 1 ] && says "standard output"
ok $? "a full disk is noticed"
echo "1..$n"
