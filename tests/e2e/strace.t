#!/bin/bash
# One worker run seen from below: no shell, nothing written outside the workspace, no token
# anywhere, children with a clean environment.
. tests/e2e/lib.sh
t_begin
unset MUSTER_MEASURE_LOCK # as it is on a machine
command -v strace >/dev/null || t_skip "no strace"
strace -o /dev/null true 2>/dev/null || t_skip "strace cannot trace here"
start_emulator
suite=tests/data/suite
muster split gs://ctl/s1 --tests $suite/tests.csv --configs $suite/configs.csv \
	--fio $suite/job.fio --data gs://data --workers w-1 --iterations 2 --kind dir >/dev/null
ws=$t_dir/ws-s1-w-1
SECRET_TOKEN=ya29.secret strace -f -qq -s 4096 -v -e trace=execve,execveat,openat,open,creat,rename,unlink,mkdir \
	-o "$t_dir/trace" "$BUILD/muster-worker" --run gs://ctl/s1 --worker w-1 --workspace "$ws" \
	>"$t_dir/s1.out" 2>&1
is $? 0 "the worker runs under strace"
execs=$(grep -E 'execve(at)?\(' "$t_dir/trace" | grep -v ' = -1 ' | tail -n +2)
ok "$([ -n "$execs" ]; echo $?)" "it runs children"
is "$(grep -cE 'execve(at)?\([^,]*"[^"]*/(sh|bash|dash)"' <<<"$execs")" 0 "no child is a shell"
is "$(grep -c 'ya29' <<<"$execs")" 0 "no child has the worker's environment"
is "$(grep -vc '"LC_ALL=C", "TZ=UTC"' <<<"$execs")" 0 "every child has the clean one"
written=$(grep -E 'O_(WRONLY|RDWR|CREAT)|creat\(|rename\(|mkdir\(' "$t_dir/trace" | grep -v ' = -1 ' |
	grep -oE '"/[^"]*"' | tr -d '"' | grep -vE "^($ws|$MUSTER_CACHE_DIR|/dev/|/proc/|/sys/|/run/lock/|/var/lock/)" |
	sort -u)
is "$written" "" "nothing is written outside the workspace"
done_testing
