#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# muster store: every verb, exit codes, retries, faults, messages, secrets.
set -u

muster=${BUILD:-build}/muster
emulator=${BUILD:-build}/muster-emulator
if ! command -v curl >/dev/null; then
	echo "1..0 # SKIP curl is missing"
	exit 0
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/store.XXXXXX")
"$emulator" --port 0 --bucket bkt >"$dir/url" 2>"$dir/emulator.log" &
pid=$!
trap 'kill $pid 2>/dev/null; rm -rf "$dir"' EXIT
until_there() { # until_there FILE: it has a line, within 30 s
	for _ in $(seq 600); do
		[ -s "$1" ] && return 0
		sleep 0.05
	done
	return 1
}
until_there "$dir/url"
STORAGE_EMULATOR_HOST=$(cat "$dir/url")
export STORAGE_EMULATOR_HOST MUSTER_RETRY_BASE_MS=5
n=0

ok() { # ok STATUS NAME
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# out: /' "$dir/out" | head -n 20
		sed 's/^/# err: /' "$dir/err" | head -n 20
	fi
}
# store WANTED_EXIT ARG...: output in $dir/out and $dir/err
store() {
	local want=$1 got
	shift
	"$muster" store "$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ $got -eq "$want" ] || echo "# exit $got, want $want: store $*"
	[ $got -eq "$want" ]
}
has() { grep -qF -- "$1" "$dir/out"; }
says() { grep -qF -- "$1" "$dir/err"; }
is() { [ "$(cat "$dir/out")" = "$1" ]; }
faults() { # faults RULE,RULE...
	curl -sf -X POST -d "{\"seed\":3,\"rules\":[$1]}" \
		"$STORAGE_EMULATOR_HOST/_emulator/faults" >/dev/null
}
requests() { curl -sf "$STORAGE_EMULATOR_HOST/_emulator/requests" | grep -o '"number"' | wc -l; }
strikes() { curl -sf "$STORAGE_EMULATOR_HOST/_emulator/faults" | sed -n 's/.*"struck": *\([0-9]*\).*/\1/p'; }
forget() { curl -sf -X DELETE "$STORAGE_EMULATOR_HOST/_emulator/requests" >/dev/null; }

printf hello >"$dir/small"
: >"$dir/empty"
head -c 9437184 /dev/urandom >"$dir/big"

# given up after 15 s; looked at in the end
STORAGE_EMULATOR_HOST=127.0.0.1:1 timeout 60 "$muster" store ls gs://bkt 2>"$dir/nobody" &
nobody=$!

# the verbs
store 0 ls gs://bkt && is ""
ok $? "an empty bucket"
store 0 cp "$dir/small" gs://bkt/a/ && has "gs://bkt/a/small  5 bytes  generation "
ok $? "a URL ending in / takes the file's name"
store 0 cp "$dir/small" "gs://bkt/a b/ü?#%" && store 0 cat "gs://bkt/a b/ü?#%" && is hello
ok $? "a name with every kind of character"
store 0 cp "$dir/big" gs://bkt/a/big && store 0 cp gs://bkt/a/big "$dir/back" &&
	cmp -s "$dir/big" "$dir/back"
ok $? "a large file there and back"
store 0 cp --resumable "$dir/empty" gs://bkt/empty && store 0 cat gs://bkt/empty && is ""
ok $? "an empty file by a resumable upload"
store 0 cp gs://bkt/a/small "$dir" && cmp -s "$dir/small" "$dir/small"
ok $? "into a folder"
store 0 ls gs://bkt && is "gs://bkt/a b/
gs://bkt/a/
gs://bkt/empty"
ok $? "ls: one level"
store 0 ls gs://bkt/a && is "gs://bkt/a/big
gs://bkt/a/small"
ok $? "ls: a folder without its slash"
store 0 ls -r gs://bkt && [ "$(wc -l <"$dir/out")" -eq 4 ]
ok $? "ls -r: all levels"
store 0 ls -l gs://bkt/a/small && grep -qE '^ +5  20[0-9T:.-]+Z +[0-9]+  gs://bkt/a/small$' "$dir/out"
ok $? "ls -l: size, time, generation"
store 0 ls --json gs://bkt && has '"schema": "muster/store-ls/1"' && has '"gs://bkt/a/"' &&
	has '"size_bytes": 0'
ok $? "ls --json"
store 0 stat gs://bkt/a/small && has "size            5 bytes" && has "crc32c          mnG7TA=="
ok $? "stat, with units"
generation=$(sed -n 's/^ *generation *//p' "$dir/out")
store 0 compose gs://bkt/a/small gs://bkt/empty gs://bkt/a/small gs://bkt/c &&
	store 0 cat gs://bkt/c gs://bkt/a/small && is hellohellohello
ok $? "compose, and cat of several"
store 0 rm gs://bkt/c && store 2 stat gs://bkt/c
ok $? "rm"

# preconditions
store 1 cp --if-generation-match 0 "$dir/small" gs://bkt/a/small && says "HTTP 412"
ok $? "cp only if absent: exit 1"
store 1 cp --if-generation-match 7 "$dir/small" gs://bkt/a/small
ok $? "cp of a wrong generation: exit 1"
store 1 rm --if-generation-match 7 gs://bkt/a/small
ok $? "rm of a wrong generation: exit 1"
store 1 compose gs://bkt/empty gs://bkt/a/small --if-generation-match 7
ok $? "compose onto a wrong generation: exit 1"
store 0 cp --if-generation-match "$generation" "$dir/small" gs://bkt/a/small
ok $? "cp of the right generation"

# what is not there, or not possible
store 2 cat gs://bkt/none && says "cannot read gs://bkt/none: HTTP 404: No such object"
ok $? "no such object: exit 2, in the server's words"
store 2 ls gs://none && says "gs://none: HTTP 404: The specified bucket does not exist"
ok $? "no such bucket"
store 2 ls gs://bkt/none/ && says "nothing is there"
ok $? "no such folder"
store 2 lst gs://bkt && says "did you mean ls"
ok $? "the nearest verb"
store 2 ls --jsn gs://bkt && says "did you mean --json"
ok $? "the nearest flag"
store 2 cat -l gs://bkt/a/small && says "does not take -l"
ok $? "a flag of another verb"
store 2 cp "$dir/small" "$dir/x" && says "gs://"
ok $? "cp without a URL"
store 2 stat gs://bkt && says "names a bucket"
ok $? "stat of a bucket"
store 2 cp "$dir/absent" gs://bkt/x && says "No such file"
ok $? "a file that is not there"
store 2 ls 'gs://B KT' && says "3 to 222 characters"
ok $? "no bucket's name"
echo '{"type":"external_account"}' >"$dir/key.json"
GOOGLE_APPLICATION_CREDENTIALS=$dir/key.json STORAGE_EMULATOR_HOST='' store 2 ls gs://bkt &&
	says "key.json" && says "supported are"
ok $? "credentials of another type: what is supported instead"

# faults
faults '{"kind":"503","count":2},{"kind":"lost","method":"POST","count":1}'
store 0 cp --if-generation-match 0 "$dir/small" gs://bkt/lost
ok $? "503, 503, lost reply: the write is known to be ours"
faults '{"kind":"lost","method":"POST","count":1}'
store 0 compose gs://bkt/a/small gs://bkt/empty gs://bkt/whole --if-generation-match 0 && has "5 bytes"
ok $? "a compose whose reply was lost is known to be ours"
faults '{"kind":"lost","method":"PUT","count":1}'
store 0 cp --resumable --if-generation-match 0 "$dir/small" gs://bkt/part && has "5 bytes"
ok $? "so is a resumable upload whose last reply was lost"
faults ''
store 0 stat gs://bkt/part
generation=$(sed -n 's/^ *generation *//p' "$dir/out")
faults '{"kind":"503","method":"DELETE","count":1}'
store 1 rm --if-generation-match 7 gs://bkt/part && says "HTTP 412"
ok $? "a delete after a 503: another generation is not ours to remove"
faults '{"kind":"lost","method":"DELETE","count":1}'
store 0 rm --if-generation-match "$generation" gs://bkt/part
ok $? "a delete whose reply was lost is known to be ours"
faults '{"kind":"503","count":1}'
store 2 cp "$dir/small" gs://bkt/once && says "not tried again"
ok $? "without a precondition a write is not repeated"
faults '{"kind":"reset","count":1}'
store 2 rm gs://bkt/lost && says "not tried again"
ok $? "nor a delete"
faults '{"kind":"truncate","method":"GET","match":"alt=media","count":4}'
store 0 cp gs://bkt/a/big "$dir/back" && cmp -s "$dir/big" "$dir/back"
ok $? "a body cut four times arrives whole"
faults '{"kind":"broken-stream","method":"GET","count":3,"after_bytes":1000001},{"kind":"reset","method":"GET","count":2,"after_bytes":500000}'
forget
store 0 cp gs://bkt/a/big "$dir/back" && cmp -s "$dir/big" "$dir/back" && faults '' && [ "$(requests)" -eq 6 ]
ok $? "a stream broken five times, too"
faults '{"kind":"corrupt","method":"GET","match":"alt=media"}'
rm -f "$dir/back"
store 4 cp gs://bkt/a/big "$dir/back" && says "CRC32C" && [ ! -e "$dir/back" ]
ok $? "damaged on the way: exit 4, and no file"
faults '{"kind":"corrupt","match":"uploadType=multipart"}'
store 2 cp --if-generation-match 0 "$dir/small" gs://bkt/damaged && faults '' && store 2 stat gs://bkt/damaged
ok $? "damaged on the way there: refused, and no object"
faults '{"kind":"reset","method":"PUT","count":2,"after_bytes":3000000},{"kind":"lost","method":"PUT","count":1,"skip":1}'
store 0 cp --if-generation-match 0 "$dir/big" gs://bkt/big2 && faults '' &&
	store 0 cp gs://bkt/big2 "$dir/back" && cmp -s "$dir/big" "$dir/back"
ok $? "an upload broken three times arrives whole"
faults '{"kind":"403"}'
store 2 cat gs://bkt/a/small && says "cannot read gs://bkt/a/small: HTTP 403"
ok $? "403: bucket, object, status"
faults '{"kind":"401"}'
forget
store 2 ls gs://bkt && [ "$(requests)" -eq 1 ]
ok $? "401 without credentials is not repeated"
faults ''

# interrupted
faults '{"kind":"stall","seconds":30}'
"$muster" store ls gs://bkt >"$dir/out" 2>"$dir/err" &
child=$!
for _ in $(seq 600); do # until the request is there, and with it the signal's handler
	[ "$(strikes)" -gt 0 ] && break
	sleep 0.05
done
kill -TERM $child
wait $child
[ $? -eq 130 ] && says interrupted
ok $? "SIGTERM: exit 130"
faults ''

# headers, secrets, foreign text
forget
MUSTER_EXTRA_HEADERS=$'x-one: 42\nx-two: 2' store 0 cp --resumable \
	--if-generation-match 0 "$dir/small" gs://bkt/extra
curl -sf "$STORAGE_EMULATOR_HOST/_emulator/requests" >"$dir/log"
[ "$(grep -oi '"x-one"' "$dir/log" | wc -l)" -eq "$(grep -o '"number"' "$dir/log" | wc -l)" ]
ok $? "extra headers on every request, the upload's too"
MUSTER_EXTRA_HEADERS='Authorization: Bearer x' store 2 ls gs://bkt && says "not for the environment"
ok $? "no credential from the environment"
faults '{"kind":"403","method":"PUT"}'
store 2 cp --resumable "$dir/small" gs://bkt/x && ! says upload_id && ! says uploadType
ok $? "an upload session's URL is in no message"
faults ''
store 0 cp "$dir/small" $'gs://bkt/esc/\x1b[31m' && store 0 ls gs://bkt/esc/ && has '\x1b[31m' &&
	! grep -q $'\x1b' "$dir/out"
ok $? "control characters are escaped"
STORAGE_EMULATOR_HOST=http://user:secret@127.0.0.1:1 store 2 ls gs://bkt
ok $? "an endpoint with a password is refused"
# TLS: the certificate is verified, name and all
if command -v openssl >/dev/null && openssl req -x509 -newkey ec \
	-pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
	-keyout "$dir/key.pem" -out "$dir/cert.pem" -subj /CN=x \
	-addext subjectAltName=IP:127.0.0.1 2>/dev/null; then
	# it chooses a free port, and listens once it has told which
	openssl s_server -accept 127.0.0.1:0 -key "$dir/key.pem" -cert "$dir/cert.pem" -www \
		</dev/null 2>/dev/null >"$dir/tls" &
	tls=$!
	for _ in $(seq 600); do
		port=$(sed -n 's/^ACCEPT .*:\([0-9][0-9]*\)$/\1/p' "$dir/tls")
		[ -n "$port" ] && break
		sleep 0.05
	done
	export STORAGE_EMULATOR_HOST=https://127.0.0.1:$port
	store 2 ls gs://bkt && says "certificate" && ! says "gave up"
	ok $? "https with an unknown certificate is refused at once"
	SSL_CERT_FILE=$dir/cert.pem store 4 ls gs://bkt && says "reply"
	ok $? "with a known one it is spoken"
	STORAGE_EMULATOR_HOST=https://localhost:$port SSL_CERT_FILE=$dir/cert.pem \
		store 2 ls gs://bkt && says "name"
	ok $? "of another host it is refused"
	kill $tls
fi

wait $nobody
code=$?
cp "$dir/nobody" "$dir/err"
# by its own clock: how long this script took says nothing
[ $code -eq 2 ] && grep -qE 'gave up after [0-9]+ tries in 1[0-9]\.[0-9] s' "$dir/nobody"
ok $? "nobody answers: given up within 15 s"
echo "1..$n"
