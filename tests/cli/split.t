#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC1091,SC2154,SC2086,SC2206,SC2016,SC2034
# muster split: goldens, repetition, interruption between any two writes, claims.
#   GOLDEN=write   renews tests/data/golden
. "$(dirname "$0")/split_lib.sh"
start_emulator
make_proxy
suite=(--tests $SUITE/tests.csv --configs $SUITE/configs.csv --fio $SUITE/job.fio
	--data gs://data/bench --pin master=v3.1.0 --data-endpoint http://localhost:4443)

# keys depend on the machine's architecture, and the configuration's sum on them
normal() { sed -E 's/[0-9a-f]{64}/SHA256/g; s/"key":( ?)"[0-9a-f]{24}"/"key":\1"KEY"/g; s/[0-9a-f]{24}( +--)/KEY\1/g'; }

golden() { # NAME: stdin is like tests/data/golden/NAME
	normal >"$tmp/got"
	[ "${GOLDEN:-}" = write ] && cp "$tmp/got" "tests/data/golden/$1"
	why=$(diff -u "tests/data/golden/$1" "$tmp/got" 2>&1)
	ok $? "as the golden $1"
}

dump() { # RUN: every object of a run, named
	local name
	for name in config.json test-cases.csv mount-configs.csv jobfile.fio \
		jobs/w-1.json jobs/w-2.json jobs/w-3.json; do
		echo "== $name"
		object "$1/$name"
	done
}

# dry run: the plan, and nothing written
before=$(find "$tmp/store" -type f | sort)
"$MUSTER" split gs://control/golden "${suite[@]}" --workers 3 --iterations 3 --dry-run \
	>"$tmp/out" 2>"$tmp/err"
ok $? "dry run"
golden plan.txt <"$tmp/out"
golden plan.json < <("$MUSTER" split gs://control/golden "${suite[@]}" --workers 3 \
	--iterations 3 --dry-run --json)
golden plan-spread.json < <("$MUSTER" split gs://control/golden "${suite[@]}" --workers 3 \
	--iterations 3 --dry-run --json --design spread)
why=$(find "$tmp/store" -type f | sort)
[ "$before" = "$why" ]
ok $? "a dry run writes nothing"
STORAGE_EMULATOR_HOST='' GOPROXY=off "$MUSTER" split gs://control/golden "${suite[@]}" \
	--workers 3 --dry-run >"$tmp/out" 2>&1
ok $? "a dry run needs neither bucket nor proxy"
grep -q unresolved "$tmp/out"
ok $? "an unresolved pin is shown"

# for real
"$MUSTER" split gs://control/golden "${suite[@]}" --workers 3 --iterations 3 >"$tmp/out" 2>&1
code=$?
why=$(cat "$tmp/out")
ok $code "split"
for name in config.json jobs/w-1.json jobs/w-3.json; do
	golden "$(basename "$name")" < <(object "golden/$name")
done
object golden/test-cases.csv | cmp - $SUITE/tests.csv &&
	object golden/mount-configs.csv | cmp - $SUITE/configs.csv &&
	object golden/jobfile.fio | cmp - $SUITE/job.fio
ok $? "the inputs are there byte for byte"
sum=$(object golden/config.json | sha256sum | cut -d' ' -f1)
object golden/jobs/w-1.json | grep -q "\"config_sha256\":\"$sum\""
ok $? "jobs name the configuration's sum"

# again
dump golden >"$tmp/first"
GOPROXY=off "$MUSTER" split gs://control/golden "${suite[@]}" --workers 3 --iterations 3 \
	>"$tmp/out" 2>&1
code=$?
why=$(cat "$tmp/out")
ok $code "the same again is no error, and asks no proxy"
grep -q "^0 objects written" "$tmp/out"
ok $? "and writes nothing"
dump golden | cmp - "$tmp/first"
ok $? "every object is as it was"

# interrupted after each write, then repeated
for n in 1 2 3 4 5 6; do
	"$MUSTER" split gs://control/cut$n "${suite[@]}" --workers 3 --iterations 3 --dry-run \
		>/dev/null 2>&1
	http POST /_emulator/faults \
		'{"seed":1,"rules":[{"kind":"403","method":"POST","match":"/upload/","skip":'$n'}]}' \
		>/dev/null
	"$MUSTER" split gs://control/cut$n "${suite[@]}" --workers 3 --iterations 3 --seed 9 \
		>"$tmp/out" 2>&1
	code=$?
	http DELETE /_emulator/faults >/dev/null
	why="exit $code: $(cat "$tmp/out")"
	[ $code = 1 ] && [ "$(wc -l <"$tmp/out")" = 1 ]
	ok $? "cut short after write $n"
	"$MUSTER" split gs://control/cut$n "${suite[@]}" --workers 3 --iterations 3 >"$tmp/out" 2>&1
	code=$?
	why=$(cat "$tmp/out")
	ok $code "repeated after write $n"
	dump cut$n | sed "s/cut$n/RUN/g" | normal >"$tmp/cut$n"
	cmp "$tmp/cut1" "$tmp/cut$n"
	ok $? "the same bytes after write $n"
done
if grep -q MUSTER_DIE_AFTER_PUTS "$MUSTER"; then
	for n in 1 2 3 4 5 6; do
		MUSTER_DIE_AFTER_PUTS=$n "$MUSTER" split gs://control/die$n "${suite[@]}" \
			--workers 3 --iterations 3 --seed 9 >"$tmp/out" 2>&1
		code=$?
		"$MUSTER" split gs://control/die$n "${suite[@]}" --workers 3 --iterations 3 \
			>"$tmp/out" 2>&1
		again=$?
		dump die$n | sed "s/die$n/RUN/g" | normal >"$tmp/die$n"
		why=$(cat "$tmp/out")
		[ $code = 137 ] && [ $again = 0 ] && cmp "$tmp/cut1" "$tmp/die$n"
		ok $? "killed after write $n and repeated: the same bytes"
	done
fi

# a run id belongs to its inputs
taken() { # NAME FIELD ARGS…
	local name=$1 field=$2
	shift 2
	"$MUSTER" split gs://control/golden "$@" >"$tmp/out" 2>"$tmp/err"
	code=$?
	why="exit $code: $(cat "$tmp/err")"
	[ $code = 2 ] && grep -q "taken: its config.json differs in $field" "$tmp/err" &&
		[ "$(wc -l <"$tmp/err")" = 1 ]
	ok $? "taken by another $name: $field"
}
sed 's/128k/64k/' $SUITE/tests.csv >"$tmp/tests.csv"
sed 's/implicit-dirs/o=ro/' $SUITE/configs.csv >"$tmp/configs.csv"
sed 's/thread=1/thread=0/' $SUITE/job.fio >"$tmp/job.fio"
taken seed seed "${suite[@]}" --workers 3 --iterations 3 --seed 4
taken number iterations "${suite[@]}" --workers 3 --iterations 5
taken "number of workers" workers "${suite[@]}" --workers 2 --iterations 3
taken "list of workers" 'workers\[2\]' "${suite[@]}" --workers w-1,w-2,w-4 --iterations 3
taken design design "${suite[@]}" --workers 3 --iterations 4 --design spread
taken timeout 'cases\[0\].timeout_s' "${suite[@]}" --workers 3 --iterations 3 --timeout 5m
taken "number of attempts" settings.max_attempts "${suite[@]}" --workers 3 --iterations 3 --max-attempts 3
taken heartbeat settings.heartbeat_s "${suite[@]}" --workers 3 --iterations 3 --heartbeat 5s
taken heartbeat settings.heartbeat_s "${suite[@]}" --workers 3 --iterations 3 --heartbeat 60s
taken staleness settings.stale_s "${suite[@]}" --workers 3 --iterations 3 --stale 3m
taken option settings.allow_options "${suite[@]}" --workers 3 --iterations 3 --allow-option log_avg_msec
taken pin 'arms\[0\].version' "${suite[@]:0:8}" --pin master=v3.0.9 --workers 3 --iterations 3 \
	--data-endpoint http://localhost:4443
taken "test table" inputs.tests --tests "$tmp/tests.csv" "${suite[@]:2}" --workers 3 --iterations 3
taken "table of arms" inputs.configs "${suite[@]:0:2}" --configs "$tmp/configs.csv" \
	"${suite[@]:4}" --workers 3 --iterations 3
taken template inputs.fio "${suite[@]:0:4}" --fio "$tmp/job.fio" "${suite[@]:6}" \
	--workers 3 --iterations 3

# one arm from the command line, of a folder; a binary as it is
"$MUSTER" split gs://control/one --tests $SUITE/tests.csv --fio $SUITE/job.fio --kind dir \
	--data gs://data --workers a,b >"$tmp/out" 2>&1
code=$?
why=$(cat "$tmp/out")
ok $code "a folder instead of gcsfuse"
object one/jobs/a.json | grep -q '"config_id":0,"label":"default","kind":"dir","requested":null,"module":null'
ok $? "a folder is not pinned"
"$MUSTER" split gs://control/bin --tests $SUITE/tests.csv --fio $SUITE/job.fio --gcsfuse mine \
	--data gs://data --workers 1 --binary default="$MUSTER" >"$tmp/out" 2>&1
code=$?
why=$(cat "$tmp/out")
ok $code "a binary that is handed in"
sum=$(sha256sum "$MUSTER" | cut -d' ' -f1)
why=$(object bin/jobs/w-1.json)
[[ $why == *"\"key\":\"${sum:0:24}\",\"sha256\":\"$sum\",\"role\":\"fetch\""* ]]
ok $? "is pinned by its sum and fetched"
object "_cache/gcsfuse/${sum:0:24}/gcsfuse" | cmp - "$MUSTER"
ok $? "from the fleet's cache"
printf 'w-x\n\n  w-y\r\n' >"$tmp/workers"
"$MUSTER" split gs://control/file "${suite[@]}" --workers @"$tmp/workers" --json >"$tmp/out" 2>&1
ok $? "workers from a file"
why=$(cat "$tmp/out")
grep -q '"worker": "w-x"' "$tmp/out" && grep -q '"worker": "w-y"' "$tmp/out"
ok $? "both of them"
"$MUSTER" split gs://control/grpc --tests $SUITE/tests.csv --fio $SUITE/job.fio --gcsfuse v3.1.0 \
	--mount-args '--client-protocol grpc' --data gs://data --workers 9 >"$tmp/out" 2>&1
ok $? "grpc on an emulated store is a warning"
grep -q "asks for grpc" "$tmp/out" && grep -q "worker w-9 has nothing to run" "$tmp/out"
ok $? "that is printed, as is a worker without steps"
object grpc/jobs/w-9.json | grep -q '"steps":\[\]'
ok $? "which has a job all the same"

# together: all workers in step, the orders of a start in every job
"$MUSTER" split gs://control/tog "${suite[@]}" --workers w-2,w-10,w-1 --iterations 3 \
	--design together --barrier-policy majority --barrier-timeout 90s --barrier-lead 250ms \
	>"$tmp/out" 2>&1
code=$?
why=$(cat "$tmp/out")
ok $code "design together"
grep -q "iterations each, on every worker at once: " "$tmp/out"
ok $? "says that every worker runs everything"
members='"members":["w-1","w-10","w-2"]'
for name in config.json jobs/w-1.json jobs/w-2.json; do
	why=$(object tog/$name)
	[[ $why == *"\"barrier\":{\"policy\":\"majority\",\"timeout_s\":90,\"lead_ms\":250,$members}"* ]]
	ok $? "$name has the settings of the start"
done
# cells and starts of a job, without what is the worker's own
in_order() { object "tog/jobs/$1.json" | grep -oE '"matrix_id":[0-9]+|"barrier":[0-9]+|"block":[0-9]+'; }
in_order w-1 >"$tmp/order1"
in_order w-10 | cmp - "$tmp/order1" && in_order w-2 | cmp - "$tmp/order1" && [ -s "$tmp/order1" ]
ok $? "all workers have one order"
why=$(object tog/jobs/w-10.json | grep -oE '"barrier":[0-9]+' | tr -cd '0-9\n' | head -n 3 | tr '\n' ' ')
[ "$why" = "1 2 3 " ]
ok $? "starts are numbered from 1"
why=$(object tog/jobs/w-2.json | grep -oE '"iteration":[0-9]+' | tr -cd '0-9\n' | head -n 1)
[ "$why" = 3 ]
ok $? "iterations are the worker's own: rank 2 of 3 begins at 3"
"$MUSTER" split gs://control/tog2 "${suite[@]}" --workers 2 --design together --dry-run \
	>"$tmp/out" 2>&1
ok $? "together by itself"
"$MUSTER" split gs://control/tog "${suite[@]}" --workers w-2,w-10,w-1 --iterations 3 \
	--design together --barrier-timeout 90s --barrier-lead 250ms >"$tmp/out" 2>&1
why=$(cat "$tmp/out")
grep -q "differs in settings.barrier.policy" "$tmp/out"
ok $? "another policy is another run"

# the published suites, where they are at hand
shared=${MUSTER_SHARED:-../shared}/suites
if [ -d "$shared" ]; then
	for s in published/read:published/read published/write:published/write; do
		at=$shared/${s%%:*}
		"$MUSTER" split gs://control/"suite-$(basename "$at")" --tests "${at}_test_cases.csv" \
			--configs "${at}_mount_configs.csv" --fio "$at.fio" --data gs://data \
			--workers 4 --pin master=v3.1.0 >"$tmp/out" 2>&1
		code=$?
		why=$(cat "$tmp/out")
		ok $code "the published $(basename "$at") suite, unmodified"
	done
	"$MUSTER" split gs://control/smoke --tests "$shared/smoke/test_cases_sample.csv" \
		--configs "$shared/smoke/test_mount_configs.csv" --fio "$shared/smoke/test_read.fio" \
		--data gs://data --workers 1 --pin master=v3.1.0 >"$tmp/out" 2>&1
	code=$?
	why=$(cat "$tmp/out")
	ok $code "the smoke suite, unmodified"
	grep -q "test 3: its block is larger than its file" "$tmp/out"
	ok $? "its third case is announced as one that does no I/O"
fi
plan
