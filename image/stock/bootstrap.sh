# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Makes a stock image with apt-get or dnf what muster's own image is when it boots: fio and
# fuse3, the static worker from the bucket, its unit, its orders; then starts the unit. What
# is there already is left as it is, so that a reboot only starts the worker again.
# user-data.tftpl puts what it needs to know in front:
#   bucket object sha256   where the worker is
#   endpoint               URL of an emulated bucket; empty: Cloud Storage
#   worker_json unit       the two files' contents
#   debug                  true: the machine stays on when this fails
: "${bucket:?}" "${object:?}" "${sha256:?}" "${worker_json:?}" "${unit:?}" "${endpoint=}" "${debug=}"
set -uo pipefail
umask 022
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
# other than these defaults in tests
root=${MUSTER_ROOT:-}
console=${MUSTER_CONSOLE:-/dev/console}
metadata=http://${GCE_METADATA_HOST:-169.254.169.254}/computeMetadata/v1

log=$root/var/log/muster-bootstrap.log
worker=$root/usr/local/sbin/muster-worker
unit_file=$root/etc/systemd/system/muster-worker.service
orders=$root/etc/muster/worker.json

say()
{
	printf 'muster: %s\n' "$*" | tee -a "$log" >>"$console"
}

die()
{
	say "cannot set up the worker: $*"
	[[ $debug == true ]] && exit 1
	say "powering off"
	systemctl poweroff
	exit 1
}

# run WHAT COMMAND…: its output goes to the log, the end of it to the console when it fails
run()
{
	local what=$1
	shift
	"$@" >>"$log" 2>&1 && return
	tail -n 5 "$log" >>"$console"
	die "$what failed"
}

# write FILE TEXT: only when it says something else
write()
{
	mkdir -p "${1%/*}"
	[[ -f $1 && $(cat "$1") == "$2" ]] || printf '%s\n' "$2" >"$1"
}

# The system's own timers would wake up in the middle of a measurement, and hold apt's lock now.
quiet()
{
	systemctl stop apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service \
		man-db.timer dnf-makecache.timer dnf-automatic.timer >>"$log" 2>&1
	return 0
}

has_packages()
{
	command -v fio >/dev/null && command -v fusermount3 >/dev/null
}

install_packages()
{
	has_packages && return
	say "installing fio and fuse3"
	if command -v apt-get >/dev/null; then
		run "apt-get update (is there a way to the mirrors? base's nat = true makes one)" \
			apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=600 update
		run "apt-get install fio fuse3" apt-get -qq -y --no-install-recommends \
			-o Acquire::Retries=3 -o DPkg::Lock::Timeout=600 install fio fuse3
	elif command -v dnf >/dev/null; then
		run "dnf install fio fuse3 (is there a way to the mirrors? base's nat = true makes one)" \
			dnf -q -y --setopt=retries=3 install fio fuse3
	else
		die "fio and fuse3 are missing, and so are apt-get and dnf"
	fi
	has_packages || die "the packages fio and fuse3 brought no fio or no fusermount3"
}

# The token goes from the metadata server to the bucket through pipes: it is in no variable,
# argument, environment or file. Where it cannot be had, the bucket's 401 says so.
token_for_curl()
{
	curl -fsS --noproxy '*' --max-time 20 -H 'Metadata-Flavor: Google' \
		"$metadata/instance/service-accounts/default/token" |
		sed -n 's/.*"access_token" *: *"\([^"]*\)".*/header = "Authorization: Bearer \1"/p'
}

fetch_with_curl()
{
	local options=(-fsS --max-time 600 -o "$2" "$1")
	if [[ -n $endpoint ]]; then
		curl "${options[@]}"
	else
		token_for_curl | curl --proto '=https' --config - "${options[@]}"
	fi
}

fetch_with_python()
{
	python3 - "$1" "$2" "$metadata" "${endpoint:+anonymous}" <<'PYTHON'
import json, shutil, sys, urllib.request
url, path, metadata, anonymous = sys.argv[1:]
request = urllib.request.Request(url)
if not anonymous:
    ask = urllib.request.Request(metadata + "/instance/service-accounts/default/token",
                                 headers={"Metadata-Flavor": "Google"})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    token = json.load(direct.open(ask, timeout=20))["access_token"]
    request.add_unredirected_header("Authorization", "Bearer " + token)
with urllib.request.urlopen(request, timeout=600) as reply, open(path, "wb") as file:
    shutil.copyfileobj(reply, file)
PYTHON
}

is_right()
{
	[[ -f $1 && $(sha256sum <"$1") == "$sha256  -" ]]
}

install_worker()
{
	local url="${endpoint:-https://storage.googleapis.com}/storage/v1/b/$bucket/o/${object//\//%2F}?alt=media"
	local with part=$worker.part try got=
	is_right "$worker" && return
	say "fetching the worker, gs://$bucket/$object"
	if command -v curl >/dev/null; then
		with=fetch_with_curl
	elif command -v python3 >/dev/null; then
		with=fetch_with_python
	else
		die "neither curl nor python3 is here to fetch the worker with"
	fi
	mkdir -p "${worker%/*}"
	# the network and the account's roles can be a moment late
	for try in 1 2 3 4 5; do
		rm -f "$part"
		$with "$url" "$part" >>"$log" 2>&1 && got=yes && break
		((try == 5)) || sleep $((try * ${MUSTER_RETRY_S:-3}))
	done
	if [[ -z $got ]]; then
		tail -n 2 "$log" >>"$console"
		die "fetching gs://$bucket/$object failed (the account needs storage.objects.get there)"
	fi
	if ! is_right "$part"; then
		rm -f "$part"
		die "gs://$bucket/$object is not what its name says: its sha256 is another"
	fi
	run "writing $worker" chmod 755 "$part"
	run "writing $worker" mv -f "$part" "$worker"
}

mkdir -p "$root/run" "${log%/*}"
# cloud-init and Google's guest agent may both run this
exec 9>"$root/run/muster-bootstrap.lock"
flock 9
quiet
install_packages
install_worker
write "$orders" "$worker_json" || die "cannot write $orders"
write "$unit_file" "$unit" || die "cannot write $unit_file"
modprobe fuse >>"$log" 2>&1
run "systemctl daemon-reload" systemctl daemon-reload
run "systemctl enable" systemctl enable muster-worker.service
run "systemctl start" systemctl start --no-block muster-worker.service
say "the worker is set up"
