#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Real fio runs: muster's bandwidth, IOPS and latency equal what fio says in its own text.
# fio writes JSON and text to one file, of one and the same run.
set -u

muster=${BUILD:-build}/muster
here=$(cd "$(dirname "$0")" && pwd)

skip() {
	echo "1..0 # SKIP $1"
	exit 0
}
command -v fio >/dev/null || skip "fio is not installed"
perl -MJSON::PP -e 1 2>/dev/null || skip "perl has no JSON::PP"

muster=$(realpath "$muster")
dir=$(mktemp -d "${TMPDIR:-/tmp}/fio_text.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

n=0
# run NAME: the job file comes on standard input, a few common options before it; large enough
# that no direction takes less than fio's millisecond: it then prints no job line at all
run() {
	local at
	n=$((n + 1))
	at=$(printf '%02d' $n)
	mkdir "$at"
	echo "$1" >"$at/name"
	{
		printf '[global]\ndirectory=%s\nfallocate=none\n' "$dir/$at"
		printf 'size=4m\nbs=4k\nrandrepeat=1\n'
		cat
	} >"$at/job.fio"
	timeout 30 fio --output-format=normal,json+ --lat_percentiles=1 --eta=never \
		--output="$at/out" "$at/job.fio" >"$at/fio.log" 2>&1
	echo $? >"$at/fio.rc"
	"$muster" fio --json "$at/out" >"$at/json" 2>"$at/err"
	echo $? >"$at/rc"
	rm -f "$at"/*.[0-9]*.[0-9]*
}

run 'one read' <<<$'[a]\nrw=read'
run 'one write' <<<$'[a]\nrw=write'
run 'random read and write' <<<$'[a]\nrw=randrw'
run 'mostly read, mixed sizes' <<<$'[a]\nrw=rw\nrwmixread=80\nbs=4k,16k'
run 'sync' <<<$'[a]\nrw=randread\nioengine=sync'
run 'psync with fsync' <<<$'[a]\nrw=randwrite\nioengine=psync\nfsync=16'
run 'libaio, depth 8' <<<$'[a]\nrw=randread\nioengine=libaio\niodepth=8'
run 'libaio, depth 4, writes' <<<$'[a]\nrw=randwrite\nioengine=libaio\niodepth=4'
run 'mmap' <<<$'[a]\nrw=randrw\nioengine=mmap'
run 'many files' <<<$'[a]\nrw=randrw\nnrfiles=16'
run 'two jobs of unequal length' <<'EOF'
[short]
rw=read
size=64k
rate=1m
[long]
rw=read
size=512k
rate=1m
EOF
run 'unequal length, group_reporting' <<'EOF'
[global]
group_reporting
[short]
rw=write
size=64k
rate=1m
[long]
rw=write
size=384k
rate=1m
EOF
run 'four clones' <<<$'[a]\nrw=randrw\nnumjobs=4'
run 'four clones, group_reporting' <<<$'[a]\nrw=randrw\nnumjobs=4\ngroup_reporting'
run 'three threads, group_reporting' <<<$'[a]\nrw=randread\nnumjobs=3\nthread\ngroup_reporting'
run 'stonewall: three groups' <<'EOF'
[a]
rw=write
[b]
stonewall
rw=randread
[c]
stonewall
rw=randrw
EOF
run 'stonewall and two jobs in a group' <<'EOF'
[a]
rw=write
[b]
rw=randread
size=2m
[c]
stonewall
rw=read
rate=2m
[d]
rw=read
size=2m
EOF
run 'new_group, group_reporting' <<'EOF'
[global]
group_reporting
rw=randrw
[a]
numjobs=2
[b]
new_group
numjobs=2
size=2m
EOF
run 'time_based' <<<$'[a]\nrw=randread\ntime_based\nruntime=400ms'
run 'time_based, mixed, two jobs' <<'EOF'
[global]
time_based
runtime=300ms
[a]
rw=randrw
[b]
rw=randwrite
EOF
run 'rate_iops' <<<$'[a]\nrw=randread\nrate_iops=200\nio_size=320k'
run 'think time' <<<$'[a]\nrw=read\nthinktime=3000\nsize=256k'
run 'io_size below size' <<<$'[a]\nrw=randread\nio_size=1m'
run 'number_ios' <<<$'[a]\nrw=randrw\nnumber_ios=377'
run 'large blocks' <<<$'[a]\nrw=write\nsize=32m\nbs=1m'
run 'unified_rw_reporting' <<<$'[a]\nrw=randrw\nunified_rw_reporting=mixed'
run 'other percentiles' <<<$'[a]\nrw=randrw\npercentile_list=50:90:99.99:100'
run 'a job that starts late' <<'EOF'
[a]
rw=read
rate=1m
size=256k
[b]
rw=read
startdelay=200ms
EOF
run 'different percentile lists' <<'EOF'
[a]
rw=read
percentile_list=25:75
[b]
stonewall
rw=read
percentile_list=10:75:99
EOF

perl "$here/fio_compare.pl" "$dir"
