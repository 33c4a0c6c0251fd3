#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# muster stop and clean, the command table, and what all commands share.
# shellcheck source=tests/cli/coordinator.sh
. tests/cli/coordinator.sh

names() { py "$@" <<<'open(sys.argv[2], "w").write("".join(n + "\n" for n in Bucket().names(sys.argv[1])))'; }

# --- stop ---
py <<'PY'
Run("r1", workers=2, tests=1, arms=1).plan()
Run("many", workers=1, tests=1, arms=1).plan()
PY
run 0 stop gs://ctl/r1 && has "drain: order 0001" && run 0 stop gs://ctl/r1 --abort --reason "größe \"x\"" && has "abort: order 0002"
ok $? "orders are numbered from 0001"
py <<'PY'
b = Bucket()
one, two = (json.loads(b.get(f"r1/control/000{i}.json")) for i in (1, 2))
assert one == {"schema": "muster/control/1", "kind": "drain", "workers": None, "steps": None,
               "round": None, "reason": "stopped by the operator"}, one
assert two["kind"] == "abort" and two["reason"] == 'größe "x"'
PY
ok $? "they say what was asked"
run 0 stop gs://ctl/r1 --json && py "$dir/out" <<'PY'
assert json.load(open(sys.argv[1])) == {"schema": "muster/stop/1", "run": "r1", "seq": 3, "kind": "drain"}
PY
ok $? "stop --json"
pids=()
for _ in 1 2 3 4 5 6; do
	"$muster" stop gs://ctl/many --json >"$dir/stop-$_" 2>/dev/null &
	pids+=($!)
done
good=0
for pid in "${pids[@]}"; do
	wait "$pid" && good=$((good + 1))
done
names many/control/ "$dir/names"
[ $good -eq 6 ] && [ "$(paste -sd, "$dir/names")" = "$(printf 'many/control/%04d.json\n' 1 2 3 4 5 6 | paste -sd,)" ]
ok $? "six at once: six numbers, no gap"
py <<<'Bucket().faults({"kind": "lost", "method": "POST", "match": "/o?", "count": 2})'
run 0 stop gs://ctl/r1 && has "order 0004" && names r1/control/ "$dir/names" && [ "$(wc -l <"$dir/names")" -eq 4 ]
ok $? "a lost reply makes no second order"
py <<<'Bucket().faults({"kind": "403", "method": "POST"})'
run 2 stop gs://ctl/r1 && one_line
ok $? "no permission to write"
py <<<'Bucket().faults()'
run 2 stop gs://ctl/r1 --reason "$(printf 'x\377')"
ok $? "a reason that is not UTF-8"
run 2 stop gs://ctl/none && one_line && run 2 stop && one_line
ok $? "stop of no run"

# --- clean ---
py <<'PY'
for name, prefix in (("c1", ""), ("c1x", ""), ("c2", ""), ("c1", "team/a"), ("c3", "")):
    r = Run(name, workers=2, tests=1, arms=1, prefix=prefix).plan().finish()
    r.bucket.put(r.at + "report/summary.md", "x")
    r.bucket.put(r.at + "binaries/0123456789abcdef01234567/gcsfuse", "x")
b = Bucket()
b.put("_cache/gcsfuse/0123456789abcdef01234567/gcsfuse", "x")
b.put("c1/notes/of mine.txt", "x")
b.put("c1", "x")
PY
names "" "$dir/before"
run 1 clean gs://ctl/c1 && says "delete 11 objects of run c1 in gs://ctl? [y/N]" && says "nothing deleted"
ok $? "clean asks; no answer is no"
for answer in n "" "nein yes"; do
	echo "$answer" | "$muster" clean gs://ctl/c1 >"$dir/out" 2>"$dir/err"
	[ $? -eq 1 ]
	ok $? "answer '$answer' is no"
done
names "" "$dir/after" && cmp -s "$dir/before" "$dir/after"
ok $? "nothing was deleted"
echo y | "$muster" clean gs://ctl/c1 >"$dir/out" 2>"$dir/err" && has "deleted 11 objects of run c1" && says "1 object below the run is not muster's"
ok $? "answer y"
names "" "$dir/after"
grep -v '^c1/' "$dir/before" >"$dir/want"
echo "c1/notes/of mine.txt" >>"$dir/want"
diff <(sort "$dir/want") <(sort "$dir/after") >"$dir/err"
ok $? "the run's objects are gone, and nothing else"
run 2 clean gs://ctl/c1 --yes && says "no run c1"
ok $? "cleaned twice: no such run"
run 0 clean gs://ctl/team/a/c1 --yes --json && py "$dir/out" <<'PY'
assert json.load(open(sys.argv[1])) == {"schema": "muster/clean/1", "run": "c1", "deleted": 11, "left_alone": 0}
assert Bucket().names("team/") == []
PY
ok $? "clean --yes --json below a prefix"
py <<'PY'
for name, prefix in (("r1", ""), ("r10", ""), ("r1-x", ""), ("r1", "r1"), ("r1", "p"), ("r1", "p/r1"),
                     ("r1", "r1/r1"), ("r1", "p=_.~@+-"), ("r2", "p/r1x")):
    r = Run(name, workers=1, tests=1, arms=1, prefix=prefix).plan().finish()
b = Bucket()
for name in ("r1", "r1.json", "r1_/x", "R1/config.json", "p/r1", "p/r1.d/config.json", "_cache/gcsfuse/k"):
    b.put(name, "x")
PY
for run in p/r1 r1/r1/r1 'p=_.~@+-/r1' r1/r1 r1; do
	names "" "$dir/before"
	run 0 clean "gs://ctl/$run" --yes && names "" "$dir/after"
	# what begins with the run's own folder, and is an object of the layout
	awk -v p="$run/" 'index($0, p) != 1 { print; next } { rest = substr($0, length(p) + 1) }
		rest !~ /^(config\.json|control\/|jobs\/|workers\/|results\/)/ { print }' "$dir/before" >"$dir/want"
	diff "$dir/want" "$dir/after" >"$dir/err" && [ "$(wc -l <"$dir/after")" -lt "$(wc -l <"$dir/before")" ]
	ok $? "clean $run: its objects, and of no sibling, no prefix and no run inside"
done
for url in gs://ctl gs://ctl/ gs://ctl/p/ gs://ctl/p/../r10 gs://ctl//r10 'gs://ctl/r1*' gs://ctl/r10/.; do
	names "" "$dir/before"
	run 2 clean "$url" --yes && one_line && names "" "$dir/after" && cmp -s "$dir/before" "$dir/after"
	ok $? "clean $url deletes nothing"
done
py <<<'Bucket().faults({"kind": "403", "method": "DELETE", "match": "c2/results"})'
run 2 clean gs://ctl/c2 --yes && says "objects deleted" && one_line && names c2/ "$dir/names" && grep -q '^c2/config.json' "$dir/names"
ok $? "a clean that breaks off leaves config.json"
py <<<'Bucket().faults()'
run 0 clean gs://ctl/c2 --yes && names c2/ "$dir/names" && [ ! -s "$dir/names" ]
ok $? "and is repeated"
py "$muster" <<'PY'
import time
b = Bucket()
b.faults({"kind": "stall", "seconds": 1, "method": "DELETE", "match": "c3/workers/w-1"})
p = subprocess.Popen([sys.argv[1], "clean", "gs://ctl/c3", "--yes"], stderr=subprocess.PIPE)
time.sleep(0.5)
Run("c3", workers=2, tests=1, arms=1).heartbeat("w-1", "running", done=0)
err = p.communicate()[1].decode()
assert p.returncode == 1 and "worker is still running" in err, (p.returncode, err)
assert "c3/config.json" in b.names("c3/")
PY
ok $? "a worker that is still alive is noticed"
"$muster" clean gs://ctl/c3 --yes >/dev/full 2>"$dir/err"
[ $? -eq 1 ]
ok $? "a full standard output is noticed"

# --- the table of commands ---
"$muster" >"$dir/out" 2>"$dir/err"
[ $? -eq 2 ] && says "usage: muster COMMAND" && [ ! -s "$dir/out" ]
ok $? "no command: usage, exit 2"
for flag in --help -h help; do
	run 0 $flag && has "usage: muster COMMAND" && has "collect" && [ ! -s "$dir/err" ]
	ok $? "muster $flag"
done
run 0 --version && grep -qE '^muster [0-9]+\.[0-9]+\.[0-9]+$' "$dir/out"
ok $? "muster --version"
while read -r wrong near; do
	run 2 "$wrong" && one_line && says "did you mean $near?"
	ok $? "$wrong: did you mean $near"
done <<'EOT'
colect collect
statsu status
splti split
clena clean
EOT
run 2 xyzzyxyzzy && one_line && says "unknown command"
ok $? "a command like no other"
run 2 "$(printf 'a\033[31m')" && one_line && ! grep -q "$(printf '\033')" "$dir/err"
ok $? "control characters in a command's name"
while read -r command; do
	case $command in fio | store) continue ;; esac
	run 0 "$command" --help && has "usage: muster $command" && has "--help" && [ "$(wc -l <"$dir/out")" -gt 6 ]
	ok $? "$command --help"
	run 2 "$command" gs://ctl/r1 --nosuchflag && one_line && says "unknown flag --nosuchflag"
	ok $? "$command refuses unknown flags"
done < <("$muster" --help | sed -n 's/^  \([a-z]*\) .*/\1/p')

finish
