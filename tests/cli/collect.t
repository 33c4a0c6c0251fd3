#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# muster collect: hand-made runs in an emulated bucket.
# shellcheck source=tests/cli/coordinator.sh
. tests/cli/coordinator.sh

# fields NAME: results.csv of $dir/NAME is rectangular for a strict reader
fields() {
	py "$dir/$1/results.csv" <<'PY'
rows = list(csv.reader(open(sys.argv[1], newline="", encoding="utf-8"), strict=True))
assert len(rows) > 1 and len(set(rows[0])) == len(rows[0]), rows[0]
assert {len(r) for r in rows} == {len(rows[0])}, {len(r) for r in rows}
PY
}

# --- exit codes and their precedence ---
py <<'PY'
Run("good").plan().finish()
Run("bad").plan().finish({"1-1": "failed"})
Run("late").plan().finish({"2-1": "timeout"})
Run("stopped").plan().finish({"2-2": "cancelled"})
Run("void").plan().finish({"1-1": "invalid"})
Run("void-bad-missing").plan().finish({"1-1": "invalid", "1-2": "failed", "2-1": None})
Run("bad-missing").plan().finish({"1-1": "failed", "2-1": None})
Run("missing").plan().finish({"2-1": None})
Run("cut-short").plan().finish({"2-1": "interrupted"})
Run("begun").plan()
Run("prefixed", prefix="a/b").plan().finish()
PY
for row in "0 good" "1 bad" "1 late" "1 stopped" "4 void" "4 void-bad-missing" \
	"1 bad-missing" "3 missing" "3 cut-short" "3 begun"; do
	name=${row#* }
	run "${row% *}" collect "gs://ctl/$name" --out "$dir/$name" && fields "$name" &&
		[ -s "$dir/$name/results.json" ] && [ -s "$dir/$name/summary.md" ]
	ok $? "$name: exit ${row% *}, everything written"
done
run 0 collect gs://ctl/a/b/prefixed/ --out "$dir/prefixed" &&
	[ -s "$dir/prefixed/raw/w-1/test-1/step_1.json" ] && [ -s "$dir/prefixed/config.json" ]
ok $? "a run below a prefix; raw/ for results/"
run 0 collect gs://ctl/good --out "$dir/deep/er/good/" && [ -s "$dir/deep/er/good/summary.md" ]
ok $? "folders are made"
(cd "$dir" && run 0 collect gs://ctl/good) && [ -s "$dir/good-results/results.csv" ]
ok $? "the default folder is <run>-results"

# --- what the tables say ---
py "$dir" <<'PY'
rows = list(csv.DictReader(open(sys.argv[1] + "/void-bad-missing/results.csv", newline="")))
by = {r["step"]: r for r in rows}
assert len(rows) == len(by) == 8, len(rows)
assert [r["step"] for r in rows] == sorted(by), "by matrix_id and iteration"
head = list(rows[0])
figures = head[head.index("group"):head.index("lat_max_ns") + 1]
for step, state, counts, attempt in (("1-1", "invalid", "yes", "1"), ("1-2", "failed", "yes", "1"),
                                     ("2-1", "pending", "no", "")):
    r = by[step]
    assert (r["state"], r["counts"], r["attempt"]) == (state, counts, attempt), r
    assert all(r[f] == "" for f in figures), r
    assert r["reason"], r
assert by["2-1"]["worker"] == "w-1" and by["2-1"]["fio_ns"] == ""
good = by["2-2"]
assert good["state"] == "ok" and good["counts"] == "yes" and all(good[f] for f in figures)
assert good["bw_bytes_per_s"] == "409600.000" and good["warm_ns"] == "" and good["layout_ns"] == "0"
doc = json.load(open(sys.argv[1] + "/void-bad-missing/results.json"))
assert doc["schema"] == "muster/results/1" and doc["complete"] is False
assert len(doc["steps"]) == 8 and len(doc["cells"]) == 4 and len(doc["workers"]) == 2
pending = [s for s in doc["steps"] if s["state"] == "pending"]
assert len(pending) == 1 and pending[0]["attempt"] is None and pending[0]["results"] == []
assert doc["cells"][0]["states"]["invalid"] == 1 and doc["cells"][0]["figures"] == []
assert doc["cells"][1]["figures"][0]["steps"] == 1
assert doc["workers"][0]["provenance"]["fio_version"] == "fio-3.39"
assert json.load(open(sys.argv[1] + "/good/results.json"))["complete"] is True
PY
ok $? "missing, failed and zero are three things, in CSV and JSON"
run 3 collect gs://ctl/cut-short --out "$dir/cut-short" && has "pending: attempt 1 was interrupted" &&
	[ "$(grep -c '^cut-short,w-1,2-1,' "$dir/cut-short/results.csv")" -eq 2 ]
ok $? "an interrupted attempt is listed, its step is pending"
run 4 collect gs://ctl/void-bad-missing --out "$dir/void-bad-missing" --json &&
	cmp -s "$dir/out" "$dir/void-bad-missing/results.json"
ok $? "--json prints results.json"
run 1 collect gs://ctl/bad --out "$dir/bad" && has "step 1-1 (test 1, a) on w-1: failed: it failed" &&
	grep -qF "step 1-1 (test 1, a) on w-1: failed: it failed" "$dir/bad/summary.md"
ok $? "reasons in the table and in summary.md"

# --- attempts, owners, rounds ---
py <<'PY'
r = Run("moved", workers=2, tests=1, arms=1, iterations=3).plan()
r.put_record(r.record("w-1", 1, 1, "interrupted"))
r.put_record(r.record("w-1", 1, 1, "ok", attempt=2, results=[result_of({500: 10}, runtime_ms=100)]))
r.put_record(r.record("w-2", 1, 2, "failed"))
r.put_record(r.record("w-1", 1, 3, "ok"))
# 1-2 goes from w-2 to w-3, which comes with round 2; w-2 later commits all the same
r.bucket.put(r.at + "jobs/w-3.r2.json", r.job("w-3", 2, [r.step(1, 2, 2)]))
r.bucket.put(r.at + "control/0001.json", {"schema": "muster/control/1", "kind": "drain",
             "workers": None, "steps": None, "round": None, "reason": None})
r.bucket.put(r.at + "control/0002.json", {"schema": "muster/control/1", "kind": "reassign",
             "workers": ["w-2", "w-3"], "steps": ["1-2"], "round": 2, "reason": "slow"})
r.put_record(r.record("w-3", 1, 2, "ok", attempt=2, results=[result_of({600: 10}, runtime_ms=200)]))
r.put_record(r.record("w-2", 1, 2, "ok", attempt=3, results=[result_of({1700: 1000})]))
PY
run 0 collect gs://ctl/moved --out "$dir/moved" && has "3 superseded attempts listed" &&
	py "$dir/moved" <<'PY'
doc = json.load(open(sys.argv[1] + "/results.json"))
got = [(s["step"], s["worker"], s["attempt"], s["counts"]) for s in doc["steps"]]
assert got == [("1-1", "w-1", 1, False), ("1-1", "w-1", 2, True), ("1-2", "w-2", 1, False),
               ("1-2", "w-3", 2, True), ("1-2", "w-2", 3, False), ("1-3", "w-1", 1, True)], got
fig = doc["cells"][0]["figures"][0]
assert fig["bw_bytes_per_s"] == [409600.0, 204800.0, 409600.0] and fig["lat"]["n"] == 120, fig
assert doc["complete"] is True
PY
ok $? "superseded attempts are listed, not averaged"

# --- percentiles are those of muster fio over the raw outputs ---
py "$dir" <<'PY'
r = Run("hist", workers=2, tests=1, arms=1, iterations=3, params={"bs": "4k"}).plan()
bins = [{100: 5, 640: 900, 1855: 3}, {64: 7, 900: 1000, 1200: 10}, {1: 1, 641: 70}]
for (w, m, i), b in zip(r.all(), bins):
    r.put_record(r.record(w, m, i, results=[result_of(b)]))
    r.bucket.put(r.folder(w, m) + f"fio_output_{i}.json", fio_output(b))
PY
run 0 collect gs://ctl/hist --out "$dir/hist" && run 0 fio "$dir"/hist/raw/*/test-1/fio_output_*.json --json &&
	py "$dir" <<'PY'
lat = json.load(open(sys.argv[1] + "/hist/results.json"))["cells"][0]["figures"][0]["lat"]
fio = json.load(open(sys.argv[1] + "/out"))["total"]["read"]["lat"]
assert lat["n"] == fio["n"] == 1996 and len(lat["percentiles"]) == 17
assert lat["percentiles"] == fio["percentiles"], (lat, fio)
assert (lat["min_ns"], lat["max_ns"]) == (fio["min_ns"], fio["max_ns"])
assert abs(lat["mean_ns"] - fio["mean_ns"]) < 1e-6 * fio["mean_ns"]
assert lat["percentiles"][-1]["censored"] is True
rows = list(csv.DictReader(open(sys.argv[1] + "/hist/results.csv", newline="")))
assert rows[0]["lat_p99_9_ns"] == ">=17112760320" and rows[1]["lat_p50_ns"].isdigit(), rows[0]
PY
ok $? "merged percentiles equal muster fio's; censored ones say so"
grep -qF "≥17.1 s" "$dir/hist/summary.md"
ok $? "and so in the summary"
py <<'PY'
r = Run("odd", workers=1, tests=1, arms=1, iterations=3).plan()
none = dict(result_of({5: 1}), lat={"n": 0, "min_ns": None, "max_ns": None, "mean_ns": None,
            "stddev_ns": None, "bins": [], "geometry": {"bits": 6, "groups": 29}})
r.put_record(r.record("w-1", 1, 1, results=[result_of({500: 10})]))
r.put_record(r.record("w-1", 1, 2, results=[none]))
r.put_record(r.record("w-1", 1, 3, results=[result_of({500: 10}, runtime_ms=0)]))
r = Run("wide", workers=1, tests=1, arms=1, iterations=2).plan()
fine = result_of({500: 10})
fine["lat"]["geometry"]["bits"], fine["lat"]["bins"] = 8, [[bin_key(900, 8), 10]]
r.put_record(r.record("w-1", 1, 1))
r.put_record(r.record("w-1", 1, 2, results=[fine]))
PY
run 0 collect gs://ctl/odd --out "$dir/odd" && fields odd && py "$dir/odd" <<'PY'
fig = json.load(open(sys.argv[1] + "/results.json"))["cells"][0]["figures"][0]
assert fig["steps"] == 3 and len(fig["iops"]) == 2 and fig["lat"] is None, fig
rows = list(csv.DictReader(open(sys.argv[1] + "/results.csv", newline="")))
assert rows[1]["lat_n"] == rows[1]["lat_p50_ns"] == "" and rows[1]["ios"] == "1", rows[1]
assert rows[2]["runtime_ns"] == "0" and rows[2]["iops"] == "" and rows[2]["lat_n"] == "10", rows[2]
PY
ok $? "unknown rates and latencies are empty, and not averaged as zeros"
run 0 collect gs://ctl/wide --out "$dir/wide" && has "step 1-2: test 1 of a has no latency figures" &&
	grep -q '"lat":null' "$dir/wide/results.json"
ok $? "bins that cannot be merged leave the cell without percentiles"

# --- what is refused ---
py <<'PY'
r = Run("mixed", workers=2, tests=2, arms=1, iterations=2).plan().finish()
p, put = r.at, r.bucket.put
r.put_record(r.record("w-9", 1, 1))                                   # unknown worker
r.put_record(r.record("w-1", 4, 1), p + "results/w-1/test-4/step_1.json")  # no such step
r.put_record(r.record("w-2", 1, 1), p + "results/w-2/test-1/step_1.json")  # another's step
put(r.folder("w-1", 1, 2) + "step_1.json", json.dumps(r.record("w-1", 1, 1))[:200])
put(r.folder("w-1", 1, 3) + "step_1.json", dict(r.record("w-1", 1, 1, attempt=3), schema="muster/step/2"))
put(r.folder("w-1", 1, 4) + "step_1.json", dict(r.record("w-1", 1, 1, attempt=4), matrix_id="1"))
put(r.folder("w-1", 1, 5) + "step_1.json", r.record("w-1", 1, 1, attempt=6))
put(r.folder("w-1", 1, 6) + "step_1.json", dict(r.record("w-1", 1, 1, attempt=6), run="good"))
put(r.folder("w-1", 1, 7) + "step_1.json", dict(r.record("w-1", 1, 1, attempt=7), test_id=2))
put(r.folder("w-1", 1, 8) + "step_1.json", r.record("w-1", 1, 1, attempt=8, results=[]))
put(r.folder("w-1", 1, 9) + "step_1.json",
    r.record("w-1", 1, 1, attempt=9, results=[result_of({9: 1}), result_of({9: 1})]))
put(r.folder("w-1", 1, 10) + "step_1.json", b"\0\xff not JSON")
put(r.folder("w-1", 1, 11) + "step_1.json", b"")
put(p + "results/w-1/../../../../etc/passwd", "x")
put(p + "results/w-1/test-1/../step_1.json", "x")
put(p + "results/w-1/test-01/step_1.json", "x")
put(p + "results/W 1/test-1/step_1.json", "x")
put(p + "results/w-1/\x1b[31m<script>.json", "x")
put(p + "results/", "")
put(p + "results/w-2/manifest.json", "[]")
put(p + "control/0001.json", {"schema": "muster/control/1", "kind": "explode"})
PY
run 4 collect gs://ctl/mixed --out "$dir/mixed"
ok $? "documents that are not right are invalid data"
cp "$dir/out" "$dir/seen"
python3 -c 'import json, sys; print("\n".join(json.load(sys.stdin)["notes"]))' \
	<"$dir/mixed/results.json" >"$dir/notes"
for line in "results/w-9/test-1/step_1.json refused: no job of worker w-9 lists step 1-1" \
	"results/w-1/test-4/step_1.json refused: no job lists step 4-1" \
	"results/w-2/test-1/step_1.json refused: no job of worker w-2 lists step 1-1" \
	"results/w-1/test-1/attempt-2/step_1.json refused: " \
	"attempt-3/step_1.json refused: step: schema" \
	"attempt-4/step_1.json refused: step: matrix_id" \
	"attempt-5/step_1.json refused: says it is another" \
	"attempt-6/step_1.json refused: says it is another run's" \
	"attempt-7/step_1.json refused: test_id or config_id is not the plan's" \
	"attempt-8/step_1.json refused: says ok without a result" \
	"attempt-9/step_1.json refused: results are doubled or out of order" \
	"attempt-10/step_1.json refused: " \
	"attempt-11/step_1.json refused: " \
	"results/w-2/manifest.json refused: " \
	"control/0001.json refused: " \
	"results/w-1/../../../../etc/passwd: not a name of this layout" \
	"results/w-1/test-01/step_1.json: not a name of this layout" \
	"results/W 1/test-1/step_1.json: not a name of this layout"; do
	grep -qF -- "$line" "$dir/notes"
	ok $? "noted: $line"
done
fields mixed && ! LC_ALL=C grep -q "$(printf '\033')" "$dir/seen" "$dir/mixed/summary.md" &&
	! grep -qF '<script>' "$dir/mixed/summary.md" && grep -qF '\x1b[31m' "$dir/seen"
ok $? "foreign names are escaped"
[ ! -e "$dir/etc" ] && [ -z "$(find "$dir/mixed" -name 'passwd' -o -name 'test-01' -o -name '*script*')" ]
ok $? "and never become files"
[ "$(grep -c ',yes,ok,' "$dir/mixed/results.csv")" -eq 4 ]
ok $? "the rest is collected"

# --- claims: who holds a unit owns its steps ---
py <<'PY'
def stealing(name):
    r = Run(name, workers=3, tests=1, arms=1, iterations=3)   # 1-1 w-1, 1-2 w-2, 1-3 w-3
    r.settings["steal"] = True
    return r.plan()
r = stealing("steal")
r.claim("w-1", "1-1", "w-1")
r.claim("w-3", "1-2", "w-2")
r.claim("w-3", "1-3", "w-3")
r.put_record(r.record("w-1", 1, 1))
r.put_record(r.record("w-3", 1, 2))
r.put_record(r.record("w-2", 1, 2, "failed"))     # without the claim: read, and superseded
r.put_record(r.record("w-3", 1, 3))
r = stealing("unclaimed").finish()                # an older worker's, say: as without claims
r.put_record(r.record("w-3", 1, 1))
r = stealing("false-claims").finish()
r.claim("w-9", "1-1", "w-1")                      # no worker of the run
r.claim("w-3", "1-2", "w-1")                      # not in that worker's job
r.claim("w-2", "1-3", "w-3", run="good")
r.put_record(r.record("w-9", 1, 1))
r = Run("no-steal", workers=2, tests=1, arms=1, iterations=2).plan().finish()
r.claim("w-2", "1-1", "w-1")                      # the config knows of no claims
PY
run 0 collect gs://ctl/steal --out "$dir/steal" && has "3 ok" &&
	[ -s "$dir/steal/claims/1-2.json" ] &&
	py "$dir/steal/results.csv" <<'PY'
rows = [r for r in csv.DictReader(open(sys.argv[1])) if r["counts"] == "yes"]
assert sorted((r["step"], r["worker"]) for r in rows) == [
    ("1-1", "w-1"), ("1-2", "w-3"), ("1-3", "w-3")], rows
PY
ok $? "a stolen step counts where its claim is held, another's record of it does not"
run 4 collect gs://ctl/unclaimed --out "$dir/unclaimed" && has "3 ok" &&
	has "results/w-3/test-1/step_1.json refused: no job of worker w-3 lists step 1-1"
ok $? "without a claim a record of somebody else is refused"
run 4 collect gs://ctl/false-claims --out "$dir/false-claims" && has "3 ok" &&
	has "claims/1-1.json refused: worker w-9 has no job in this run" &&
	has "claims/1-3.json refused: says it is another run's" &&
	has "results/w-9/test-1/step_1.json refused: no job of worker w-9"
ok $? "claims that are not right change nothing"
run 0 collect gs://ctl/no-steal --out "$dir/no-steal"
ok $? "nor do claims where the config has none"

py <<'PY'
r = Run("plan", workers=4, tests=1, arms=1, iterations=4).plan().finish()
r.bucket.put(r.at + "jobs/w-1.json", dict(r.job("w-1"), config_sha256="f" * 64))
r.bucket.put(r.at + "jobs/w-2.json", dict(r.job("w-2"), worker="w-9"))
r.bucket.put(r.at + "jobs/w-3.json", dict(r.job("w-3"), extra=1))
r = Run("half", workers=2, tests=1, arms=1, iterations=2).plan().finish()
r.bucket.delete(r.at + "jobs/w-2.json")
r.bucket.delete(r.at + "results/w-2/test-1/step_2.json")
r = Run("matrix", workers=1, tests=1, arms=1, iterations=1)
r.steps["w-1"][0].update(matrix_id=2, step="2-1")
r.plan().finish()
Run("no-jobs", workers=1).bucket.put("no-jobs/config.json", Run("no-jobs", workers=1).config())
Run("empty", workers=3, tests=1, arms=1, iterations=1).plan().finish()
PY
run 4 collect gs://ctl/plan --out "$dir/plan" && has "jobs/w-1.json refused: config_sha256 is another" &&
	has "jobs/w-2.json refused: names another worker" && has "jobs/w-3.json refused: job: extra: unknown key" &&
	has "refused: no job lists step 1-1" && [ "$(grep -c ',yes,ok,' "$dir/plan/results.csv")" -eq 1 ]
ok $? "jobs that are not of this config are refused, with their records"
run 3 collect gs://ctl/half --out "$dir/half" && has "worker w-2 has no readable job" &&
	grep -q '"complete": false' "$dir/half/results.json"
ok $? "a plan that was not written whole is not complete"
run 4 collect gs://ctl/matrix --out "$dir/matrix" && has "step 2-1 (test_id 1, config_id 1) is not in the config's matrix"
ok $? "a job outside the matrix"
run 3 collect gs://ctl/no-jobs --out "$dir/no-jobs"
ok $? "no jobs yet"
run 0 collect gs://ctl/empty --out "$dir/empty"
ok $? "workers without steps are no fault"

py <<'PY'
r = Run("files", workers=1, tests=1, arms=1, iterations=1).plan()
at, texts = r.folder("w-1", 1), {"job_1.fio": b"[j]\n", "fio_output_1.json": b"{}", "monitor_1.csv": b"t_ns\n"}
for name, text in texts.items():
    r.bucket.put(at + name, text)
files = [{"name": n, "bytes": len(t), "crc32c": crc32c(t), "generation": 1, "cut": False} for n, t in texts.items()]
files[1]["crc32c"] = crc32c(b"[]")
files.append(dict(files[0], name="gcsfuse_mount_1.log.gz"))
r.put_record(r.record("w-1", 1, 1, files=files))
PY
run 0 collect gs://ctl/files --out "$dir/files" && [ "$(grep -c 'results/w-1/test-1/' "$dir/out")" -eq 2 ] &&
	has "test-1/fio_output_1.json is not what its record says" &&
	has "test-1/gcsfuse_mount_1.log.gz is not in the bucket"
ok $? "files that are not what the record says are noted"

# --- text that is hard for CSV and Markdown ---
py <<'PY'
r = Run("text", workers=1, tests=1, arms=1, iterations=2, label="a+b=c.d_e-f",
        params={"a,b": "x,y", "quote\"": "say \"hi\"", "line": "one\ntwo\r\nthree", "uni": "größe 日本 \u202e",
                "html": "<b>|`*", "empty": "", "=cmd": "=1+1"}).plan()
r.put_record(r.record("w-1", 1, 1, "failed", reason="it, \"said\"\nso; größe | <i>`x`"))
r.put_record(r.record("w-1", 1, 2, started="a,b\"c", flags=["x,y", "z \"w\""]))
PY
run 1 collect gs://ctl/text --out "$dir/text" && fields text && py "$dir/text" <<'PY'
rows = list(csv.DictReader(open(sys.argv[1] + "/results.csv", newline="", encoding="utf-8"), strict=True))
assert rows[0]["param_a,b"] == "x,y" and rows[0]['param_quote"'] == 'say "hi"'
assert rows[0]["param_line"] == "one\ntwo\r\nthree" and rows[0]["param_uni"] == "größe 日本 \u202e"
assert rows[0]["param_empty"] == "" and rows[0]["param_=cmd"] == "=1+1"
assert rows[0]["label"] == "a+b=c.d_e-f" and rows[0]["reason"] == 'it, "said" so; größe | <i>`x`'
assert rows[1]["flags"] == 'x,y z_"w"' and rows[1]["started"] == 'a,b"c', rows[1]
md = open(sys.argv[1] + "/summary.md", encoding="utf-8").read()
assert "<b>" not in md and "<i>" not in md and "größe" in md
table = [l for l in md.splitlines() if l.startswith("|")]
assert len({l.count("|") for l in table}) == 1, table
PY
ok $? "CSV and Markdown keep their shape"

# --- repeated, archived ---
cp -r "$dir/mixed" "$dir/before"
run 4 collect gs://ctl/mixed --out "$dir/mixed" && diff -r "$dir/mixed" "$dir/before" >"$dir/err"
ok $? "collected again: the same bytes"
printf 'damaged' >"$dir/good/raw/w-1/test-1/step_1.json"
rm "$dir/good/raw/w-2/test-1/step_2.json"
run 0 collect gs://ctl/good --out "$dir/good" && grep -q '"state"' "$dir/good/raw/w-1/test-1/step_1.json" &&
	grep -q '"state"' "$dir/good/raw/w-2/test-1/step_2.json"
ok $? "local files are trusted by their bytes only"
if command -v tar >/dev/null && command -v zstd >/dev/null; then
	run 0 collect gs://ctl/good --out "$dir/arc" --archive && mkdir "$dir/x" &&
		zstd -dcq "$dir/arc.tar.zst" | tar -x -C "$dir/x" 2>"$dir/err" && diff -r "$dir/x" "$dir/arc" >"$dir/err"
	ok $? "--archive has the same files"
	cp "$dir/arc.tar.zst" "$dir/first.tar.zst"
	run 0 collect gs://ctl/good --out "$dir/arc/" --archive && cmp "$dir/arc.tar.zst" "$dir/first.tar.zst"
	ok $? "and the same bytes again"
	mkdir "$dir/taken.tar.zst"
	run 2 collect gs://ctl/good --out "$dir/taken" --archive && one_line && says "taken.tar.zst"
	ok $? "an archive that cannot be put in place"
else
	for what in "the same files" "the same bytes" "in place"; do
		n=$((n + 1))
		echo "ok $n # SKIP no tar or zstd: $what"
	done
fi
[ -z "$(find "$dir" -name '*.partial')" ]
ok $? "nothing half-written is left"

# --- a store in trouble ---
# faults RULE...: as python dicts
faults() { py "$@" <<<'Bucket().faults(*[eval(a) for a in sys.argv[1:]])'; }
faults '{"kind": "503", "probability": 0.3}' '{"kind": "reset", "probability": 0.1}' \
	'{"kind": "truncate", "probability": 0.1, "match": "alt=media"}'
run 0 collect gs://ctl/good --out "$dir/shaken" && diff -r "$dir/shaken" "$dir/good" >"$dir/err"
ok $? "faults that pass change nothing"
faults '{"kind": "404", "match": "good/results/w-1/test-1/step_1.json?alt=media"}'
run 3 collect gs://ctl/good --out "$dir/gone" && has "results/w-1/test-1/step_1.json not fetched" && fields gone
ok $? "an object deleted since the listing"
faults '{"kind": "403", "match": "good/results/w-1/test-1/step_1.json?alt=media"}'
run 2 collect gs://ctl/good --out "$dir/denied" && one_line && [ ! -e "$dir/denied/results.csv" ]
ok $? "no permission to read"
faults '{"kind": "stall", "seconds": 60, "match": "good/results/w-2"}'
began=$SECONDS
"$muster" collect gs://ctl/good --out "$dir/int" >"$dir/out" 2>"$dir/err" &
pid=$!
for _ in $(seq 100); do
	[ -e "$dir/int/raw/w-1/test-4/step_1.json" ] && break
	sleep 0.05
done
sleep 0.2
kill -INT $pid
wait $pid
[ $? -eq 130 ] && [ $((SECONDS - began)) -lt 20 ] && one_line && says interrupted && fields int &&
	[ "$(grep -c ',yes,ok,' "$dir/int/results.csv")" -eq 4 ] && has "not everything was fetched"
ok $? "SIGINT: 130, at once, and what there is is written"
faults

# --- what cannot work: one line, exit 2 ---
echo x >"$dir/file"
run 2 collect gs://ctl/good --out "$dir/file" && one_line
ok $? "the folder is a file"
run 2 collect gs://ctl/good --out /proc/nowhere && one_line
ok $? "the folder cannot be made"
run 2 collect gs://ctl/nothing --out "$dir/none" && one_line && says "no run nothing" && [ ! -e "$dir/none" ]
ok $? "no such run"
run 2 collect gs://nowhere/r1 --out "$dir/none" && one_line && says "no bucket gs://nowhere" && [ ! -e "$dir/none" ]
ok $? "no such bucket"
for url in "" r1 gs:// gs://ctl gs://ctl/ gs://ctl/R1 gs://ctl/../x s3://ctl/r1; do
	run 2 collect "$url" --out "$dir/none" && one_line
	ok $? "no run's URL: '$url'"
done
STORAGE_EMULATOR_HOST=http://127.0.0.1:1 run 2 collect gs://ctl/good --out "$dir/none" && one_line
ok $? "no store"
run 2 collect && one_line && run 2 collect gs://ctl/a gs://ctl/b && one_line &&
	run 2 collect gs://ctl/good --otu x && says "did you mean --out"
ok $? "usage errors"
run 0 collect --help && has "usage: muster collect RUN" && has "exit code" && has "--archive"
ok $? "--help teaches"
py <<'PY'
Bucket().put("broken/config.json", "{")
Bucket().put("other/config.json", Run("good").config())
PY
run 2 collect gs://ctl/broken --out "$dir/none" && one_line && says "broken/config.json"
ok $? "a config that cannot be read"
run 2 collect gs://ctl/other --out "$dir/none" && one_line && says "config of run good"
ok $? "another run's config"
"$muster" collect gs://ctl/good --out "$dir/full" >/dev/full 2>"$dir/err"
[ $? -eq 1 ] && one_line
ok $? "a full standard output is noticed"
if unshare -m true 2>/dev/null; then
	# 24 KiB: room for some small objects, not for the records
	mkdir "$dir/small"
	unshare -m sh -c 'mount -t tmpfs -o size=24k none "$1" && exec "$2" collect gs://ctl/good --out "$1/out"' \
		- "$dir/small" "$muster" >"$dir/out" 2>"$dir/err"
	[ $? -eq 2 ] && one_line && says "No space left" && grep -Eq "small/out/|gs://ctl/good/" "$dir/err"
	ok $? "a full disk: what could not be written is named"
fi

finish
