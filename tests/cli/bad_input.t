#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC1091,SC2154,SC2086,SC2206,SC2016,SC2034
# What split refuses: one line on stderr that names the place, exit 2, nothing written.
. "$(dirname "$0")/split_lib.sh"
start_emulator
make_proxy

printf 'io_type,num_jobs,file_size,block_size,io_depth,nr_files,direct\nread,2,1m,128k,4,2,1\n' >"$tmp/t.csv"
printf 'commit,mount_args,label\nv3.1.0,--implicit-dirs,one\nv3.1.0,"",two\n' >"$tmp/c.csv"
cp $SUITE/job.fio "$tmp/f.fio"
head='io_type,num_jobs,file_size,block_size,io_depth,nr_files,direct'
row='read,2,1m,128k,4,2,1'
arms='commit,mount_args,label'
job='[a]\ndirectory=${DIR}\nrw=read\nsize=1m\n'
snapshot() { find "$tmp/store" -type f -printf '%p %s\n' | sort; }
before=$(snapshot)

# row NAME WANT ARGS…: the command's arguments behind "split"
row() {
	local name=$1 want=$2 code
	shift 2
	timeout 60 "$MUSTER" split "$@" >"$tmp/out" 2>"$tmp/err"
	code=$?
	why="exit $code, stdout $(wc -c <"$tmp/out") bytes, stderr: $(cat "$tmp/err")"
	[ $code = 2 ] && [ ! -s "$tmp/out" ] && [ "$(wc -l <"$tmp/err")" = 1 ] &&
		grep -q '^muster: ' "$tmp/err" && grep -qF -- "$want" "$tmp/err" &&
		[ "$(snapshot)" = "$before" ]
	ok $? "$name: $(head -c 160 "$tmp/err")"
}

# args NAME WANT CHANGE…: the usual arguments, changed: key=value sets a flag, -key drops
# it, anything that begins with -- is added
args() {
	local name=$1 want=$2 change
	local -A flag=([tests]="$tmp/t.csv" [configs]="$tmp/c.csv" [fio]="$tmp/f.fio"
		[data]=gs://data [workers]=2)
	local run=gs://control/r1 all=() more=()
	shift 2
	for change in "$@"; do
		case $change in
		--*) more+=("$change") ;;
		-*) unset "flag[${change#-}]" ;;
		run=*) run=${change#run=} ;;
		*) flag[${change%%=*}]=${change#*=} ;;
		esac
	done
	for change in "${!flag[@]}"; do
		all+=("--$change" "${flag[$change]}")
	done
	row "$name" "$want" "$run" "${all[@]}" "${more[@]}"
}
# The usual arguments with one file of this content (as printf's %b).
tests() { printf '%b' "$3" >"$tmp/x.csv" && args "$1" "$2" tests="$tmp/x.csv"; }
configs() { printf '%b' "$3" >"$tmp/x.csv" && args "$1" "$2" configs="$tmp/x.csv" "${@:4}"; }
fio() { printf '%b' "$3" >"$tmp/x.fio" && args "$1" "$2" fio="$tmp/x.fio" "${@:4}"; }

# arguments
row "no run" "one run's URL"
row "two runs" "one run's URL" gs://control/r1 gs://control/r2
args "an unknown flag" "did you mean --workers" --worker=2
args "no tests" "--tests is missing" -tests
args "no template" "--fio is missing" -fio
args "no data" "--data is missing" -data
args "no workers" "--workers is missing" -workers
args "neither configs nor version" "--configs is missing" -configs
args "both configs and a version" "--gcsfuse" gcsfuse=v3.1.0
args "configs and mount arguments" "--mount-args" mount-args=--implicit-dirs
args "a flag twice" "--seed" --seed=1 --seed=2
args "a run without gs://" "r1" run=r1
args "a run of upper case" "R1" run=gs://control/R1
args "a run id with a dot" "r.1" run=gs://control/r.1
args "a run that is a bucket" "control" run=gs://control
args "a run below .." ".." run=gs://control/../r1
args "0 workers" "--workers" workers=0
args "a negative number of workers" "worker's name" workers=-1
args "too many workers" "--workers" workers=10001
args "a worker named like a path" "a/b" workers=a/b
args "a worker with a dot" "a.b" workers=a.b
args "a worker of upper case" "W-1" workers=W-1
args "a worker without a name" "worker's name" workers=a,,b
args "a worker twice" "occurs twice" workers=a,b,a
args "a worker of 64 characters" "at most 63" "workers=$(printf 'a%.0s' $(seq 64))"
args "a list of workers that is not there" "nowhere" workers=@"$tmp/nowhere"
: >"$tmp/empty"
args "an empty list of workers" "none named" workers=@"$tmp/empty"
args "0 iterations" "--iterations" iterations=0
args "iterations that are none" "--iterations" iterations=many
args "0 replicas" "--replicas" replicas=0
args "more replicas than workers" "3 replicas" replicas=3
args "replicas with spread" "replicas need" replicas=2 design=spread
args "replicas with together" "replicas need" replicas=2 design=together
args "a policy nobody knows" "none of all, majority, best-effort" design=together barrier-policy=two
args "a policy without a start" "need --design together" barrier-policy=all
args "a start's timeout without one" "need --design together" design=spread barrier-timeout=5m
args "a start's timeout of no length" "--barrier-timeout" design=together barrier-timeout=10ms
args "a start's lead past an hour" "--barrier-lead" design=together barrier-lead=61m
args "a design nobody knows" "--design" design=random
args "a kind nobody knows" "--kind" kind=disk
args "a timeout that is none" "--timeout" timeout=soon
args "a timeout of 0" "--timeout" timeout=0
args "0 attempts" "--max-attempts" max-attempts=0
args "a heartbeat of 0" "--heartbeat" heartbeat=0s
args "a heartbeat of a fraction of a second" "--heartbeat" heartbeat=1500ms
args "a heartbeat rarer than a name is safe for" "--heartbeat" heartbeat=61s
args "a heartbeat rarer than staleness" "--stale" stale=20s
args "stale at once" "--stale" stale=30s
args "stale after a fraction of a second" "--stale" stale=121500ms
args "never stale" "--stale" stale=25h
args "a seed past 63 bits" "--seed" seed=18446744073709551615
args "a pin without a version" "--pin" pin=master=
args "a pin of nothing in the table" "no arm has the commit" pin=master=v3.1.0
args "a pin twice" "given twice" --pin=a=v1 --pin=a=v2
args "a binary of no arm" "no arm has the label" --binary=three=/bin/true
args "a binary that is not there" "nowhere" --binary=one="$tmp/nowhere"
args "a binary that is none" "not an ELF" --binary=one="$tmp/t.csv"
args "exec let through" "never be let through" allow-option=exec_prerun
args "include let through" "never be let through" allow-option=include
args "an option's name that is none" "not the name" "allow-option=A B"
args "data in the control bucket" "control bucket" data=gs://control/data
args "data without gs://" "--data" data=data
args "data below .." "--data" data=gs://data/../x
args "an endpoint that is none" "--data-endpoint" data-endpoint=localhost:1
args "a flag of the worker's" "--log-file is refused" -configs gcsfuse=v3.1.0 mount-args=--log-file=/x

# the bucket
args "no such control bucket" "nobucket" run=gs://nobucket/r1
args "no such data bucket" "nobucket" data=gs://nobucket
here=$STORAGE_EMULATOR_HOST
STORAGE_EMULATOR_HOST=http://127.0.0.1:9 args "a store that does not answer" "127.0.0.1"
export STORAGE_EMULATOR_HOST=$here
http POST /_emulator/faults '{"seed":1,"rules":[{"kind":"403"}]}' >/dev/null
args "a bucket that is forbidden" "control"
http DELETE /_emulator/faults >/dev/null
GOPROXY=off args "no proxy" "GOPROXY=off"
args "a version nobody has" "v3.9.9" -configs gcsfuse=v3.9.9
args "a branch the proxy does not know" "--pin main=" -configs gcsfuse=main
export GOPROXY=file://$tmp/proxy

# test cases
args "no such table" "nowhere.csv: No such file" tests="$tmp/nowhere.csv"
args "a folder as table" "Is a directory" tests="$tmp"
tests "an empty table" "x.csv: empty" ''
tests "blank lines only" "x.csv: empty" '\n \n\r\n'
tests "only a header" "no test cases" "$head\n"
tests "a NUL" "x.csv:2: not UTF-8" "$head\nre\0ad,2,1m,128k,4,2,1\n"
tests "bytes that are not UTF-8" "x.csv:2: not UTF-8" "$head\nre\xff,2,1m,128k,4,2,1\n"
tests "a cell too few" "x.csv:3: 6 cells" "$head\n\nread,2,1m,128k,4,2\n"
tests "a cell too many" "x.csv:2: 8 cells" "$head\n$row,1\n"
tests "a quote left open" "x.csv:2: a quote is not closed" "$head\n\"read,2,1m,128k,4,2,1\n"
tests "a column twice" "occurs twice" "io_type,io_type\nread,read\n"
tests "two columns of one meaning" "mean the same" "bs,block_size\n4k,4k\n"
tests "a column without a name" "has no name" "io_type,\nread,1\n"
tests "a column of the worker's" "mount_point" "$head,mount_point\n$row,/mnt\n"
tests "a column that is missing" "placeholder BS has no value" \
	"io_type,num_jobs,file_size,io_depth,nr_files,direct\nread,2,1m,4,2,1\n"
tests "an empty cell" "its cell is empty" "$head\nread,2,1m,128k,4,2,\n"
tests "a size that is none" "block_size: \"12q\" is not a size" "$head\nread,2,1m,12q,4,2,1\n"
tests "a size of 0" "file_size" "$head\nread,2,0,128k,4,2,1\n"
tests "a size past 64 bits" "not a size" "$head\nread,2,99999999999999999999g,128k,4,2,1\n"
tests "a count that is none" "num_jobs" "$head\nread,two,1m,128k,4,2,1\n"
tests "0 jobs" "num_jobs" "$head\nread,0,1m,128k,4,2,1\n"
tests "a direction fio has not" "value \"reed\"" "$head\nreed,2,1m,128k,4,2,1\n"
tests "the second row at fault" "x.csv:4" "$head\n$row\n\nread,2,1m,1x,4,2,1\n"
tests "a line end in a cell" "a control character" "$head\n\"read\nexec_prerun=id\",2,1m,128k,4,2,1\n"
tests "a comment in a cell" "gives a meaning" "$head\nread;,2,1m,128k,4,2,1\n"
tests "a variable in a cell" "gives a meaning" "$head\n\$HOME,2,1m,128k,4,2,1\n"
tests "a test_id twice" "x.csv:3: test_id 4" "test_id,$head\n4,$row\n4,$row\n"
tests "a test_id of 0" "test_id" "test_id,$head\n0,$row\n"
tests "a test_id that is none" "test_id" "test_id,$head\nx,$row\n"
{ echo "$head" && yes "$row" | head -n 100001; } >"$tmp/many.csv"
args "100,001 rows" "more than 100000 rows" tests="$tmp/many.csv"
head -c 8400000 /dev/zero | tr '\0' ' ' >"$tmp/large.csv"
args "a table past 8 MiB" "larger than" tests="$tmp/large.csv"

# mount configs
configs "an empty table of arms" "x.csv: empty" ''
configs "arms without a label" "no column \"label\"" "commit,mount_args\nv3.1.0,\n"
configs "arms without a commit" "no column \"commit\"" "mount_args,label\n,one\n"
configs "arms without mount_args" "no column \"mount_args\"" "commit,label\nv3.1.0,one\n"
configs "no arm" "no arms" "$arms\n"
configs "a label twice" "x.csv:3: label: \"one\" occurs twice" "$arms\nv3.1.0,,one\nv3.1.0,,one\n"
configs "a label that is a path" "x.csv:2: label" "$arms\nv3.1.0,,../x\n"
configs "an empty label" "label" "$arms\nv3.1.0,,\n"
configs "a label with a blank" "label" "$arms\nv3.1.0,,a b\n"
configs "an empty commit" "commit is empty" "$arms\n,,one\n"
configs "a commit with .." ".." "$arms\n../x,,one\n"
configs "a quote left open in mount_args" "a quote (') is not closed" "$arms\nv3.1.0,--a='x,one\n"
configs "a refused flag" "x.csv:2: mount_args: --key-file is refused" "$arms\nv3.1.0,--key-file=/x,one\n"
configs "a refused flag, spelt otherwise" "is refused" "$arms\nv3.1.0,--KEY_FILE /x,one\n"
configs "the foreground" "is refused" "$arms\nv3.1.0,--foreground=false,one\n"
configs "the only-dir of another" ".." "$arms\nv3.1.0,--only-dir ../x,one\n"
configs "a mount option" "suid" "$arms\nv3.1.0,\"-o ro,suid\",one\n"
configs "an argument behind --" "-- is refused" "$arms\nv3.1.0,-- x,one\n"
configs "a kind of the table" "kind" "$arms,kind\nv3.1.0,,one,disk\n"
configs "another bucket" "bucket" "$arms,bucket\nv3.1.0,,one,other\n"
configs "a variable that loads code" "LD_PRELOAD" "$arms,env\nv3.1.0,,one,LD_PRELOAD=/x\n"
configs "a variable twice" "twice" "$arms,env\nv3.1.0,,one,A=1 A=2\n"
configs "a configuration that is not there" "nowhere" "$arms,config_file\nv3.1.0,,one,nowhere\n"
printf 'gcs-auth:\n  key-file: /x\n' >"$tmp/bad.yaml"
configs "a configuration with a key of the operator's" "line 2: key-file" "$arms,config_file\nv3.1.0,,one,bad.yaml\n"
configs "a binary of the table that is not there" "nowhere" "$arms,binary\nv3.1.0,,one,nowhere\n"

# the template
args "no such template" "nowhere.fio" fio="$tmp/nowhere.fio"
fio "an empty template" "empty" ''
fio "a template that is not UTF-8" "not UTF-8" "$job\xff\n"
fio "a template with a NUL" "not UTF-8" "$job\0\n"
fio "a placeholder nobody fills" "x.fio:5: placeholder NOBODY" "$job"'bs=${NOBODY}\n'
fio "a placeholder with a default" "not a placeholder" "$job"'bs=${BS:-4k}\n'
fio "a placeholder as option" "option's value" "$job"'${BS}\n'
fio "a word fio runs a shell for" "would run a shell" "$job"'numjobs=$ncpus\n'
fio "a command" "x.fio:5: fio option exec_prerun is refused" "${job}exec_prerun=id\n"
fio "a command let through" "never be let through" "${job}exec_prerun=id\n" allow-option=exec_prerun
fio "an include" "x.fio:5" "${job}include /etc/passwd\n"
fio "an engine by its path" "ioengine" "${job}ioengine=/tmp/x.so\n"
fio "an external engine" "ioengine" "${job}ioengine=external:/tmp/x.so\n"
fio "a log file" "write_bw_log" "${job}write_bw_log=/tmp/x\n"
fio "an option not on the list" "not on the list" "${job}log_avg_msec=1\n"
fio "a file that leads out" "filename" "${job}filename=../x\n"
fio "another folder" "directory" "[a]\ndirectory=/tmp\nrw=read\nsize=1m\n"
fio "a folder below the folder" "directory" '[a]\ndirectory=${DIR}/x\nrw=read\nsize=1m\n'
fio "no folder" "has no directory" "[a]\nrw=read\nsize=1m\n"
fio "no size" "neither filesize nor size" '[a]\ndirectory=${DIR}\nrw=read\n'
fio "no direction" "has no rw" '[a]\ndirectory=${DIR}\nsize=1m\n'
fio "no section" "nothing to run" '[global]\ndirectory=${DIR}\nrw=read\nsize=1m\n'
fio "an option before any section" "before any [section]" "rw=read\n$job"
fio "a section that is a path" "section name" "${job}[../x]\n"
fio "figures turned off" "disable_lat" "${job}disable_lat=1\n"
{ printf '%b' "$job" && head -c 5000 /dev/zero | tr '\0' '#' && echo; } >"$tmp/long.fio"
args "a line fio would cut" "long.fio:5: longer than" fio="$tmp/long.fio"
{ printf '%b' "$job" && yes '# a comment' | head -c 262144; } >"$tmp/large.fio"
args "a template past 256 KiB" "larger than 256 KiB" fio="$tmp/large.fio"
plan
