#!/bin/bash
# A whole run of kind dir: split, two workers, collect; then the same run looked at again.
. tests/e2e/lib.sh
t_begin
start_emulator

suite=tests/data/suite
muster split gs://ctl/r1 --tests $suite/tests.csv --configs $suite/configs.csv \
	--fio $suite/job.fio --data gs://data --workers 2 --iterations 2 --kind dir \
	>"$t_dir/split.out" 2>&1
is $? 0 "split writes the run"
worker r1 w-1 & a=$!
worker r1 w-2 & b=$!
wait $a; is $? 0 "worker w-1 ends 0"
wait $b; is $? 0 "worker w-2 ends 0"
muster wait gs://ctl/r1 --timeout 10s >"$t_dir/wait.out"
is $? 0 "wait says the run is done"
muster collect gs://ctl/r1 --out "$t_dir/out" --archive >"$t_dir/collect.out"
is $? 0 "collect says every step is ok"
is "$(csv "$t_dir/out/results.csv" state | sort -u)" ok "every row of results.csv is ok"
is "$(csv "$t_dir/out/results.csv" ios | grep -c '^0$')" 0 "no row is without I/O"
ok "$(python3 -c "
import json
d = json.load(open('$t_dir/out/results.json'))
print(0 if d['complete'] and d['cells'] and all(c['states']['ok'] == c['planned'] for c in d['cells']) else 1)")" \
	"results.json has every cell complete"
tar --zstd -tf "$t_dir/out.tar.zst" >"$t_dir/tar.list" 2>&1
is "$(grep -c '^raw/.*step_.*json$' "$t_dir/tar.list")" \
	"$(find "$t_dir/out/raw" -name 'step_*.json' | wc -l)" "the archive holds every record"
no_leftovers "no process and no mount is left"
like "$(muster status gs://ctl/r1 --json)" '"state": "done"' "status shows workers done"

# a worker started again finds nothing to do and re-runs nothing
before=$(muster store ls -r gs://ctl/r1/results/ | sort)
worker r1 w-1
is $? 0 "a worker started again ends 0"
is "$(muster store ls -r gs://ctl/r1/results/ | sort)" "$before" "and writes no new result"
done_testing
