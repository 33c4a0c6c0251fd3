#!/bin/bash
# fio in its cage: every allowed engine works, through a folder and through gcsfuse; fio sees
# no network and no other file; without the privilege the records say so. Where a control
# group can be had, fio and gcsfuse get groups of their own and nothing survives them.
. tests/e2e/lib.sh
t_begin
unshare -mn true 2>/dev/null || t_skip "no cage without the privilege to make namespaces"
start_emulator

cat >"$t_dir/tests.csv" <<'END'
rw,engine,numjobs
read,sync,1
randread,psync,4
read,vsync,1
read,pvsync,1
randread,pvsync2,1
randread,libaio,2
randread,io_uring,2
randread,posixaio,1
randread,mmap,1
write,psync,2
randwrite,io_uring,1
END
printf 'commit,mount_args,label\nmaster,--implicit-dirs,a\n' >"$t_dir/configs.csv"
cat >"$t_dir/job.fio" <<'END'
[global]
ioengine=${ENGINE}
fallocate=none
rw=${IO_TYPE}
bs=4k
filesize=64k
numjobs=${THREADS}
directory=${TEST_DATA_DIR}
[t]
END
sed -e 's/^bs=.*/&\ntime_based\nruntime=30/' "$t_dir/job.fio" >"$t_dir/long.fio"
sed -n '1p;3p' "$t_dir/tests.csv" >"$t_dir/one.csv"
head -n 3 "$t_dir/tests.csv" >"$t_dir/two.csv"

can_gcsfuse() { [ -w /dev/fuse ] && scripts/deps.sh find-go >/dev/null 2>&1; }

split_run() { # RUN TESTS JOB [FLAGS…]
	local run=$1 tests=$2 job=$3
	shift 3
	muster split "gs://ctl/$run" --tests "$t_dir/$tests" --configs "$t_dir/configs.csv" \
		--fio "$t_dir/$job" --data gs://data --workers w-1 --iterations 1 \
		--pin "master=$T_GCSFUSE_VERSION" "$@" >"$t_dir/split.out" 2>&1 ||
		sed 's/^/# /' "$t_dir/split.out"
}

states() { # RUN: states of its steps, counted
	muster collect "gs://ctl/$1" --out "$t_dir/out-$1" >"$t_dir/collect.out" 2>&1
	csv "$t_dir/out-$1/results.csv" state | sort | uniq -c | tr -s ' ' | tr '\n' ';'
}

flagged() { # RUN WORD: steps with that flag
	csv "$t_dir/out-$1/results.csv" flags | grep -cw "$2"
}

split_run dir tests.csv job.fio --kind dir
worker dir w-1; is $? 0 "kind dir: the worker ends 0"
is "$(states dir)" " 11 ok;" "kind dir: every allowed engine is ok"
is "$(flagged dir not_caged)" 0 "and ran in the cage"
no_leftovers "kind dir: nothing is left"

# without the privilege
if setpriv --bounding-set -sys_admin true 2>/dev/null; then
	split_run weak two.csv job.fio --kind dir
	setpriv --bounding-set -sys_admin "$BUILD/muster-worker" --run gs://ctl/weak \
		--worker w-1 --workspace "$t_dir/ws-weak-w-1" >"$t_dir/weak.out" 2>&1
	is $? 0 "without CAP_SYS_ADMIN: the worker ends 0"
	is "$(states weak)" " 2 ok;" "its steps are ok"
	is "$(flagged weak not_caged)" 2 "and say that they were not caged"
fi

# seen from outside while it runs
split_run look one.csv long.fio --kind dir
worker look w-1 & pid=$!
wait_fio "$t_dir/ws-look-w-1"
fio=$(find_fio "$t_dir/ws-look-w-1")
like "$(cat "/proc/$fio/status")" "NoNewPrivs:	1" "fio has no new privileges"
is "$(wc -l <"/proc/$fio/net/dev")" 3 "its network has lo alone"
is "$(awk '$6 ~ /^rw/' "/proc/$fio/mountinfo" | wc -l)" 2 "it can write to two mounts"
inside=/proc/$fio/root$t_dir
is "$(find "$inside" -mindepth 1 -maxdepth 1 -printf '%f ')" "ws-look-w-1 " \
	"beside the workspace it sees nothing"
is "$(find "$inside/ws-look-w-1" -mindepth 1 -maxdepth 1 -printf '%f ' | tr ' ' '\n' | sort | tr '\n' ' ')" \
	"data steps " \
	"and of the workspace only two folders"
muster stop gs://ctl/look --abort >/dev/null
kill -TERM "$(pgrep -f "muster-worker.*ws-look-w-1" | head -n 1)"
wait $pid
no_leftovers "stopped: nothing is left"

# in a control group of its own
hierarchy=$(awk '{ for (i = 6; i < NF; i++) if ($i == "-" && $(i + 1) == "cgroup2" && $4 == "/") print $5 }' \
	/proc/self/mountinfo | head -n 1)
group=$hierarchy/muster-test-$$
group_worker() { # RUN [gcsfuse]
	(
		echo "$BASHPID" >"$group/cgroup.procs"
		exec "$BUILD/muster-worker" --run "gs://ctl/$1" --worker w-1 \
			--workspace "$t_dir/ws-$1-w-1" >"$t_dir/$1.out" 2>&1
	)
}
groups_left() { # step and gcsfuse groups, within 3 s none
	local left
	for _ in $(seq 30); do
		left=$(find "$group" -mindepth 1 -maxdepth 1 -type d ! -name worker -printf '%f ')
		[ -z "$left" ] && break
		sleep 0.1
	done
	echo "$left"
}
if [ -n "$hierarchy" ] && mkdir "$group" 2>/dev/null && [ -w "$group/cgroup.kill" ]; then
	split_run cg one.csv long.fio --kind dir --timeout 4s
	group_worker cg & pid=$!
	wait_fio "$t_dir/ws-cg-w-1"
	fio=$(find_fio "$t_dir/ws-cg-w-1")
	like "$(grep ^0:: "/proc/$fio/cgroup")" "/muster-test-$$/step-1-1-a1" "fio is in the step's group"
	# fio forks them one after the other
	for _ in $(seq 30); do
		[ "$(wc -l <"$group/step-1-1-a1/cgroup.procs")" -ge 5 ] && break
		sleep 0.1
	done
	is "$(wc -l <"$group/step-1-1-a1/cgroup.procs")" 5 "with its four jobs"
	is "$(wc -l <"$group/worker/cgroup.procs")" 2 "worker and guardian are in theirs"
	wait $pid
	is "$(states cg)" " 1 timeout;" "a timeout ends the group"
	is "$(groups_left)" "" "and removes it"
	no_leftovers "timeout: nothing is left"

	split_run cgkill one.csv long.fio --kind dir
	group_worker cgkill 2>/dev/null & pid=$!
	wait_fio "$t_dir/ws-cgkill-w-1"
	kill -KILL "$(pgrep -f "muster-worker.*ws-cgkill-w-1" | head -n 1)"
	{ wait $pid; } 2>/dev/null
	no_leftovers "worker killed: nothing is left"
	is "$(groups_left)" "" "its guardian ended the groups"

	if can_gcsfuse; then
		split_run cgfuse one.csv long.fio --timeout 4s
		group_worker cgfuse & pid=$!
		wait_fio "$t_dir/ws-cgfuse-w-1"
		g=$(find_child "$t_dir/ws-cgfuse-w-1" --custom-endpoint)
		like "$(grep ^0:: "/proc/$g/cgroup")" "/muster-test-$$/gcsfuse-1-1-a1" \
			"gcsfuse has a group beside fio's"
		wait $pid
		is "$(states cgfuse)" " 1 timeout;" "a timeout ends the step"
		is "$(flagged cgfuse mount_aborted)" 0 "gcsfuse outlived fio's group and ended well"
		is "$(groups_left)" "" "both groups are gone"
	fi
	rmdir "$group/worker" "$group"
else
	[ -d "$group" ] && rmdir "$group"
	echo "# no control group to divide: left out"
fi

if can_gcsfuse; then
	split_run fuse tests.csv job.fio
	worker fuse w-1; is $? 0 "gcsfuse: the worker ends 0"
	is "$(states fuse)" " 11 ok;" "gcsfuse: every allowed engine is ok"
	is "$(flagged fuse not_caged)" 0 "and ran in the cage"
	is "$(flagged fuse mount_aborted)" 0 "no mount was kept busy by it"
	no_leftovers "gcsfuse: nothing is left"
else
	echo "# gcsfuse cannot be built or mounted here: left out"
fi
done_testing
