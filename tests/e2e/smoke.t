#!/bin/bash
# The smoke suite's shape on two workers with real gcsfuse: three read cases, two arms, two
# iterations. Case 3's block is larger than its files: invalid, with the reason. (fio 3.33 says
# "blocksize is larger than data set range" only when all files together are too small.)
. tests/e2e/lib.sh
t_begin
need_gcsfuse
start_emulator

cat >"$t_dir/tests.csv" <<'END'
io_type,num_jobs,file_size,block_size,io_depth,nr_files,direct
read,2,128k,128k,1,30,1
randread,4,256k,128k,1,30,1
read,1,128k,1M,1,30,1
END
printf 'commit,mount_args,label\nmaster,"--implicit-dirs",standard\nmaster,"--stat-cache-max-size-mb=-1 --implicit-dirs",infinite-stat-cache\n' \
	>"$t_dir/configs.csv"
cat >"$t_dir/read.fio" <<'END'
[global]
ioengine=libaio
fadvise_hint=0
fallocate=none
invalidate=1
thread=1
openfiles=1
group_reporting=1
create_serialize=0
allrandrepeat=0
file_service_type=random
rw=${IO_TYPE}
iodepth=${IO_DEPTH}
direct=${DIRECT}
filename_format=$jobname.$jobnum.$filenum.size-${FILE_SIZE}

[test]
directory=${TEST_DATA_DIR}
filesize=${FILE_SIZE}
bs=${BS}
numjobs=${THREADS}
nrfiles=${NRFILES}
END
muster split gs://ctl/smoke --tests "$t_dir/tests.csv" --configs "$t_dir/configs.csv" \
	--fio "$t_dir/read.fio" --data gs://data --workers 2 --iterations 2 \
	--pin "master=$T_GCSFUSE_VERSION" >"$t_dir/split.out" 2>&1
is $? 0 "split pins master to $T_GCSFUSE_VERSION and writes the run"
worker smoke w-1 & a=$!
worker smoke w-2 & b=$!
wait $a; c1=$?
wait $b; c2=$?
is "$((c1 + c2))" 1 "the worker with case 3 ends 1, the other 0"
muster collect gs://ctl/smoke --out "$t_dir/out" >"$t_dir/collect.out"
is $? 4 "collect exits 4: a step is invalid"
csv="$t_dir/out/results.csv"
is "$(csv "$csv" state test_id 1 | sort | uniq -c | tr -s ' ')" " 4 ok" "case 1: 4 steps ok"
is "$(csv "$csv" state test_id 2 | sort | uniq -c | tr -s ' ')" " 4 ok" "case 2: 4 steps ok"
is "$(csv "$csv" state test_id 3 | sort | uniq -c | tr -s ' ')" " 4 invalid" "case 3: 4 steps invalid"
like "$(csv "$csv" reason test_id 3)" "larger than" \
	"with the cause, in fio's own words where it has any"
is "$(csv "$csv" io_bytes test_id 1 | sort -u)" $((2 * 30 * 131072)) "case 1 read all its bytes"
is "$(csv "$csv" io_bytes test_id 2 | sort -u)" $((4 * 30 * 262144)) "case 2 read all its bytes"
is "$(csv "$csv" gcsfuse_sha256 test_id 1 | sort -u | wc -l)" 1 "one binary for all"
is "$(csv "$csv" version | sort -u)" "$T_GCSFUSE_VERSION" "of the pinned version"
record=$(find "$t_dir/out/raw" -name 'step_1.json' -path '*test-1/*' | head -n 1)
ok "$(python3 -c "
import json
r = json.load(open('$record'))
e = r['effective']
print(0 if e['gcsfuse'] and e['start']['max_background'] and r['monitor']['samples'] >= 0 else 1)")" \
	"the record has gcsfuse's effective configuration and the kernel's settings"
no_leftovers "no process and no mount is left"
done_testing
