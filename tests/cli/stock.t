#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# image/stock: a stock image's first boot and its reboot, in a folder, with a metadata server
# and a bucket of a few lines, and with apt-get and systemctl that only write down their words.
set -u
cd "$(dirname "$0")/../.." || exit 1
command -v python3 >/dev/null || { echo "1..0 # SKIP python3 is not installed"; exit 0; }
tmp=$(mktemp -d "${TMPDIR:-/tmp}/muster-stock.XXXXXX") || exit 1
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$tmp"' EXIT
count=0

ok() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		sed 's/^/# /' "$tmp/calls" "$tmp/console" "$tmp/root/var/log/muster-bootstrap.log" 2>/dev/null
	fi
}
skip() { count=$((count + 1)) && echo "ok $count - $2 # SKIP $1"; }

# --- the machine ---
mkdir "$tmp/bin"
for tool in bash cat tee tail sha256sum mkdir rm mv chmod sed sleep flock touch; do
	ln -s "$(command -v $tool)" "$tmp/bin/$tool"
done
fake() { # fake NAME: reads its text
	{ echo '#!/bin/bash' && cat; } >"$tmp/bin/$1" && chmod 755 "$tmp/bin/$1"
}
tool() { fake "$1" <<<"echo \"$1 \$*\" >>\"$tmp/calls\"; ${2:-}"; }
tool systemctl
tool modprobe
tool apt-get "[[ \$* == *update ]] && exit
[[ -e $tmp/no-mirror ]] && echo 'E: Unable to locate package fio' && exit 100
touch $tmp/bin/fio $tmp/bin/fusermount3; chmod 755 $tmp/bin/f*"
# the real ones, with a bucket here for the one at Google's; what they were told is kept
real_curl=$(command -v curl)
real_python=$(python3 -c 'import sys; print(sys.executable)')
with_curl() {
	fake curl <<END
echo "curl \$*" >>"$tmp/calls"; cat /proc/self/environ >>"$tmp/environ"
args=()
for word in "\$@"; do
	word=\${word/https:\/\/storage.googleapis.com/\$FAKE_GOOGLE}
	args+=("\${word/#=https/=http}")
done
exec "$real_curl" "\${args[@]}"
END
}
with_python() {
	fake python3 <<END
echo "python3 \$*" >>"$tmp/calls"; cat /proc/self/environ >>"$tmp/environ"
exec "$real_python" "\$1" "\${2/https:\/\/storage.googleapis.com/\$FAKE_GOOGLE}" "\${@:3}"
END
}

# --- its world ---
echo "a static worker" >"$tmp/worker"
sha256=$(sha256sum <"$tmp/worker" | cut -d' ' -f1)
token=ya29.sekrit
cat >"$tmp/server.py" <<'END'
import http.server, os, sys
folder, sha256, token = sys.argv[1:]
OBJECT = "/storage/v1/b/ctl/o/_cache%2Fmuster-worker%2F" + sha256 + "?alt=media"

class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, code, body):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        flaky = os.path.join(folder, "flaky")
        google = not self.path.startswith("/emulated")
        auth = self.headers.get("Authorization")
        if self.path == "/computeMetadata/v1/instance/service-accounts/default/token":
            good = self.headers.get("Metadata-Flavor") == "Google"
            self.reply(200 if good else 403, b'{"access_token":"%s","expires_in":3599}' % token.encode())
        elif self.path.removeprefix("/emulated") != OBJECT:
            self.reply(404, b"no such object")
        elif auth != ("Bearer " + token if google else None):
            self.reply(401, b"who are you")
        elif os.path.exists(flaky):
            os.unlink(flaky)
            self.reply(503, b"later")
        else:
            self.reply(200, open(os.path.join(folder, "worker"), "rb").read())

    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
END
python3 "$tmp/server.py" "$tmp" "$sha256" $token >"$tmp/port" &
server=$!
for _ in $(seq 100); do
	[ -s "$tmp/port" ] && break
	sleep 0.05
done
port=$(cat "$tmp/port")
worker_json='{"debug":false,"endpoint":null,"run_url":"gs://ctl/r1","schema":"muster/vm/1","worker":"w-1"}'

# render [NAME=VALUE…]: as terraform's templatefile does it
render() {
	tests/tools/stock_user_data.py "endpoint=" bucket=ctl "object=_cache/muster-worker/$sha256" \
		"sha256=$sha256" debug=false "worker_json=$worker_json
" "$@" >"$tmp/user-data"
}
# boot WANT: its exit code is WANT
boot() {
	local code
	: >"$tmp/calls"
	: >"$tmp/console"
	: >"$tmp/environ"
	env -i PATH="$tmp/bin" MUSTER_ROOT="$tmp/root" MUSTER_CONSOLE="$tmp/console" MUSTER_RETRY_S=0 \
		GCE_METADATA_HOST="127.0.0.1:$port" FAKE_GOOGLE="http://127.0.0.1:$port" \
		"$tmp/bin/bash" "$tmp/user-data" >"$tmp/stdout" 2>&1
	code=$?
	[ $code = "$1" ]
}
new_machine() {
	rm -rf "$tmp/root" "$tmp"/bin/{fio,fusermount3,curl,python3} "$tmp/no-mirror"
	"with_${1:-python}"
}
is_set_up() {
	cmp -s "$tmp/worker" "$tmp/root/usr/local/sbin/muster-worker" && [ -x "$tmp/root/usr/local/sbin/muster-worker" ] &&
		[ "$(cat "$tmp/root/etc/muster/worker.json")" = "$worker_json" ] &&
		cmp -s image/files/muster-worker.service "$tmp/root/etc/systemd/system/muster-worker.service" &&
		grep -q '^systemctl start --no-block muster-worker.service$' "$tmp/calls"
}
is_off() { grep -q '^systemctl poweroff$' "$tmp/calls" && ! grep -q '^systemctl start' "$tmp/calls"; }
no_token() { ! grep -rqa -e sekrit "$tmp/calls" "$tmp/console" "$tmp/environ" "$tmp/stdout" "$tmp/root"; }

# --- what it does ---
render
if command -v shellcheck >/dev/null; then
	shellcheck image/stock/bootstrap.sh "$tmp/user-data" >"$tmp/console"
	ok $? "shellcheck has nothing to say, of the script alone and with its values"
fi
for way in curl python; do
	if [ $way = curl ] && [ -z "$real_curl" ]; then
		skip "curl is not installed" "by curl"
		continue
	fi
	new_machine $way
	touch "$tmp/flaky"
	boot 0 && is_set_up && [ "$(grep -c ^apt-get "$tmp/calls")" = 2 ] && [ ! -e "$tmp/flaky" ] && [ -s "$tmp/environ" ]
	ok $? "by $way: packages, worker, orders, unit; a first 503 does not matter"
	no_token
	ok $? "by $way: the token is in no argument, environment or file"
	boot 0 && is_set_up && ! grep -qE '^(apt-get|curl|python3)' "$tmp/calls"
	ok $? "a reboot starts the worker and fetches nothing"
done

new_machine
render "endpoint=http://127.0.0.1:$port/emulated"
boot 0 && is_set_up
ok $? "an emulated bucket is asked without a token"
render

echo damaged >>"$tmp/root/usr/local/sbin/muster-worker"
boot 0 && is_set_up
ok $? "a worker of another sha256 is replaced"

new_machine
touch "$tmp/no-mirror"
boot 1 && is_off && grep -q 'apt-get install fio fuse3 failed' "$tmp/console" && grep -q 'Unable to locate' "$tmp/console"
ok $? "no mirror: the console says why, the machine powers off"
render debug=true
boot 1 && ! grep -q poweroff "$tmp/calls"
ok $? "with debug it stays on"

new_machine
render sha256=0000000000000000000000000000000000000000000000000000000000000000
boot 1 && is_off && grep -q 'its sha256 is another' "$tmp/console" && [ ! -e "$tmp/root/usr/local/sbin/muster-worker" ] &&
	[ ! -e "$tmp/root/usr/local/sbin/muster-worker.part" ]
ok $? "another sha256: nothing is installed"
render object=_cache/muster-worker/none
boot 1 && is_off && grep -q 'storage.objects.get' "$tmp/console" && grep -q 404 "$tmp/console" && no_token
ok $? "no such object: the console says which, and why"

new_machine
rm "$tmp/bin/python3"
render
boot 1 && is_off && grep -q 'neither curl nor python3' "$tmp/console"
ok $? "nothing to fetch with"
rm -f "$tmp/bin/apt-get" "$tmp"/bin/{fio,fusermount3}
boot 1 && is_off && grep -q 'so are apt-get and dnf' "$tmp/console"
ok $? "nothing to install with"
tool dnf "touch $tmp/bin/fio $tmp/bin/fusermount3; chmod 755 $tmp/bin/f*"
with_python
boot 0 && is_set_up && grep -q '^dnf .*install fio fuse3$' "$tmp/calls"
ok $? "dnf does as well"

new_machine
boot 0 &
first=$!
env -i PATH="$tmp/bin" MUSTER_ROOT="$tmp/root" MUSTER_CONSOLE="$tmp/console" MUSTER_RETRY_S=0 \
	GCE_METADATA_HOST="127.0.0.1:$port" FAKE_GOOGLE="http://127.0.0.1:$port" \
	"$tmp/bin/bash" "$tmp/user-data" >"$tmp/stdout2" 2>&1 && wait $first && is_set_up &&
	[ "$(grep -c ^dnf "$tmp/calls")" = 1 ] && [ "$(grep -c ^python3 "$tmp/calls")" = 1 ]
ok $? "cloud-init and the guest agent at once: one of them does it"
echo "1..$count"
