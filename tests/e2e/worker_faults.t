#!/bin/bash
# fio output that is cut, empty, missing or no JSON, a fio that fails, a full disk: the step
# ends with a reason a person can act on, the worker does not crash, the next step is ok.
. tests/e2e/lib.sh
t_begin
start_emulator

printf 'rw,bs,filesize\nread,64k,1m\n' >"$t_dir/tests.csv"
printf 'commit,mount_args,label\nmaster,,a\nmaster,,b\n' >"$t_dir/configs.csv"
cat >"$t_dir/job.fio" <<'END'
[t]
ioengine=psync
fallocate=none
rw=${IO_TYPE}
bs=${BS}
filesize=${FILE_SIZE}
directory=${TEST_DATA_DIR}
END

# fake BODY STEP: a fio that runs the real one, then does BODY to its output $out when it is
# that step's ("*": any). In its cage it sees nothing by which to count
real=$(command -v fio)
mkdir -p "$t_dir/bin"
fake() {
	cat >"$t_dir/bin/fio" <<END
#!/bin/bash
PATH=/usr/bin:/bin
for a in "\$@"; do
	case \$a in --output=*) out=\${a#--output=} ;; --create_only*) exec $real "\$@" ;; esac
done
$real "\$@"
status=\$?
case \${out:-} in
*/$2-a1/*)
	$1
	;;
esac
exit \$status
END
	chmod +x "$t_dir/bin/fio"
}

n=0
check() { # NAME BODY STATE REASON-PART
	n=$((n + 1))
	local run=f$n
	muster split "gs://ctl/$run" --tests "$t_dir/tests.csv" --configs "$t_dir/configs.csv" \
		--fio "$t_dir/job.fio" --data gs://data --workers w-1 --iterations 2 --kind dir \
		>/dev/null
	fake "$2" "$(muster store cat "gs://ctl/$run/jobs/w-1.json" |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["steps"][0]["step"])')"
	PATH="$t_dir/bin:$PATH" worker $run w-1
	is $? 1 "$1: the worker ends 1"
	muster collect "gs://ctl/$run" --out "$t_dir/$run" >/dev/null
	is "$(csv "$t_dir/$run/results.csv" state | sort | tr '\n' ' ')" \
		"$(printf '%s\n' "$3" ok ok ok | sort | tr '\n' ' ')" "$1: one step is $3, the others ok"
	like "$(csv "$t_dir/$run/results.csv" reason state "$3")" "$4" "$1: with its reason"
}
# shellcheck disable=SC2016 # the fake fio expands it
{
	check "empty output" ': >"$out"' failed "fio"
	check "output cut in the middle" 'truncate -s 900 "$out"' failed "fio"
	check "no output file" 'rm -f "$out"' failed "fio"
	check "output that is no JSON" 'echo hello >"$out"' failed "no JSON"
	check "fio fails" 'status=3' failed "status 3"
	check "a job's error" 'sed -i "s/\"error\" : 0/\"error\" : 5/" "$out"' failed "error"
	check "no I/O at all" 'sed -i "s/\"total_ios\" : [0-9]*/\"total_ios\" : 0/" "$out"' invalid "no I/O"
	check "bins that do not sum up" 'sed -i "s/\"N\" : [1-9][0-9]*/\"N\" : 7/" "$out"' failed "bins"
}

# a full disk: the workspace is a tmpfs of 8 MiB; SIZE is that of the case's file
full() { # NAME FREE-KIB FILE-SIZE BODY-of-a-fake-fio REASON-PART
	n=$((n + 1))
	local run=d$n ws=$t_dir/ws-d$n-w-1
	printf 'rw,bs,filesize\nread,64k,%s\n' "$3" >"$t_dir/full.csv"
	muster split "gs://ctl/$run" --tests "$t_dir/full.csv" --configs "$t_dir/configs.csv" \
		--fio "$t_dir/job.fio" --data gs://data --workers w-1 --iterations 2 \
		--kind dir >/dev/null
	mkdir -p "$ws"
	mount -t tmpfs -o size=8m none "$ws" || return
	head -c $((8 * 1024 * 1024 - $2 * 1024)) /dev/zero >"$ws/filler"
	fake "$4" "*"
	PATH="$t_dir/bin:$PATH" worker "$run" w-1
	code=$?
	ok "$([ $code = 1 ] || [ $code = 2 ]; echo $?)" "full disk $1: the worker ends $code, not by a crash"
	umount -l "$ws"
	muster collect "gs://ctl/$run" --out "$t_dir/$run" >/dev/null 2>&1
	is "$(csv "$t_dir/$run/results.csv" state | grep -c ok)" 0 "full disk $1: no step is ok"
	like "$(csv "$t_dir/$run/results.csv" reason; tail -n 2 "$t_dir/$run-w-1.out")" "$5" \
		"full disk $1: said so"
}
if [ "$(id -u)" = 0 ]; then
	full "from the start" 0 1m : "0 bytes left"
	full "in layout" 3000 5m : "o space"
	# shellcheck disable=SC2016 # the fake fio expands it
	full "after fio" 4000 1m 'head -c 9000000 /dev/zero >"$(dirname "$out")/filler" 2>/dev/null' "o space"
fi
no_leftovers "nothing is left"
done_testing
