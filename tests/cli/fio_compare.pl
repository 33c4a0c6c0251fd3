#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Compares `muster fio --json` with the text fio wrote after its JSON; prints TAP.
# Argument: a folder of runs, each with name, out (fio), json and rc (muster), fio.rc.
use strict;
use warnings;
use JSON::PP;

my $root = shift or die "usage: fio_compare.pl DIR\n";
my $count = 0;
my @why;

sub slurp { local $/; open my $f, '<', $_[0] or return ''; my $t = <$f>; close $f; $t // '' }

# "51.6MiB" -> (value, weight of its last digit)
my %unit = (
	'' => 1, k => 1e3, M => 1e6, G => 1e9, T => 1e12,
	Ki => 2**10, Mi => 2**20, Gi => 2**30, Ti => 2**40,
);

sub figure {
	my ($number, $prefix) = $_[0] =~ /^([\d.]+)([KMGT]i|[kMGT])?B?$/ or die "figure: $_[0]";
	my $scale = $unit{$prefix // ''};
	my $decimals = $number =~ /\.(\d+)/ ? length $1 : 0;
	return ($number * $scale, $scale / 10**$decimals);
}

# is $ours what $text says, up to half of its last digit? fio's short forms (12.3k) are cut
# and rounded in integer steps: up to a whole one
sub same {
	my ($what, $ours, $text) = @_;
	my ($value, $last) = figure($text);
	my $most = $text =~ /[kMGT]/ ? 1 : 0.5001;
	push @why, "$what: muster $ours, fio $text" if abs($ours - $value) > $most * $last + 1e-9 * $value;
}

# $text was cut or rounded up to whole units of $scale ns
sub within {
	my ($what, $ours, $text, $scale) = @_;
	push @why, "$what: muster $ours ns, fio $text x $scale ns" if abs($ours - $text * $scale) >= $scale;
}

# "max=1470", cut to whole units, or fio's short form "max=14.5k" of such a number
sub same_ns {
	my ($what, $ours, $text, $scale) = @_;
	return within($what, $ours, $text, $scale) if $text =~ /^\d+$/;
	same($what, int($ours / $scale), $text);
}

my %ns = (nsec => 1, usec => 1e3, msec => 1e6);

# fio's text: groups{g}{rw} of the run status lines, entries{g}{rw} a list of job lines
sub parse_text {
	my ($text) = @_;
	my (%groups, %entries, $g, $e, $status, $list);

	for (split /\n/, $text) {
		if (/^\S.*: \(groupid=(\d+), jobs=\d+\): err= *(\d+)/) {
			($g, $e) = ($1, undef);
			push @why, "fio's job failed" if $2;
		} elsif (/^Run status group (\d+)/) {
			$status = $1;
		} elsif (defined $status && /^\s+(READ|WRITE|TRIM|MIXED): bw=(\S+)\/s \((\S+)\/s\).* io=(\S+) \((\S+)\), run=\d+-(\d+)msec/) {
			$groups{$status}{lc $1} = { bw => [$2, $3], io => [$4, $5], run_ms => $6 };
		} elsif (defined $g && /^ +(read|write|trim|mixed) *: IOPS=([^,]+), BW=(\S+)\/s \((\S+)\/s\)\((\S+)\/(\d+)msec\)/) {
			$e = { iops => $2, bw => [$3, $4], io => [$5], run_ms => $6 };
			push @{ $entries{$g}{$1} }, $e;
		} elsif ($e && /^ +lat \((\w+)\): min= *(\S+), max= *(\S+), avg= *(\S+), stdev= *(\S+)/) {
			$e->{lat} = { scale => $ns{$1}, min => $2, max => $3, avg => $4, stdev => $5 };
		} elsif ($e && /^ +(\w+) percentiles \((\w+)\):/) {
			$list = $1 eq 'lat' ? $ns{$2} : undef;
		} elsif ($e && $list && /^ +\| /) {
			$e->{pct}{ $1 + 0 } = [$2, $list] while /([\d.]+)th=\[ *(\d+)\]/g;
		}
	}
	return (\%groups, \%entries);
}

sub percentile {
	my ($bins, $n, $p) = @_;
	my $sum = 0;
	for (@$bins) {
		return $_->[0] if ($sum += $_->[1]) >= $p * $n / 100;
	}
	return $bins->[-1][0];
}

sub compare_rates {
	my ($what, $ours, $fio) = @_;
	return push @why, "$what: not in fio's text" if !$fio;
	same("$what bw", $ours->{bw_bytes_per_s}, $_) for @{ $fio->{bw} };
	same("$what io", $ours->{io_bytes}, $_) for @{ $fio->{io} };
	push @why, "$what: runtime $ours->{runtime_ns} ns, fio $fio->{run_ms} ms"
		if $ours->{runtime_ns} != $fio->{run_ms} * 1e6;
}

# one job line is the whole group: everything must agree; fio cuts IOPS to whole ones
sub compare_entry {
	my ($what, $ours, $fio) = @_;
	my ($lat, $text) = ($ours->{lat}, $fio->{lat});

	compare_rates($what, $ours, $fio);
	same("$what IOPS", int $ours->{iops}, $fio->{iops});
	return push @why, "$what: no latency in fio's text" if !$text || !$fio->{pct};
	same_ns("$what min", $lat->{min_ns}, $text->{min}, $text->{scale});
	same_ns("$what max", $lat->{max_ns}, $text->{max}, $text->{scale});
	same("$what avg", $lat->{mean_ns} / $text->{scale}, $text->{avg});
	same("$what stdev", $lat->{stddev_ns} / $text->{scale}, $text->{stdev});
	within("$what p$_", percentile($lat->{bins}, $lat->{n}, $_), @{ $fio->{pct}{$_} })
		for sort keys %{ $fio->{pct} };
}

# several job lines make the group: least, largest, longest
sub compare_entries {
	my ($what, $ours, @fio) = @_;
	my $at = sub { my ($lat, $key) = @_; (figure($lat->{$key}))[0] * $lat->{scale} };
	my @lat = map { $_->{lat} } @fio;
	my ($min) = sort { $at->($a, 'min') <=> $at->($b, 'min') } @lat;
	my ($max) = sort { $at->($b, 'max') <=> $at->($a, 'max') } @lat;
	my ($longest) = sort { $b <=> $a } map { $_->{run_ms} } @fio;

	same_ns("$what least min", $ours->{lat}{min_ns}, $min->{min}, $min->{scale});
	same_ns("$what largest max", $ours->{lat}{max_ns}, $max->{max}, $max->{scale});
	push @why, "$what: longest run $longest ms" if $ours->{runtime_ns} != $longest * 1e6;
}

sub tap {
	my ($name) = @_;
	print @why ? "not ok " : "ok ", ++$count, " - $name\n";
	print "# $_\n" for @why;
	@why = ();
}

my $entries_seen = 0;
for my $run (sort glob "$root/[0-9]*") {
	chomp(my $name = slurp("$run/name"));
	my $doc = eval { JSON::PP->new->decode(slurp("$run/json")) } // {};
	my ($groups, $entries) = parse_text(slurp("$run/out") =~ s/^\{\n.*?^\}\n//smr);
	my %percentiles;

	push @why, "fio: " . slurp("$run/fio.log") if slurp("$run/fio.rc") != 0;
	push @why, "muster: " . slurp("$run/err") if slurp("$run/rc") != 0;
	push @why, "no groups" if !@{ $doc->{groups} // [] };
	for my $ours (@{ $doc->{groups} // [] }) {
		my ($g, $rw) = @$ours{qw(group rw)};
		compare_rates("group $g $rw", $ours, delete $groups->{$g}{$rw});
	}
	push @why, "muster lacks group $_ " . join ' ', keys %{ $groups->{$_} }
		for grep { %{ $groups->{$_} } } sort keys %$groups;
	tap("$name: fio's group lines");

	for my $ours (@{ $doc->{groups} // [] }) {
		my ($g, $rw) = @$ours{qw(group rw)};
		my @fio = @{ $entries->{$g}{$rw} // [] };
		$entries_seen += @fio;
		if (@fio == 1) {
			compare_entry("group $g $rw", $ours, @fio);
		} elsif (@fio) {
			compare_entries("group $g $rw", $ours, @fio);
		} else {
			push @why, "group $g $rw: no job line in fio's text";
		}
		$percentiles{$_} = 1 for map { keys %{ $_->{pct} } } @fio;
	}
	tap("$name: fio's job lines");

	for my $rw (sort keys %{ $doc->{total} // {} }) {
		my $list = join ' ', map { $_->{p} + 0 } @{ $doc->{total}{$rw}{lat}{percentiles} };
		my $want = join ' ', sort { $a <=> $b } map { $_ + 0 } keys %percentiles;
		push @why, "$rw: percentiles $list, fio $want" if $list ne $want;
	}
	tap("$name: fio's percentile list");
}
push @why, "$entries_seen only" if $entries_seen < 40;
tap("job lines were found in fio's text");
print "1..$count\n";
