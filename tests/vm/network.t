#!/bin/bash
# What QEMU's own network cannot show: a network card with Google Cloud's lease, an address
# all alone in its network and a large MTU. It is one end of a cable inside the machine, with
# a DHCP server at the other end. Beside it the drivers of Google's cards, which only load.
. tests/vm/lib.sh
v_begin
export VM_DIR=$t_dir/machine VM_ADDRESS=127.0.7.8 VM_DISK_GIB=2 VM_CLOUD_INIT=yes

cat >"$t_dir/look.sh" <<'END'
exec >/dev/console 2>&1
ip netns add google
ip link add ens9 mtu 9000 type veth peer name far netns google
ip -n google link set far up
ip -n google addr add 10.128.0.1/32 dev far
ip -n google route add 255.255.255.255/32 dev far
ip netns exec google python3 /run/google_dhcp.py far &
for _ in $(seq 60); do
	ip -4 route show default | grep -q ens9 && break
	sleep 1
done
sh /usr/local/lib/muster/prepare
echo "look: address $(ip -br -4 -N -c=never addr show ens9 | tr -s ' ')"
echo "look: mtu $(cat /sys/class/net/ens9/mtu)"
ip -c=never -4 route show dev ens9 | sed 's/^/look: route /'
sed 's/^/look: /' /run/resolv.conf
# by PCI id, as udev asks: gVNIC, idpf
modprobe -a pci:v00001AE0d00000042sv00001AE0sd00000058bc02sc00i00 pci:v00008086d00001452sv00008086sd00000000bc02sc00i00
echo "look: drivers $(lsmod | grep -oE '^(gve|idpf) ' | sort | tr -d '\n')"
echo "look: clock $(systemctl is-active systemd-timesyncd), failed $(systemctl --failed --no-legend | wc -l)"
echo "look: that is all"
END
jq -n --rawfile look "$t_dir/look.sh" --rawfile dhcp tests/tools/google_dhcp.py \
	'{"muster-run": "gs://ctl/none", "muster-worker": "w-1", "muster-debug": "true", "muster-endpoint": "'$v_machine_endpoint'",
	"user-data": ("#cloud-config\n" + ({write_files: [{path: "/run/look.sh", content: $look}, {path: "/run/google_dhcp.py", content: $dhcp}],
		bootcmd: [["systemd-run", "--no-block", "--property=After=muster-worker.service", "sh", "/run/look.sh"]]} | tojson) + "\n")}' \
	>"$t_dir/attributes"
instance network $VM_ADDRESS "$(cat "$t_dir/attributes")"
vm up
wait_console "look: that is all" 150
is $? 0 "the machine looks at itself"
text=$(console | grep '^look: ')
like "$text" "10.128.0.7/32" "an address all alone in its network"
like "$text" "look: mtu 8896" "the network's MTU"
like "$text" "look: route default via 10.128.0.1" "the way out"
like "$text" "look: route 10.128.0.1 proto dhcp scope link" "by a gateway on the link"
like "$text" "look: nameserver 169.254.169.254" "the worker's name server is the lease's"
like "$text" "look: drivers gve idpf" "Google's drivers are found by their PCI ids and load"
like "$text" "look: clock active, failed 0" "the clock is kept, no unit has failed"
vm down >"$t_dir/down.out"
like "$(cat "$t_dir/down.out")" "went off" "the power button ends it"
done_testing
