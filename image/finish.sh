#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# finish.sh ROOT: turns a plain Debian tree with the worker in it into the image's tree.
# Environment: LEAN, GCSFUSE, SOURCE_DATE_EPOCH (image/build.sh).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$1
units=$root/etc/systemd/system

# enable UNIT TARGET: what `systemctl enable` would do, also with generators off
enable()
{
	local file=/usr/lib/systemd/system/$1
	[[ ! -f $units/$1 ]] || file=../$1
	mkdir -p "$units/$2.wants"
	ln -sfn "$file" "$units/$2.wants/$1"
}

# Files of the project's own, with the modes of their kind.
copy_files()
{
	local file
	while read -r file; do
		install -D -m "$([[ -x $1/$file ]] && echo 755 || echo 644)" "$1/$file" "$root/$file"
	done < <(cd "$1" && find etc usr -type f 2>/dev/null)
}

# mask [all]: the units of image/trims; without "all" the part before LEAN=1
mask()
{
	local unit rest
	while read -r unit rest; do
		[[ $unit != '#' || $rest != LEAN=1 || ${1:-} == all ]] || break
		case $unit in '' | '#'*) continue ;; esac
		ln -sfn /dev/null "$units/$unit"
		rm -f "$units"/*.wants/"$unit"
	done <"$here/trims"
}

# Identity is the machine's, not the image's.
make_anonymous()
{
	: >"$root/etc/machine-id" # written at the first boot
	rm -f "$root/etc/fstab"
	# nothing is installed later, and the builder's own mirrors would make it another image
	: >"$root/etc/apt/sources.list"
	# absent until /usr/local/lib/muster/prepare writes it
	ln -sfn ../run/resolv.conf "$root/etc/resolv.conf"
}

set_up_cloud_init()
{
	# the package's own settings of logging and data sources would win over ours
	find "$root/etc/cloud/cloud.cfg.d" -type f ! -name 05_logging.cfg -delete
	rm -f "$units"/*.wants/cloud-init-hotplugd.socket
}

set_up_units()
{
	rm -rf "$units/timers.target.wants" "$units/getty.target.wants"
	rm -f "$units/multi-user.target.wants/remote-fs.target" # no network file systems in fstab
	install -m 644 "$here/files/muster-worker.service" "$units/muster-worker.service"
	enable muster-worker.service multi-user.target
	enable systemd-networkd.service multi-user.target
	enable systemd-networkd.socket sockets.target
	enable systemd-networkd-wait-online.service network-online.target
	ln -sfn /usr/lib/systemd/system/multi-user.target "$units/default.target"
}

# The clock is synchronised beside the worker, not before it, and in processor time nobody
# else wants: until then it is the host's, which is right to the second, as TLS needs it, and
# what is measured is measured by the monotonic clock. Before= cannot be taken back by a
# drop-in, so the whole unit is replaced. Without D-Bus it runs as well (Type=notify).
move_timesyncd()
{
	sed -e '/^\(Before\|DefaultDependencies\|After\)=/d' \
		-e 's/^WantedBy=.*/WantedBy=multi-user.target/' \
		-e 's/^\[Unit\]$/&\nAfter=network-online.target/' \
		-e 's/^\[Service\]$/&\nCPUSchedulingPolicy=idle/' \
		"$root/usr/lib/systemd/system/systemd-timesyncd.service" \
		>"$units/systemd-timesyncd.service"
	rm -f "$units"/*.wants/systemd-timesyncd.service "$units"/dbus-org.freedesktop.timesync1.service
	enable systemd-timesyncd.service multi-user.target
}

# LEAN=1: less work for PID 1 and udev, nothing that a machine type needs.
trim()
{
	local generator
	copy_files "$here/lean"
	mask all
	enable power-button.service multi-user.target
	move_timesyncd
	# Generators make units of what only installations have (LVM, crypttab, rc.local, gettys).
	# cloud-init's asks in a long shell script whether there is a cloud: there is.
	mkdir -p "$root/etc/systemd/system-generators"
	for generator in "$root"/usr/lib/systemd/system-generators/*; do
		generator=${generator##*/}
		[[ $generator == systemd-fstab-generator ]] ||
			ln -sfn /dev/null "$root/etc/systemd/system-generators/$generator"
	done
	enable cloud-init.target multi-user.target
	# cloud-init would ask for an address of its own before the network is up, and throw it away.
	# Without a DHCP client it asks the metadata server in its network stage, by networkd's: the
	# same network the worker uses, 2 s of an emulated boot earlier.
	rm -f "$root/usr/sbin/dhcpcd"
}

# GCSFUSE=PATH: into the local cache, under the key of `muster split --binary`. Results name
# the version it says it is; a build of a working tree says none.
bake_gcsfuse()
{
	local sum key version=null go=null
	sum=$(sha256sum <"$GCSFUSE" | cut -d' ' -f1)
	key=${sum:0:24}
	if [[ $("$GCSFUSE" --version 2>/dev/null) =~ version\ (v[0-9][^ ]*)\ .*\ (go[0-9.]+) ]]; then
		version=\"${BASH_REMATCH[1]}\" go=\"${BASH_REMATCH[2]}\"
	fi
	install -D -m 755 "$GCSFUSE" "$root/var/cache/muster/$key/gcsfuse"
	printf '{"schema":"muster/binary/1","key":"%s","sha256":"%s","bytes":%s,"module":null,"version":%s,"go":%s,"recipe":null,"os":"linux","arch":"%s"}\n' \
		"$key" "$sum" "$(stat -c %s "$GCSFUSE")" "$version" "$go" "$(dpkg --print-architecture)" \
		>"$root/var/cache/muster/$key/gcsfuse.json"
	chmod 700 "$root/var/cache/muster"
}

# Byte code made under SOURCE_DATE_EPOCH would hash its source again at every import. In a
# sealed image nothing changes: unchecked, and free of time stamps.
compile_python()
{
	chroot "$root" python3 -m compileall -q -f --invalidation-mode unchecked-hash \
		/usr/lib/python3 "/usr/lib/$(readlink "$root/usr/bin/python3")" /usr/share/python3 ||
		true # a few files of the library are bad Python on purpose
}

# What differs from build to build, or has no place in an image.
clean()
{
	rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/cache/debconf/*-old \
		"$root"/var/log/{dpkg.log,alternatives.log,bootstrap.log} "$root"/var/log/apt/* \
		"$root"/var/cache/ldconfig/aux-cache "$root"/run/* "$root"/tmp/* \
		"$root"/boot/initrd.img-* "$root"/initrd.img* "$root"/vmlinuz* \
		"$root"/etc/{passwd,group,shadow,gshadow,subuid,subgid}-
	find "$root" -xdev -newermt "@$SOURCE_DATE_EPOCH" -print0 |
		xargs -0r touch -h -d "@$SOURCE_DATE_EPOCH"
}

umask 022
copy_files "$here/files"
make_anonymous
set_up_cloud_init
set_up_units
mask
[[ $LEAN != 1 ]] || trim
[[ -z ${GCSFUSE:-} ]] || bake_gcsfuse
compile_python
clean
