#!/bin/bash
# A worker killed with -9 between each pair of phases and started again: every step has one
# final result, none that was committed is run again, nothing is left behind.
. tests/e2e/lib.sh
t_begin
start_emulator
kind=dir
[ -n "${T_KILL_GCSFUSE:-}" ] && kind=gcsfuse

printf 'rw,bs,filesize,nrfiles,numjobs\nread,64k,256k,2,1\n' >"$t_dir/tests.csv"
printf 'commit,mount_args,label\nmaster,--implicit-dirs,a\nmaster,"--implicit-dirs --stat-cache-max-size-mb=-1",b\n' \
	>"$t_dir/configs.csv"
cat >"$t_dir/job.fio" <<'END'
[global]
ioengine=psync
fallocate=none
rw=${IO_TYPE}
bs=${BS}
filesize=${FILE_SIZE}
nrfiles=${NRFILES}
numjobs=${THREADS}
directory=${TEST_DATA_DIR}
[t]
END

# the names of the boot table and of the phase table, as the program prints them
points=$("$BUILD/muster-worker" --list-points 2>/dev/null)
[ -n "$points" ] || t_skip "the worker is not built with TESTING=1"

records() { # every record with its generation, attempts too
	muster store ls -r -l "gs://ctl/$1/results/" 2>/dev/null | grep 'step_[0-9]*\.json' | sort
}

n=0
for point in $points; do
	n=$((n + 1))
	run=k$n
	muster split "gs://ctl/$run" --tests "$t_dir/tests.csv" --configs "$t_dir/configs.csv" \
		--fio "$t_dir/job.fio" --data gs://data --workers w-1 --iterations 2 \
		--kind $kind --pin "master=$T_GCSFUSE_VERSION" >"$t_dir/split.out" 2>&1 ||
		sed 's/^/# /' "$t_dir/split.out"
	(MUSTER_DIE_AT=$point worker $run w-1) 2>/dev/null # the shell's "Killed"
	died=$?
	left=$(no_leftovers "$point: nothing is left after the kill" 2>&1)
	committed=$(records $run)
	worker $run w-1
	again=$?
	muster collect "gs://ctl/$run" --out "$t_dir/out-$run" >"$t_dir/collect.out"
	collected=$?
	after=$(records $run)
	lost=$(comm -23 <(echo "$committed") <(echo "$after"))
	rerun=$(csv "$t_dir/out-$run/results.csv" step counts yes | sort | uniq -d)
	same="died=$died again=$again collect=$collected lost=$lost rerun=$rerun"
	is "$same" "died=137 again=0 collect=0 lost= rerun=" "$point: one final result each"
	case $left in
	ok*) ;;
	*) ok 1 "$point: leftovers: $left" ;;
	esac
	attempts=$(csv "$t_dir/out-$run/results.csv" attempt counts yes | sort | uniq -c | tr -s ' ' | tr '\n' ';')
	case $attempts in
	" 4 1;" | " 3 1; 1 2;") ;;
	*) ok 1 "$point: at most the step in flight has a second attempt: $attempts" ;;
	esac
	rm -rf "$t_dir/out-$run" "$t_dir/ws-$run-w-1"
done
done_testing
