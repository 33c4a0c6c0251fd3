# shellcheck shell=bash
# Shared by the tests with virtual machines: the emulated bucket and metadata server, a small
# run, one machine of the real image. Source it; it sources tests/e2e/lib.sh.
. tests/e2e/lib.sh

# Everything takes ten times as long on an emulated processor, and more beside other work.
VM_IMAGE=${VM_IMAGE:-$PWD/$BUILD/image}
export VM_IMAGE
v_machine_endpoint=http://169.254.169.253 # terraform/local/vm.sh

vm() { terraform/local/vm.sh "$@"; }

need_vm() {
	local tool
	for tool in qemu-system-x86_64 qemu-img socat curl; do
		command -v "$tool" >/dev/null || t_skip "$tool is missing (scripts/deps.sh vm)"
	done
	[ -f "$VM_IMAGE/disk.raw" ] || t_skip "no image in $VM_IMAGE (make image)"
}

# start_servers: the bucket's URL in STORAGE_EMULATOR_HOST, VM_ENDPOINT and VM_METADATA
start_servers() {
	start_emulator --metadata-port 0
	for _ in $(seq 100); do
		[ "$(wc -l <"$t_dir/url")" -ge 2 ] && break
		sleep 0.02
	done
	VM_ENDPOINT=${STORAGE_EMULATOR_HOST#http://}
	VM_METADATA=$(sed -n '2s/metadata //p' "$t_dir/url")
	export VM_ENDPOINT VM_METADATA
}

# small_run RUN ITERATIONS: one write and one read case through gcsfuse, one worker w-1
small_run() {
	printf 'io_type,num_jobs,file_size,block_size,io_depth,nr_files,direct\n%s\n' \
		"${v_cases:-write,1,8m,1m,4,1,0}" >"$t_dir/tests.csv"
	printf 'commit,mount_args,label\nmaster,--implicit-dirs,default\n' >"$t_dir/configs.csv"
	muster split "gs://ctl/$1" --tests "$t_dir/tests.csv" --configs "$t_dir/configs.csv" \
		--fio "${v_job:-tests/data/suite/job.fio}" --data gs://data --workers w-1 \
		--data-endpoint $v_machine_endpoint --iterations "$2" \
		--pin "master=$T_GCSFUSE_VERSION" --build-here >"$t_dir/split.out" 2>&1
}

# instance NAME ADDRESS ATTRIBUTES: what the metadata server says to who asks from ADDRESS
instance() {
	curl -sSf -X PUT --data-binary "{\"address\":\"$2\",\"zone\":\"local-a\",\"machine_type\":\"n2-standard-1\",\"attributes\":$3}" \
		"$STORAGE_EMULATOR_HOST/_emulator/instances/$1" >/dev/null
}

attributes() { # RUN: a worker known by metadata attributes alone
	printf '{"muster-run":"gs://ctl/%s","muster-worker":"w-1","muster-endpoint":"%s"}' \
		"$1" $v_machine_endpoint
}

user_data() { # RUN: the same by cloud-init's user-data
	jq -n --arg json "{\"schema\":\"muster/vm/1\",\"run_url\":\"gs://ctl/$1\",\"worker\":\"w-1\",\"endpoint\":\"$v_machine_endpoint\"}" \
		'{"user-data": ("#cloud-config\n" + ({write_files: [{path: "/etc/muster/worker.json", content: $json}]} | tojson) + "\n")}'
}

# console: what the machine printed, without the terminal's control codes
console() { tr -d '\033\r' <"$VM_DIR/console.log" 2>/dev/null; }

# wait_console TEXT SECONDS
wait_console() {
	local end=$((SECONDS + $2))
	until console | grep -qF -- "$1"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

# machines that a failed test left on
v_cleanup() {
	local dir
	for dir in "$t_dir"/machine*; do
		[ -f "$dir/qemu.pid" ] && kill -9 "$(cat "$dir/qemu.pid")" 2>/dev/null
	done
	t_cleanup
}

v_begin() {
	need_vm
	t_begin
	trap v_cleanup EXIT
	start_servers
}
