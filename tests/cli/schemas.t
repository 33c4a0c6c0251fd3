#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The JSON Schemas say what the C code does: both take the sample documents and those the
# C code writes, and give the same verdict on thousands of spoiled ones. FORMATS.md names
# every field.
set -u
cd "$(dirname "$0")/../.." || exit 1
tool=${BUILD:-build}/tests/tools/dump_documents

python=
for p in python3 /usr/bin/python3; do
	"$p" -c 'from jsonschema import Draft202012Validator' 2>/dev/null && python=$p && break
done
[[ -n $python ]] || { echo "1..0 # SKIP python3-jsonschema is not installed"; exit 0; }
[[ -x $tool ]] || { echo "1..0 # SKIP $tool is not built (make tests)"; exit 0; }

exec "$python" - "$tool" <<'PYTHON'
import copy, glob, json, re, subprocess, sys
from jsonschema import Draft202012Validator

tool, count, failed = sys.argv[1], 0, 0
ORDERS = ["job", "config", "control", "vm", "verdict"]
RECORDS = ["worker", "manifest", "step", "claim", "arrival"]
# objects whose keys are the user's, or another program's
FREE = ["params", "env", "gcsfuse", "monitor"]


def ok(good, what, *why):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, what))
    for line in why if not good else ():
        print("# " + line)


def c_says(kind, docs):
    lines = "".join(json.dumps(d, ensure_ascii=False) + "\n" for d in docs)
    run = subprocess.run([tool, "check", kind], input=lines, capture_output=True, text=True)
    return run.stdout.splitlines() if run.returncode == 0 else ["crashed"] * len(docs)


def objects_of(schema):
    """What each object of a schema says of keys it does not list."""
    for s in schema if isinstance(schema, list) else schema.values():
        if isinstance(s, (dict, list)):
            yield from objects_of(s)
    if isinstance(schema, dict) and "properties" in schema and "required" in schema:
        yield schema.get("additionalProperties", True)


def names_of(schema):
    """Every property a schema lists."""
    for key, s in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if key == "properties":
            yield from s
        if isinstance(s, (dict, list)):
            yield from names_of(s)


def places(doc, path=()):
    """Every place in the document, deepest last."""
    if not isinstance(doc, (dict, list)):
        return
    for key, value in doc.items() if isinstance(doc, dict) else enumerate(doc):
        yield path + (key,), value
        yield from places(value, path + (key,))


def put(doc, path, value=None, delete=False):
    doc = copy.deepcopy(doc)
    at = doc
    for key in path[:-1]:
        at = at[key]
    if delete:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return doc


def spoiled_field(doc, path, value, is_known):
    name, typed = ".".join(map(str, path)), is_known and value is not None
    other = 1 if isinstance(value, (dict, list)) else {"x": []}
    yield name + " of another type", put(doc, path, other), typed
    flag = "true" if isinstance(value, bool) else True
    yield name + " a flag", put(doc, path, flag), typed
    if isinstance(path[-1], str):
        yield name + " null", put(doc, path), None
        yield name + " missing", put(doc, path, delete=True), None
    if isinstance(value, int) and not isinstance(value, bool):
        yield name + " negative", put(doc, path, -2), None
        yield name + " with a fraction", put(doc, path, value + 0.5), None
        yield name + " as a text", put(doc, path, str(value)), typed
    if isinstance(value, str) and path[-1] not in ("fio_job", "config_file"):
        for bad in ("../x", "", "x\ny", "a/../b"):
            yield name + " " + json.dumps(bad), put(doc, path, bad), None


def spoiled(doc, is_known):
    """Edits of @doc, and whether they must be refused; is_known: it has no strange keys."""
    yield "another major", put(doc, ("schema",), doc["schema"][:-1] + "2"), True
    yield "unknown key", dict(doc, surprise=1), None
    for path, value in places(doc):
        if any(key in FREE for key in path[:-1]):
            continue
        if isinstance(value, dict) and path[-1] not in FREE:
            grown = put(doc, path, dict(value, surprise=1))
            yield "unknown key in " + ".".join(map(str, path)), grown, None
        yield from spoiled_field(doc, path, value, is_known)


def agree(kind, doc, name, check):
    cases = list(spoiled(doc, not name.startswith("lenient")))
    said = c_says(kind, [c[1] for c in cases])
    wrong = []
    for (what, spoil, must_refuse), c in zip(cases, said):
        fine = check.is_valid(spoil)
        verdict = "%s: the schema %s it, C: %s" % (what, "takes" if fine else "refuses", c)
        grown = what.startswith("unknown key")
        if (c == "ok") != fine or (must_refuse and fine):
            wrong.append(verdict)
        if grown and kind in ORDERS and (fine or "surprise: unknown key" not in c):
            wrong.append("not refused by name: " + verdict)
        if grown and kind in RECORDS and not fine:
            wrong.append("a record must be read: " + verdict)
    ok(len(said) == len(cases) and not wrong,
       "%s: %d spoiled documents, one verdict" % (name, len(cases)), *wrong[:20])


def samples_of(kind):
    for pattern in ("%s-[0-9]*.json", "lenient-%s.json"):
        for path in sorted(glob.glob("tests/data/documents/" + pattern % kind)):
            yield path.rsplit("/", 1)[1], json.load(open(path))
    made = subprocess.run([tool, "print", kind], capture_output=True, text=True)
    yield kind + " by the C code", json.loads(made.stdout or "null")


formats = set(re.findall(r"\w+", " ".join(re.findall("`([^`]*)`", open("FORMATS.md").read()))))
for kind in ORDERS + RECORDS:
    schema = json.load(open("manifests/%s.schema.json" % kind))
    try:
        Draft202012Validator.check_schema(schema)
        ok(True, kind + ": the schema is one")
    except Exception as e:
        ok(False, kind + ": the schema is one", str(e).splitlines()[0])
    closed = all(a is False for a in objects_of(schema))
    is_open = all(a is True for a in objects_of(schema))
    ok(closed if kind in ORDERS else is_open,
       kind + ": every object is " + ("closed" if kind in ORDERS else "open"))
    absent = sorted(set(names_of(schema)) - formats)
    ok(not absent, kind + ": FORMATS.md names every field", *absent)
    check, docs = Draft202012Validator(schema), list(samples_of(kind))
    ok(len(docs) >= 3, kind + ": there are samples")
    for name, doc in docs:
        why = ["%s: %s" % ("/".join(map(str, e.path)), e.message[:200])
               for e in check.iter_errors(doc)]
        ok(not why, name + ": fits the schema", *why[:5])
        said = c_says(kind, [doc])
        ok(said == ["ok"], name + ": the C code takes it", *said)
        agree(kind, doc, name, check)

print("1..%d" % count)
sys.exit(failed > 0)
PYTHON
